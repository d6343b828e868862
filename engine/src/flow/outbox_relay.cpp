#include "flow/outbox_relay.hpp"

#include <algorithm>

#include "model/kept_text.hpp"
#include "tether/error.hpp"
#include "tether/ids.hpp"
#include "tether/seam.hpp"

namespace tether::flow {

namespace {

/// Grows with the number of tries; a destination that is down is not given up.
Duration backoffAfter(int tries) {
  constexpr Duration kFirst = std::chrono::milliseconds{100};
  constexpr Duration kMost = std::chrono::seconds{30};
  return std::min(kMost, kFirst * (1 << std::min(tries - 1, 12)));
}

}  // namespace

std::size_t OutboxRelay::step(std::int64_t owner) {
  settleAll();
  std::vector<QueuedMessage> messages;
  busy_ = true;  // before they are seen to be taken
  store_.commit(Durability::Deferred, [&](Unit& unit) {
    messages = unit.take({.queue = queue_,
                          .outgoing = outgoing_,
                          .owner = owner,
                          .leaseUntil = {},
                          .max = batchMax_,
                          .now = clock_.now()});
  });
  if (messages.empty()) {
    busy_ = false;
    return 0;
  }
  passSeam(Seam::relay_after_claim);

  std::vector<OutgoingMessage> batch;
  for (const auto& message : messages) {
    batch.push_back({message.id, message.body, message.key, {}, message.again});
  }
  messages_ = std::move(messages);
  try {
    results_ = emitter_->emit(batch);
    sentAt_ = clock_.steady();
    cannotForward_.passed();
  } catch (const std::exception& error) {
    cannotForward_.failed(error.what());
    results_.assign(batch.size(), {SendResult::Kind::Transient, error.what()});
  }
  // A transport that says nothing of a message has not sent it.
  results_.resize(batch.size(), {SendResult::Kind::Transient, "no answer for this message"});
  const auto failed = std::ranges::find(results_, SendResult::Kind::Transient, &SendResult::kind);
  failure_->set(failed == results_.end() ? std::string() : failed->error);
  passSeam(Seam::relay_after_publish);
  settleAll();
  busy_ = false;
  passSeam(Seam::relay_after_settle);
  return batch.size();
}

void OutboxRelay::settleAll() {
  if (messages_.empty()) return;
  store_.commit(Durability::Deferred, [&](Unit& unit) {
    for (std::size_t i = 0; i < messages_.size(); ++i) settle(unit, messages_[i], results_.at(i));
  });
  messages_.clear();
}

void OutboxRelay::settle(Unit& unit, const QueuedMessage& message, const SendResult& result) const {
  const auto now = clock_.now();
  if (result.kind == SendResult::Kind::Transient) {
    // A claim that was lost meanwhile has a new owner, who sends it again.
    (void)unit.giveBack(message.ref, now + backoffAfter(message.receives));
    return;
  }
  if (result.kind == SendResult::Kind::Permanent) {
    const auto error = kept(Failure{"refused", result.error});
    if (message.commandSeq != 0) return unit.refuse(message.ref, error, now);
    NewDeadLetter letter;
    letter.id = deriveId(message.id, "delivery/" + queue_);
    letter.kind = DeadLetterKind::Delivery;
    letter.queue = queue_;
    letter.eventSeq = message.eventSeq;
    letter.body = message.body;
    letter.error = error;
    letter.failedAt = now;
    try {
      const auto envelope = parseEnvelope(message.body);
      letter.type = envelope.type;
      letter.correlationId = envelope.correlationId;
    } catch (const Error&) {
      // Not ours to judge: the letter keeps the bytes.
    }
    unit.bury(letter);
  }
  (void)unit.handedOver(message.ref, now);
}

}  // namespace tether::flow
