// A Transport carries messages through one queue. It promises at-least-once delivery and nothing
// more: order, durability and the rest are told by features(), and the conformance suite
// (tests/conformance) holds every implementation to what it tells.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tether/clock.hpp"

namespace tether {

/// What goes onto a queue.
struct OutgoingMessage {
  std::string id;    // the sender's; used to drop duplicates only where features() says so
  std::string body;  // any bytes, or text where features() says so
  std::string key;   // empty: unordered
  Duration delay{0};
  /// Not 0: it is sent once more on purpose, and is no duplicate of what had another number.
  std::int64_t again = 0;
};

/// The answer for one message of a batch, in the order of the batch.
struct SendResult {
  enum class Kind { Sent, Transient, Permanent };
  Kind kind = Kind::Sent;
  std::string error;  // why not; empty when sent
};

/// A message in the hands of one reader until it is acked, nacked or its lease ends.
struct Delivery {
  std::string id;
  std::string body;
  std::string key;
  std::string receipt;  // opaque; names this delivery, not the message
  int receives = 0;     // this one included
  Time sentAt;
  /// What a stranger set beside the body; binary values are base64.
  std::map<std::string, std::string> attributes{};
};

struct QueueCounts {
  std::int64_t ready = 0;
  std::int64_t leased = 0;
  std::int64_t delayed = 0;  // not due yet
  std::int64_t blocked = 0;  // behind another message of their key, or paused
  std::optional<Time> oldest;

  bool operator==(const QueueCounts&) const = default;
};

struct TransportFeatures {
  bool durable = false;  // survives the process
  /// Messages of one key are delivered in the order sent, and none while another reader's is held.
  bool ordered = false;
  bool peekable = false;  // peek() sees without receiving
  std::size_t batchMax = 1;
  std::size_t bodyBytesMax = 0;  // 0: not told
  Duration delayMax{0};
  Duration leaseMax{0};
  /// What nobody took for so long is gone; 0: it stays (a local queue is cleared by its engine).
  Duration retention{0};
  // Where a far side has rules of its own:
  bool textOnly = false;         // a body is UTF-8, without control characters, and not empty
  bool dropsDuplicates = false;  // of one id, body and `again`, only the first is kept for minutes
  bool lateAcks = false;         // a receipt may still do something after its lease has ended
  bool roughCounts = false;      // counts() estimates, and takes delayed nacks for leased
  bool purgesHeld = false;       // purge() takes what somebody holds as well, and estimates
};

/// Thread safety: every call from any thread. Errors: Unavailable (try again), Invalid (never
/// will).
class Transport {
 public:
  virtual ~Transport() = default;

  virtual TransportFeatures features() const = 0;

  /// One result a message. A call that throws Unavailable may still have sent some: send again.
  virtual std::vector<SendResult> send(std::span<const OutgoingMessage> messages) = 0;

  /// Waits at most `wait` for 1 to `max` messages and leases them for `lease`. An empty answer is
  /// not an error: the wait ran out, or close() was called.
  virtual std::vector<Delivery> receive(std::size_t max, Duration lease, Duration wait) = 0;

  /// Removes the message. False: the lease had ended, another reader may hold it now.
  [[nodiscard]] virtual bool ack(const std::string& receipt) = 0;

  /// The same for many, with one answer for each in their order; one by one unless the transport
  /// knows better. When it throws, some may be acked.
  [[nodiscard]] virtual std::vector<bool> ackAll(std::span<const std::string> receipts);

  /// Gives the message back, to be seen again after `delay`. False as for ack.
  [[nodiscard]] virtual bool nack(const std::string& receipt, Duration delay) = 0;

  /// Lets the lease end at now + `lease`. False as for ack.
  [[nodiscard]] virtual bool extend(const std::string& receipt, Duration lease) = 0;

  /// Looks at up to `max` messages in the order of delivery: consumes, leases and counts nothing.
  virtual std::vector<Delivery> peek(std::size_t max) = 0;

  virtual QueueCounts counts() = 0;

  /// Removes every message that nobody holds; returns how many.
  virtual std::int64_t purge() = 0;

  /// Wakes and ends every receive(), now and from now on. Messages stay.
  virtual void close() = 0;
};

}  // namespace tether
