// What every Transport must do. An implementation passes when its test file says
//
//   #define TETHER_TRANSPORT_NAME "memory"
//   #define TETHER_TRANSPORT theTransport()  // a TransportUnderTest
//   TETHER_TRANSPORT_PROMISES(TETHER_TRANSPORT_TEST)
//
// and each line of the list below is then a test case of its own, "memory: a message is ...". What
// a transport does not promise in features() is skipped, and said.
//
// Not here: retention, which is the store's, and the figures of a batch or a lease over the limit.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conformance/words.hpp"
#include "tether/clock.hpp"
#include "tether/transport.hpp"

#define TETHER_TRANSPORT_PROMISES(TEST)                                                        \
  TEST(delivery, "what was sent is delivered with its id and key and time")                    \
  TEST(deliveryHides, "a delivered message is not delivered again while it is held")           \
  TEST(ackRemoves, "an acked message does not come back")                                      \
  TEST(ackTwice, "an ack given twice does no harm")                                            \
  TEST(ackMany, "many messages are acked at once")                                             \
  TEST(unknownReceipt, "a receipt that names nothing is refused and the queue still works")    \
  TEST(emptyQueue, "an empty queue answers empty when the wait has run out")                   \
  TEST(sendEndsWait, "a send ends the wait of a reader")                                       \
  TEST(endlessWait, "a reader may wait as long as it likes")                                   \
  TEST(leaseEnd, "a message whose lease ended is delivered again and counted")                 \
  TEST(lateAck, "an ack after the lease ended is false and leaves the message alone")          \
  TEST(lateNack, "a nack after the lease ended is false and leaves the message alone")         \
  TEST(lateExtend, "an extend after the lease ended is false and leaves the message alone")    \
  TEST(staleReceipt, "the receipt of an earlier delivery does not touch the later one")        \
  TEST(extendHolds, "an extended lease holds from now on")                                     \
  TEST(extendShortens, "an extend can end a lease sooner")                                     \
  TEST(ackAfterExtend, "the receipt stays good after an extend")                               \
  TEST(nackAtOnce, "a nacked message is seen again at once")                                   \
  TEST(nackLater, "a nacked message is seen again after its delay")                            \
  TEST(nackEndsReceipt, "a nack ends the receipt")                                             \
  TEST(delay, "a delayed message is not seen before it is due")                                \
  TEST(delayEndsInWait, "a message that becomes due ends the wait of a reader")                \
  TEST(delayMax, "the longest delay is taken and a longer one is refused alone")               \
  TEST(batchMax, "the largest batch is sent in one call and answered in its order")            \
  TEST(batchEmpty, "an empty batch sends nothing")                                             \
  TEST(batchKeepsOthers, "a message that can never be sent leaves the others of its batch")    \
  TEST(receiveMax, "a reader gets at most what it asked for and nothing twice")                \
  TEST(sameId, "two messages with one id are two messages")                                    \
  TEST(sentOnPurpose, "what is sent once more on purpose is delivered once more")              \
  TEST(bodies, "a body comes back byte for byte")                                              \
  TEST(bodiesRefused, "a transport of text refuses what is no text")                           \
  TEST(bodyMax, "the largest body is delivered and one byte more is refused")                  \
  TEST(strangeNames, "ids and keys come back as they were sent")                               \
  TEST(receives, "each delivery is counted however the one before ended")                      \
  TEST(orderOneAtATime, "of one key only the first is delivered until it is acked")            \
  TEST(orderOthersGoOn, "other keys and messages without a key go on past a held one")         \
  TEST(orderInBatch, "a batch keeps the order of its keys")                                    \
  TEST(orderNack, "a nacked message comes before the next of its key")                         \
  TEST(orderNackLater, "a message nacked with a delay holds back the rest of its key")         \
  TEST(orderLeaseEnd, "a message whose lease ended comes before the next of its key")          \
  TEST(orderDelayJoins, "a delayed message joins the order of its key when it is due")         \
  TEST(orderDelayWaits, "a due message waits for the one of its key that is held")             \
  TEST(orderDelaysByDue, "delayed messages of a key are delivered in the order they fall due") \
  TEST(readersShare, "many readers share a queue and none gets what another holds")            \
  TEST(readersKeepOrder, "many readers keep the order of each key")                            \
  TEST(readersAndSenders, "readers and senders at once lose nothing")                          \
  TEST(peekLooks, "peek shows what comes next and changes nothing")                            \
  TEST(peekMax, "peek shows at most what was asked for")                                       \
  TEST(peekDue, "peek shows a delayed message when it is due")                                 \
  TEST(counts, "counts tell what is ready and leased and delayed")                             \
  TEST(countsBlocked, "counts tell what is blocked behind its key")                            \
  TEST(countsOldest, "counts tell the age of the oldest message")                              \
  TEST(purge, "purge removes what nobody holds")                                               \
  TEST(purgeAll, "a purge that takes what is held as well leaves nothing")                     \
  TEST(retention, "what nobody took is kept as long as the transport tells")                   \
  TEST(purgeKeepsKey, "a key goes on after a purge")                                           \
  TEST(closeEndsWaits, "close ends the wait of every reader")                                  \
  TEST(closeStays, "after close nothing is received and messages stay")                        \
  TEST(reopen, "messages survive a reopen with their bytes and order and delay")               \
  TEST(reopenLease, "a lease survives a reopen and so does its end")

