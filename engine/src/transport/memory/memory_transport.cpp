#include "tether/memory_transport.hpp"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <unordered_map>
#include <utility>

#include "tether/error.hpp"

namespace tether {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

constexpr TransportFeatures kFeatures{.durable = false,
                                      .ordered = true,
                                      .peekable = true,
                                      .batchMax = 256,
                                      .bodyBytesMax = 1024 * 1024,
                                      .delayMax = std::chrono::days{365},
                                      .leaseMax = std::chrono::hours{12},
                                      .retention = std::chrono::days{4}};

// Nobody signals that the clock jumped or that another reader's lease ended, so a waiting reader
// looks by itself this often.
constexpr Duration kLook = 100ms;

void checkAtMost(const char* what, Duration value, Duration most) {
  if (value > most) {
    throw Error(ErrorCode::Invalid, std::string(what) + " of " + toText(value) +
                                        " is over the limit of " + toText(most));
  }
}

// A message is in exactly one of these places: ready_; held_ and timers_ (leased); timers_
// (delayed); or in none of them (blocked behind the message of its key whose `next` leads to it).
struct Message {
  std::uint64_t number = 0;  // the order of sending
  std::uint64_t place = 0;   // the order of delivery; 0 until a delayed message takes it
  OutgoingMessage content;
  Time sentAt;
  int receives = 0;
  std::string receipt;      // empty unless leased
  Time until;               // when the lease or the delay ends
  Message* next = nullptr;  // of the same key
};

class MemoryTransport final : public Transport {
 public:
  explicit MemoryTransport(const Clock& clock) : clock_(clock) {}

  TransportFeatures features() const override { return kFeatures; }

  std::vector<SendResult> send(std::span<const OutgoingMessage> messages) override {
    if (messages.size() > kFeatures.batchMax) {
      throw Error(ErrorCode::Invalid, "a batch of " + std::to_string(messages.size()) +
                                          " messages is over the limit of " +
                                          std::to_string(kFeatures.batchMax));
    }
    std::vector<SendResult> results;
    results.reserve(messages.size());
    const std::lock_guard lock(mutex_);
    const Time now = endTimers();
    for (const OutgoingMessage& message : messages) {
      results.push_back(check(message));
      if (results.back().kind == SendResult::Kind::Sent) add(message, now);
    }
    wakeOne();
    return results;
  }

  std::vector<Delivery> receive(std::size_t max, Duration lease, Duration wait) override {
    checkAtMost("a lease", lease, kFeatures.leaseMax);
    const auto start = Steady::now();
    std::unique_lock lock(mutex_);
    while (!closed_) {
      const Time now = endTimers();
      if (!ready_.empty()) return deliver(max, now, lease);
      const Duration left = wait - std::chrono::floor<Duration>(Steady::now() - start);
      if (left <= 0s) break;
      const Duration nextEnd = timers_.empty() ? kLook : timers_.begin()->first - now;
      changed_.wait_for(lock, std::min({left, nextEnd, kLook}));
    }
    return {};
  }

  bool ack(const std::string& receipt) override {
    const std::lock_guard lock(mutex_);
    endTimers();
    Message* message = release(receipt);
    if (message == nullptr) return false;
    remove(*message);
    wakeOne();
    return true;
  }

  bool nack(const std::string& receipt, Duration delay) override {
    checkAtMost("a delay", delay, kFeatures.delayMax);
    const std::lock_guard lock(mutex_);
    const Time now = endTimers();
    Message* message = release(receipt);
    if (message == nullptr) return false;
    if (delay > 0s) {
      startTimer(*message, now + delay);
    } else {
      ready_.emplace(message->place, message);
    }
    wakeOne();
    return true;
  }

  bool extend(const std::string& receipt, Duration lease) override {
    checkAtMost("a lease", lease, kFeatures.leaseMax);
    const std::lock_guard lock(mutex_);
    const Time now = endTimers();
    const auto held = held_.find(receipt);
    if (held == held_.end()) return false;
    stopTimer(*held->second);
    startTimer(*held->second, now + lease);
    return true;
  }

  std::vector<Delivery> peek(std::size_t max) override {
    const std::lock_guard lock(mutex_);
    endTimers();
    std::vector<Delivery> seen;
    for (const auto& [place, message] : ready_) {
      if (seen.size() == max) break;
      seen.push_back(toDelivery(*message));
    }
    return seen;
  }

  QueueCounts counts() override {
    const std::lock_guard lock(mutex_);
    endTimers();
    const auto size = [](const auto& container) {
      return static_cast<std::int64_t>(container.size());
    };
    QueueCounts counts;
    counts.ready = size(ready_);
    counts.leased = size(held_);
    counts.delayed = size(timers_) - size(held_);
    counts.blocked = size(messages_) - size(ready_) - size(timers_);
    if (!messages_.empty()) counts.oldest = messages_.begin()->second.sentAt;
    return counts;
  }

