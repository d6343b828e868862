// Forwards what a local queue holds for a destination elsewhere, and forgets a message only when
// the other side has it. A crash in between sends it again, with the same id and bytes.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "base/repeated.hpp"
#include "flow/event_emitter.hpp"
#include "flow/last_failure.hpp"
#include "tether/store.hpp"

namespace tether::flow {

/// One queue; others may work for the same one. Thread safety: one thread at a time.
class OutboxRelay {
 public:
  /// `outgoing`: the relay's side of a mapped queue; else an ordinary local queue is drained.
  /// `failure` is of all relays of the queue.
  OutboxRelay(Store& store, std::string queue, bool outgoing, std::unique_ptr<EventEmitter> emitter,
              std::size_t batchMax, std::shared_ptr<LastFailure> failure, const Clock& clock)
      : store_(store),
        queue_(std::move(queue)),
        outgoing_(outgoing),
        emitter_(std::move(emitter)),
        batchMax_(batchMax),
        failure_(std::move(failure)),
        clock_(clock) {}

  /// Forwards one batch for `owner`; returns how many messages it took.
  std::size_t step(std::int64_t owner);
  const std::string& queue() const { return queue_; }
  bool outgoing() const { return outgoing_; }
  /// A batch is under way. From any thread.
  bool busy() const { return busy_; }
  /// When it last handed something over, by Clock::steady(); else the earliest. From any thread.
  Duration sentAt() const { return sentAt_; }
  /// Of the last batch. From any thread.
  std::string failure() const { return failure_->get(); }

 private:
  void settle(Unit& unit, const QueuedMessage& message, const SendResult& result) const;
  void settleAll();

  Store& store_;
  std::string queue_;
  bool outgoing_;
  std::unique_ptr<EventEmitter> emitter_;
  std::size_t batchMax_;
  std::shared_ptr<LastFailure> failure_;
  const Clock& clock_;
  Repeated cannotForward_{"cannot forward", {{"queue", queue_}}, clock_};
  // What was emitted and is not settled yet. The store may refuse for a while; as this process
  // lives, nobody else would take these messages.
  std::vector<QueuedMessage> messages_;
  std::vector<SendResult> results_;
  std::atomic<bool> busy_ = false;
  std::atomic<Duration> sentAt_ = Duration::min();
};

}  // namespace tether::flow
