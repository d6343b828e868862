#include "flow/queue_intake.hpp"

#include "base/log.hpp"
#include "flow/arrival.hpp"
#include "tether/error.hpp"
#include "tether/json.hpp"
#include "tether/seam.hpp"

namespace tether::flow {

namespace {

constexpr Duration kRemoteLease = std::chrono::seconds{30};

}  // namespace

QueueIntake::Result QueueIntake::step(std::size_t max, Duration wait) {
  if (max == 0) return {};
  return transport_ ? stepRemote(max, wait) : stepLocal(max);
}

bool QueueIntake::takeIn(Unit& unit, const Delivery& delivery) const {
  Failure why;
  try {
    return intake_.arrive(unit, envelopeOf(delivery, queue_), delivery.key).claimable;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::Unavailable || error.code() == ErrorCode::Internal) throw;
    const bool undeclared = error.code() == ErrorCode::NotFound;
    why = {undeclared ? "undeclared" : std::string(toString(error.code())), error.what()};
  } catch (const std::exception& error) {  // a host's own check
    why = {"exception", error.what()};
  }
  unit.bury(letterOf(delivery, queue_, "message", why, clock_.now()));
  try {
    intake_.refuse(unit, envelopeOf(delivery, queue_), why);
  } catch (const Error& error) {  // no envelope: nobody asked
    if (error.code() != ErrorCode::Invalid) throw;
  }
  log::warn("a message became a dead letter", {{"queue", queue_}, {"error", why.message}});
  return false;
}

QueueIntake::Result QueueIntake::stepLocal(std::size_t max) {
  Result result;
  store_.commit(Durability::Durable, [&](Unit& unit) {
    result = {};
    const auto now = clock_.now();
    const auto messages = unit.take({.queue = queue_,
                                     .outgoing = false,
                                     .owner = {},
                                     .leaseUntil = now + kRemoteLease,
                                     .max = max,
                                     .now = now});
    for (const auto& message : messages) {
      Delivery delivery;
      delivery.id = message.id;
      delivery.body = message.body;
      result.claimable = takeIn(unit, delivery) || result.claimable;
      (void)unit.remove(message.ref);  // taken in this very transaction
      ++result.messages;
    }
  });
  return result;
}

bool QueueIntake::paused() const {
  bool paused = false;
  store_.read([&](Snapshot& snapshot) {
    for (const auto& pause : snapshot.pauses()) {
      paused = paused || (pause.queue == queue_ && pause.type.empty());
    }
  });
  return paused;
}

QueueIntake::Result QueueIntake::stepRemote(std::size_t max, Duration wait) {
  const auto began = clock_.steady();
  if (paused()) {
    askedAt_ = began;  // as far as this program is concerned
    failure_.set({});
    return {};
  }
  const auto limit = std::min(max, batchMax());
  std::vector<Delivery> deliveries;
  try {
    deliveries = transport_->receive(limit, kRemoteLease, wait);
  } catch (const std::exception& error) {
    failure_.set(error.what());
    askedAt_ = began;
    throw;
  }
  failure_.set({});
  full_ = deliveries.size() >= batchMax();
  askedAt_ = deliveries.empty() ? began : Duration::min();
  if (deliveries.empty()) return {};
  passSeam(Seam::listener_after_receive);
  Result result;
  store_.commit(Durability::Durable, [&](Unit& unit) {
    result = {};
    for (const auto& delivery : deliveries) {
      result.claimable = takeIn(unit, delivery) || result.claimable;
      ++result.messages;
    }
  });
  passSeam(Seam::listener_after_intake);
  std::vector<std::string> receipts;
  for (const auto& delivery : deliveries) receipts.push_back(delivery.receipt);
  // A lease that ended first brings it again, and the command row absorbs it.
  (void)transport_->ackAll(receipts);
  passSeam(Seam::listener_after_ack);
  return result;
}

}  // namespace tether::flow
