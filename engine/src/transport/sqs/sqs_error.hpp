// What SQS, or what stands in front of it, says when it refuses a call, and what can be done about
// it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "tether/clock.hpp"
#include "transport/sqs/http_client.hpp"

namespace tether::sqs {

struct ServiceError {
  std::string code;     // "QueueDoesNotExist"; "HTTP 502" when the answer names none
  std::string message;  // cut, and fit for a terminal; may be empty
  int status = 0;

  /// "ThrottlingException: Rate exceeded".
  std::string text() const;
};

/// Understands JSON, XML and the header of the old protocol; anything else is taken by its status.
ServiceError parseServiceError(const HttpResponse& response);

/// A code without the prefixes and the "Exception" that depend on who says it.
std::string plainCode(std::string code);

enum class Remedy {
  TryAgain,     // overload, throttling, a failure on their side
  NewKeys,      // the credentials ended
  SetClock,     // the signature is too old or too new
  MakeQueue,    // there is no such queue
  LeaseIsOver,  // the receipt names nothing that we hold
  WaitMinute,   // a queue can be purged once in 60 seconds
  ChangeEntry,  // what is in the call cannot be taken
  FixSettings,  // keys, rights, region
};

Remedy remedyFor(const ServiceError& error);

/// "12m 30s behind"; empty when the answer has no date or the clocks agree to a second.
std::string skewInWords(const HttpResponse& response, Time now);

/// The entry of a batch answer that says why one message was refused.
struct EntryFailure {
  std::string id;
  ServiceError error;
  bool senderFault = false;
};
EntryFailure parseEntryFailure(const nlohmann::json& entry);

/// A code that we do not know, ChangeEntry as well, is the entry's fault only where SQS says so;
/// else TryAgain.
Remedy remedyFor(const EntryFailure& failure);

}  // namespace tether::sqs