  std::int64_t purge() override {
    const std::lock_guard lock(mutex_);
    endTimers();
    std::map<std::uint64_t, Message> kept;
    const std::size_t before = messages_.size();
    ready_.clear();
    timers_.clear();
    lastOfKey_.clear();
    for (const auto& [receipt, message] : held_) {
      message->next = nullptr;
      timers_.emplace(message->until, message->number);
      if (!message->content.key.empty()) lastOfKey_.emplace(message->content.key, message);
      kept.insert(messages_.extract(message->number));
    }
    messages_ = std::move(kept);
    return static_cast<std::int64_t>(before - messages_.size());
  }

  void close() override {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

 private:
  static SendResult check(const OutgoingMessage& message) {
    if (message.body.size() > kFeatures.bodyBytesMax) {
      return {SendResult::Kind::Permanent, "a body of " + std::to_string(message.body.size()) +
                                               " bytes is over the limit of " +
                                               std::to_string(kFeatures.bodyBytesMax)};
    }
    if (message.delay > kFeatures.delayMax) {
      return {SendResult::Kind::Permanent, "a delay of " + toText(message.delay) +
                                               " is over the limit of " +
                                               toText(kFeatures.delayMax)};
    }
    return {};
  }

  static Delivery toDelivery(const Message& message) {
    return {.id = message.content.id,
            .body = message.content.body,
            .key = message.content.key,
            .receipt = message.receipt,
            .receives = message.receives,
            .sentAt = message.sentAt};
  }

  void add(const OutgoingMessage& content, Time now) {
    const std::uint64_t number = ++lastNumber_;
    Message& message = messages_[number];
    message.number = number;
    message.content = content;
    message.sentAt = now;
    if (content.delay > 0s) {
      startTimer(message, now + content.delay);
    } else {
      join(message);
    }
  }

  void join(Message& message) {
    message.place = ++lastPlace_;
    if (!message.content.key.empty()) {
      Message*& last = lastOfKey_[message.content.key];
      Message* before = std::exchange(last, &message);
      if (before != nullptr) {
        before->next = &message;
        return;
      }
    }
    ready_.emplace(message.place, &message);
  }

  std::vector<Delivery> deliver(std::size_t max, Time now, Duration lease) {
    std::vector<Delivery> deliveries;
    while (deliveries.size() < max && !ready_.empty()) {
      Message& message = *ready_.begin()->second;
      ready_.erase(ready_.begin());
      ++message.receives;
      message.receipt = std::to_string(++lastReceipt_);
      held_.emplace(message.receipt, &message);
      startTimer(message, now + lease);
      deliveries.push_back(toDelivery(message));
    }
    wakeOne();
    return deliveries;
  }

  /// Ends a lease by its receipt; null when it had ended.
  Message* release(const std::string& receipt) {
    const auto held = held_.extract(receipt);
    if (held.empty()) return nullptr;
    Message* message = held.mapped();
    message->receipt.clear();
    stopTimer(*message);
    return message;
  }

  void remove(const Message& message) {
    if (message.next != nullptr) {
      ready_.emplace(message.next->place, message.next);
    } else if (!message.content.key.empty()) {
      lastOfKey_.erase(message.content.key);
    }
    messages_.erase(message.number);
  }

  void startTimer(Message& message, Time until) {
    message.until = until;
    timers_.emplace(until, message.number);
  }

  void stopTimer(const Message& message) { timers_.erase({message.until, message.number}); }

  /// Brings the queue up to the clock. Returns the time it now stands at.
  Time endTimers() {
    const Time now = clock_.now();
    while (!timers_.empty() && timers_.begin()->first <= now) {
      Message& message = messages_.at(timers_.begin()->second);
      timers_.erase(timers_.begin());
      if (!message.receipt.empty()) {
        held_.erase(message.receipt);
        message.receipt.clear();
      }
      if (message.place == 0) {
        join(message);
      } else {
        ready_.emplace(message.place, &message);
      }
    }
    forgetOld(now);
    return now;
  }

  void forgetOld(Time now) {
    while (!messages_.empty()) {
      const Message& oldest = messages_.begin()->second;
      if (std::max(oldest.sentAt, oldest.until) + kFeatures.retention > now) return;
      if (ready_.erase(oldest.place) == 0) return;  // somebody will decide about it
      remove(oldest);
    }
  }

  /// Whoever is woken and leaves something ready wakes the next.
  void wakeOne() {
    if (!ready_.empty() || !timers_.empty()) changed_.notify_one();
  }

  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool closed_ = false;
  std::uint64_t lastNumber_ = 0;
  std::uint64_t lastPlace_ = 0;
  std::uint64_t lastReceipt_ = 0;
  std::map<std::uint64_t, Message> messages_;        // by number
  std::map<std::uint64_t, Message*> ready_;          // by place
  std::set<std::pair<Time, std::uint64_t>> timers_;  // when, number
  std::unordered_map<std::string, Message*> held_;   // by receipt
  std::unordered_map<std::string, Message*> lastOfKey_;
};

}  // namespace

std::unique_ptr<Transport> makeMemoryTransport(const Clock& clock) {
  return std::make_unique<MemoryTransport>(clock);
}

}  // namespace tether
