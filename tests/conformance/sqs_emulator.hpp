// fauxqs, an SQS in memory, as a child of this process: started at its first use, and gone with it.
#pragma once

#include <sys/types.h>

#include <string>

#include "tether/clock.hpp"
#include "transport/sqs/sqs_address.hpp"
#include "transport/sqs/sqs_transport.hpp"

namespace tether::conformance {

class SqsEmulator {
 public:
  /// The one of this process. Fails the test, and says what is missing, when it does not start.
  static SqsEmulator& instance();

  SqsEmulator();
  ~SqsEmulator();
  SqsEmulator(const SqsEmulator&) = delete;
  SqsEmulator& operator=(const SqsEmulator&) = delete;

  const std::string& endpoint() const { return endpoint_; }
  /// Moves its clock, not ours.
  void pass(Duration time);

  /// A name that no queue has yet.
  std::string newName(bool fifo);
  /// A queue that is made at its first use. Its close() does not wait long for polls.
  sqs::SqsTransportSettings settings(const std::string& name, const Clock& clock) const;

 private:
  std::string readLine();

  pid_t child_ = 0;
  int in_ = -1;
  int out_ = -1;
  std::string read_;
  std::string endpoint_;
  int names_ = 0;
};

}  // namespace tether::conformance
