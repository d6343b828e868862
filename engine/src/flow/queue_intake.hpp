// Takes messages in from the queues that this program listens to beside its own run queue: remote
// ones, and local ones that carry events from outside. One durable commit each time; only then is
// the other side told to forget them.
#pragma once

#include <atomic>
#include <limits>
#include <memory>
#include <string>

#include "flow/intake.hpp"
#include "flow/last_failure.hpp"
#include "tether/store.hpp"
#include "tether/transport.hpp"

namespace tether::flow {

/// One queue. Thread safety: every call from any thread.
class QueueIntake {
 public:
  /// Without a transport: the store's own queue of that name.
  QueueIntake(Store& store, const Intake& intake, std::string queue,
              std::shared_ptr<Transport> transport, const Clock& clock)
      : store_(store),
        intake_(intake),
        queue_(std::move(queue)),
        transport_(std::move(transport)),
        clock_(clock) {}

  struct Result {
    std::size_t messages = 0;
    bool claimable = false;
  };
  /// Takes one batch in; waits at most `wait` for a remote queue.
  Result step(std::size_t max, Duration wait);
  bool remote() const { return transport_ != nullptr; }
  /// The most that one step takes in.
  std::size_t batchMax() const {
    return transport_ ? transport_->features().batchMax : std::numeric_limits<std::size_t>::max();
  }
  const std::string& name() const { return queue_; }
  /// It had nothing, or failed, the last time that it was asked. From any thread.
  bool asked() const { return askedAt() > Duration::min(); }
  /// The next poll may wait long: it had nothing, and close() ends the wait.
  bool patient() const { return transport_ && transport_->features().durable && asked(); }
  /// When it was asked then, by Clock::steady(); else the earliest.
  Duration askedAt() const { return askedAt_; }
  std::string failure() const { return failure_.get(); }
  /// It had a full batch, the last time: there may be more.
  bool full() const { return full_; }
  /// Ends a wait of step(), now and from now on; what lives in this process only is used again
  /// after a stop. From any thread.
  void close() {
    if (transport_ && transport_->features().durable) transport_->close();
  }

 private:
  /// One message, in the unit of its batch. Returns whether a command may be claimed now.
  bool takeIn(Unit& unit, const Delivery& delivery) const;
  bool paused() const;
  Result stepLocal(std::size_t max);
  Result stepRemote(std::size_t max, Duration wait);

  Store& store_;
  const Intake& intake_;
  std::string queue_;
  std::shared_ptr<Transport> transport_;
  const Clock& clock_;
  std::atomic<bool> full_ = false;
  std::atomic<Duration> askedAt_ = Duration::min();
  LastFailure failure_;
};

}  // namespace tether::flow
