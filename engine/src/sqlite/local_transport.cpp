#include "sqlite/local_transport.hpp"

#include <algorithm>
#include <charconv>

#include "tether/error.hpp"

namespace tether::sqlite {

namespace {

constexpr std::size_t kBodyBytesMax = 1024 * 1024;
constexpr std::int64_t kPurgePage = 4000;  // of one commit: others write between two of them
constexpr Duration kDelayMax = std::chrono::days{365};
constexpr Duration kLeaseMax = std::chrono::hours{12};
// A lease may end or a delay run out without a commit that would wake the reader.
constexpr Duration kLookAgain = std::chrono::milliseconds{100};

std::string toReceipt(const MessageRef& ref) {
  return std::to_string(ref.queue) + "-" + std::to_string(ref.seq) + "-" +
         std::to_string(ref.fence);
}

MessageRef parseReceipt(const std::string& receipt) {
  MessageRef ref;
  std::int64_t* fields[] = {&ref.queue, &ref.seq, &ref.fence};
  const char* at = receipt.data();
  const char* end = at + receipt.size();
  for (auto* field : fields) {
    const auto [next, error] = std::from_chars(at, end, *field);
    if (error != std::errc()) throw Error(ErrorCode::Invalid, "not a receipt: " + receipt);
    at = next == end ? next : next + 1;
  }
  return ref;
}

Delivery toDelivery(const QueuedMessage& message) {
  return {message.id,       message.body,  message.key, toReceipt(message.ref),
          message.receives, message.sentAt};
}

}  // namespace

TransportFeatures LocalTransport::features() const {
  return {.durable = durable_,
          .ordered = true,
          .peekable = true,
          .batchMax = 256,
          .bodyBytesMax = kBodyBytesMax,
          .delayMax = kDelayMax,
          .leaseMax = kLeaseMax};
}

std::vector<SendResult> LocalTransport::send(std::span<const OutgoingMessage> messages) {
  std::vector<SendResult> results;
  for (const auto& message : messages) {
    if (message.body.size() > kBodyBytesMax) {
      results.push_back({SendResult::Kind::Permanent, "the body is larger than 1 MiB"});
    } else if (message.delay > kDelayMax) {
      results.push_back({SendResult::Kind::Permanent, "the delay is longer than 365 days"});
    } else {
      results.push_back({});
    }
  }
  store_.commit(Durability::Durable, [&](Unit& unit) {
    for (std::size_t i = 0; i < messages.size(); ++i) {
      if (results[i].kind == SendResult::Kind::Sent) unit.send(queue_, messages[i], clock_.now());
    }
  });
  return results;
}

std::vector<Delivery> LocalTransport::receive(std::size_t max, Duration lease, Duration wait) {
  using Steady = std::chrono::steady_clock;
  const auto began = Steady::now();
  std::vector<QueuedMessage> taken;
  for (;;) {
    const auto seen = store_.changeCount();
    if (closed_) return {};
    store_.commit(Durability::Deferred, [&](Unit& unit) {
      const auto now = clock_.now();
      taken = unit.take({.queue = queue_,
                         .outgoing = false,
                         .owner = {},
                         .leaseUntil = now + std::min(lease, kLeaseMax),
                         .max = max,
                         .now = now});
    });
    if (!taken.empty()) break;
    const auto left = wait - std::chrono::floor<Duration>(Steady::now() - began);
    if (left <= Duration{0}) break;
    store_.waitForChange(seen, std::min(left, kLookAgain));
  }
  std::vector<Delivery> deliveries;
  for (const auto& message : taken) deliveries.push_back(toDelivery(message));
  return deliveries;
}

bool LocalTransport::ack(const std::string& receipt) {
  bool done = false;
  store_.commit(Durability::Deferred,
                [&](Unit& unit) { done = unit.remove(parseReceipt(receipt)); });
  return done;
}

bool LocalTransport::nack(const std::string& receipt, Duration delay) {
  bool done = false;
  store_.commit(Durability::Deferred, [&](Unit& unit) {
    done = unit.giveBack(parseReceipt(receipt), clock_.now() + delay);
  });
  return done;
}

bool LocalTransport::extend(const std::string& receipt, Duration lease) {
  bool done = false;
  store_.commit(Durability::Deferred, [&](Unit& unit) {
    done = unit.extend(parseReceipt(receipt), clock_.now() + std::min(lease, kLeaseMax));
  });
  return done;
}

std::vector<Delivery> LocalTransport::peek(std::size_t max) {
  std::vector<Delivery> deliveries;
  store_.read([&](Snapshot& snapshot) {
    for (const auto& message : snapshot.peek(queue_, max)) {
      deliveries.push_back(toDelivery(message));
    }
  });
  return deliveries;
}

QueueCounts LocalTransport::counts() {
  QueueCounts counts;
  store_.read([&](Snapshot& snapshot) {
    for (const auto& queue : snapshot.queues()) {
      if (queue.name == queue_ && !queue.outgoing) counts = queue.counts;
    }
  });
  return counts;
}

std::int64_t LocalTransport::purge() {
  std::int64_t removed = 0;
  for (std::int64_t page = kPurgePage; page == kPurgePage; removed += page) {
    store_.commit(Durability::Durable,
                  [&](Unit& unit) { page = unit.purge(queue_, clock_.now(), kPurgePage); });
  }
  return removed;
}

void LocalTransport::close() {
  closed_ = true;
  store_.interruptWaits();
}

}  // namespace tether::sqlite
