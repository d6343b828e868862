#include <algorithm>
#include <atomic>
#include <latch>
#include <map>
#include <mutex>
#include <thread>

#include "conformance/transport_conformance.hpp"

namespace tether::conformance::transport_promise {
namespace {

constexpr int kReaders = 4;
constexpr std::size_t kMessages = 200;
constexpr Duration kHold = std::chrono::minutes{1};
// A reader that finds nothing this often in a row reports a lost message instead of hanging.
constexpr int kPatience = 200;

/// Starts readers together and has each ack what it gets, until `total` messages are gone.
/// Returns the ids in the order in which they were delivered, by key.
std::map<std::string, Ids> readAll(Transport& queue, std::size_t total, std::latch& start) {
  std::mutex mutex;
  std::map<std::string, Ids> seen;
  std::atomic<std::size_t> acked = 0;
  const auto read = [&] {
    start.arrive_and_wait();
    for (int empty = 0; acked < total && empty < kPatience; ++empty) {
      const std::size_t max = std::min<std::size_t>(7, queue.features().batchMax);
      for (const Delivery& got : queue.receive(max, kHold, std::chrono::milliseconds{20})) {
        empty = 0;
        {
          const std::lock_guard lock(mutex);
          seen[got.key].push_back(got.id);
        }
        if (queue.ack(got.receipt)) ++acked;
      }
    }
  };
  std::vector<std::jthread> readers;
  for (int reader = 0; reader < kReaders; ++reader) readers.emplace_back(read);
  readers.clear();
  CHECK(acked == total);
  return seen;
}

OutgoingMessage numbered(std::size_t number, const std::string& key) {
  return message(std::to_string(1000 + number), key);
}

}  // namespace

void readersShare(TransportBench& bench) {
  std::vector<OutgoingMessage> messages;
  Ids ids;
  for (std::size_t at = 0; at < kMessages; ++at) {
    messages.push_back(numbered(at, ""));
    ids.push_back(messages.back().id);
  }
  bench.sendAll(messages);
  std::latch start(kReaders);
  CHECK(sorted(readAll(bench.queue(), kMessages, start)[""]) == ids);
  CHECK(bench.queue().counts() == QueueCounts{});
}

void readersKeepOrder(TransportBench& bench) {
  if (!promised(bench.features().ordered)) return;
  std::vector<OutgoingMessage> messages;
  std::map<std::string, Ids> sent;
  for (std::size_t at = 0; at < kMessages; ++at) {
    messages.push_back(numbered(at, "k-" + std::to_string(at % 5)));
    sent[messages.back().key].push_back(messages.back().id);
  }
  bench.sendAll(messages);
  std::latch start(kReaders);
  CHECK(readAll(bench.queue(), kMessages, start) == sent);
}

void readersAndSenders(TransportBench& bench) {
  constexpr std::size_t kSenders = 2;
  Transport& queue = bench.queue();
  std::latch start(kReaders + kSenders);
  std::atomic<std::size_t> sent = 0;
  std::vector<std::jthread> senders;
  for (std::size_t sender = 0; sender < kSenders; ++sender) {
    senders.emplace_back([&, sender] {
      start.arrive_and_wait();
      for (std::size_t at = sender; at < kMessages; at += kSenders) {
        const std::vector<OutgoingMessage> one = {numbered(at, at % 3 == 0 ? "k" : "")};
        if (queue.send(one).at(0).kind == SendResult::Kind::Sent) ++sent;
      }
    });
  }
  const auto seen = readAll(queue, kMessages, start);
  senders.clear();
  CHECK(sent == kMessages);
  std::size_t received = 0;
  for (const auto& [key, ids] : seen) received += ids.size();
  CHECK(received == kMessages);
}

}  // namespace tether::conformance::transport_promise