namespace tether::conformance {

struct TransportUnderTest {
  /// A new, empty queue.
  std::function<std::shared_ptr<Transport>(const Clock&)> make;
  /// The queue that make() made last, after its object has gone. Only for durable transports.
  std::function<std::shared_ptr<Transport>(const Clock&)> reopen = {};
  /// Lets time pass for a far side that has a clock of its own. The tests ask for seconds.
  std::function<void(Duration)> pass = {};
  /// False for an emulator that refuses characters beyond U+FFFF, which the real service takes.
  bool emoji = true;
};

/// One queue and its clock, and the sentences that tests are made of.
class TransportBench {
 public:
  explicit TransportBench(TransportUnderTest subject);

  Transport& queue() { return *queue_; }
  TransportFeatures features() const { return queue_->features(); }
  bool delays() const { return features().delayMax > Duration{0}; }
  bool emoji() const { return subject_.emoji; }
  /// What the transport's clock shows, when that is the one it was made with.
  std::optional<Time> now() const;
  void pass(Duration time);
  void reopen();

  /// Sends one message that must be taken; the body is the id.
  void send(const std::string& id, const std::string& key = "", Duration delay = Duration{0});
  void sendAll(const std::vector<OutgoingMessage>& messages);

  /// What is ready now, without waiting.
  std::vector<Delivery> receive(std::size_t max);
  /// The one message that must be ready.
  Delivery receiveOne();
  /// Acks all that is ready now and what that frees; returns the ids in the order of delivery.
  std::vector<std::string> drain();
  /// Nothing can be received now.
  bool quiet() { return receive(1).empty(); }

 private:
  TransportUnderTest subject_;
  ManualClock clock_;
  std::shared_ptr<Transport> queue_;
};

/// The body is the id.
OutgoingMessage message(const std::string& id, const std::string& key = "");

/// Of every receive() above. Short, because a far side may have to wait for real.
inline constexpr Duration kLease = std::chrono::seconds{2};
/// A wait that a test expects something else to end.
inline constexpr Duration kLongWait = std::chrono::seconds{60};

using Ids = std::vector<std::string>;
Ids idsOf(const std::vector<Delivery>& deliveries);
/// For answers whose order nobody promised.
Ids sorted(Ids ids);

/// False, and said in the test's output, when a transport does not promise it.
bool promised(bool feature);

#define TETHER_TRANSPORT_DECLARE(function, text) void function(TransportBench& bench);
namespace transport_promise {
TETHER_TRANSPORT_PROMISES(TETHER_TRANSPORT_DECLARE)
}
#undef TETHER_TRANSPORT_DECLARE

}  // namespace tether::conformance

#define TETHER_TRANSPORT_TEST(function, text)                    \
  TEST_CASE(TETHER_TRANSPORT_NAME ": " text) {                   \
    tether::conformance::TransportBench bench(TETHER_TRANSPORT); \
    tether::conformance::transport_promise::function(bench);     \
  }
