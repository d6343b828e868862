#include <algorithm>
#include <span>

#include "conformance/transport_conformance.hpp"

namespace tether::conformance {

TransportBench::TransportBench(TransportUnderTest subject)
    : subject_(std::move(subject)), queue_(subject_.make(clock_)) {}

std::optional<Time> TransportBench::now() const {
  return subject_.pass ? std::nullopt : std::optional(clock_.now());
}

void TransportBench::pass(Duration time) {
  clock_.advance(time);
  if (subject_.pass) subject_.pass(time);
}

void TransportBench::reopen() {
  queue_.reset();
  queue_ = subject_.reopen(clock_);
}

void TransportBench::send(const std::string& id, const std::string& key, Duration delay) {
  sendAll({{.id = id, .body = id, .key = key, .delay = delay}});
}

void TransportBench::sendAll(const std::vector<OutgoingMessage>& messages) {
  const std::size_t step = features().batchMax;
  for (std::size_t at = 0; at < messages.size(); at += step) {
    const auto batch = std::span(messages).subspan(at, std::min(step, messages.size() - at));
    const auto results = queue_->send(batch);
    REQUIRE(results.size() == batch.size());
    for (const SendResult& result : results) {
      REQUIRE_MESSAGE(result.kind == SendResult::Kind::Sent, result.error);
    }
  }
}

std::vector<Delivery> TransportBench::receive(std::size_t max) {
  return queue_->receive(std::min(max, features().batchMax), kLease, Duration{0});
}

Delivery TransportBench::receiveOne() {
  auto deliveries = receive(1);
  REQUIRE(deliveries.size() == 1);
  return std::move(deliveries.front());
}

Ids TransportBench::drain() {
  Ids ids;
  for (auto batch = receive(10); !batch.empty(); batch = receive(10)) {
    for (const Delivery& delivery : batch) {
      ids.push_back(delivery.id);
      REQUIRE(queue_->ack(delivery.receipt));
    }
  }
  return ids;
}

OutgoingMessage message(const std::string& id, const std::string& key) {
  return {.id = id, .body = id, .key = key};
}

Ids idsOf(const std::vector<Delivery>& deliveries) {
  Ids ids;
  for (const Delivery& delivery : deliveries) ids.push_back(delivery.id);
  return ids;
}

Ids sorted(Ids ids) {
  std::sort(ids.begin(), ids.end());
  return ids;
}

bool promised(bool feature) {
  if (!feature) MESSAGE("skipped: this transport does not promise it");
  return feature;
}

}  // namespace tether::conformance
