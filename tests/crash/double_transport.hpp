// A remote queue for tests: a queue of a second store file, so that it survives the kill, behind a
// wrapper that can fail, lose its answer and fail parts of a batch.
// Address: "double:PATH#QUEUE".
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tether/clock.hpp"
#include "tether/error.hpp"
#include "tether/sqlite_store.hpp"
#include "tether/store.hpp"
#include "tether/transport.hpp"

namespace crash {

/// Every n-th time; 0: never.
struct Faults {
  unsigned callFails = 0;     // a call throws before anything is done
  unsigned answerLost = 0;    // a send throws after everything was sent
  unsigned messageFails = 0;  // a message of a batch: Transient
};

/// Thread safety: every call from any thread.
class DoubleTransport final : public tether::Transport {
 public:
  DoubleTransport(std::shared_ptr<tether::Store> store, const std::string& queue, Faults faults)
      : store_(std::move(store)), queue_(store_->openQueue(queue)), faults_(faults) {}

  tether::TransportFeatures features() const override { return queue_->features(); }

  std::vector<tether::SendResult> send(std::span<const tether::OutgoingMessage> messages) override {
    using Kind = tether::SendResult::Kind;
    failSometimes();
    std::vector<tether::SendResult> results;
    std::vector<tether::OutgoingMessage> accepted;
    for (const auto& message : messages) {
      const bool fails = isTurn(messages_, faults_.messageFails);
      results.push_back({fails ? Kind::Transient : Kind::Sent, fails ? "injected" : ""});
      if (!fails) accepted.push_back(message);
    }
    if (!accepted.empty()) queue_->send(accepted);
    if (isTurn(answers_, faults_.answerLost)) {
      throw tether::Error(tether::ErrorCode::Unavailable, "the answer was lost (injected)");
    }
    return results;
  }

  std::vector<tether::Delivery> receive(std::size_t max, tether::Duration lease,
                                        tether::Duration wait) override {
    failSometimes();
    return queue_->receive(max, lease, wait);
  }

  bool ack(const std::string& receipt) override {
    failSometimes();
    return queue_->ack(receipt);
  }

  bool nack(const std::string& receipt, tether::Duration delay) override {
    failSometimes();
    return queue_->nack(receipt, delay);
  }

  bool extend(const std::string& receipt, tether::Duration lease) override {
    failSometimes();
    return queue_->extend(receipt, lease);
  }

  std::vector<tether::Delivery> peek(std::size_t max) override { return queue_->peek(max); }
  tether::QueueCounts counts() override { return queue_->counts(); }
  std::int64_t purge() override { return queue_->purge(); }
  void close() override { queue_->close(); }

 private:
  static bool isTurn(std::atomic<unsigned>& counter, unsigned every) {
    return every != 0 && ++counter % every == 0;
  }

  void failSometimes() {
    if (!isTurn(calls_, faults_.callFails)) return;
    throw tether::Error(tether::ErrorCode::Unavailable, "no connection (injected)");
  }

  std::shared_ptr<tether::Store> store_;
  std::unique_ptr<tether::Transport> queue_;
  Faults faults_;
  std::atomic<unsigned> calls_{0};
  std::atomic<unsigned> messages_{0};
  std::atomic<unsigned> answers_{0};
};

inline std::shared_ptr<tether::Transport> openDouble(const std::string& address, Faults faults) {
  const std::string scheme = "double:";
  const auto hash = address.find('#');
  if (address.rfind(scheme, 0) != 0 || hash == std::string::npos) {
    throw tether::Error(tether::ErrorCode::Invalid, "not a double:PATH#QUEUE address: " + address);
  }
  const auto path = address.substr(scheme.size(), hash - scheme.size());
  // One store in this process, however many queues of it are used.
  static std::map<std::string, std::shared_ptr<tether::Store>> stores;
  auto& store = stores[path];
  if (!store) {
    tether::SqliteStoreOptions options;
    options.path = path;
    options.create = true;
    store = tether::openSqliteStore(options, tether::systemClock());
  }
  return std::make_shared<DoubleTransport>(store, address.substr(hash + 1), faults);
}

}  // namespace crash
