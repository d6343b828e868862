// What the verbs of `tether queue` share: which queue is meant, and what may be done with it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app.hpp"
#include "tether/clock.hpp"
#include "tether/transport.hpp"

namespace tether::cli {

/// Looking at a queue on SQS must not hang because a network does.
constexpr Duration kLookAtSqsAtMost = std::chrono::seconds{5};

struct KnownQueue {
  std::string name;
  std::string address = "local";  // where the project maps it to
  bool commands = false;          // carries commands
};

/// Those that the project declares or the store has, by name.
std::vector<KnownQueue> knownQueues(Session& session);

/// Throws NotFound, with the nearest right name.
KnownQueue findQueue(Session& session, const std::string& name);

/// A queue of AWS SQS.
bool isSqs(const KnownQueue& queue);

/// For verbs that put or take messages by hand. Throws Invalid for a queue that carries commands,
/// with `instead` as what to do, and Unsupported for one that is neither in the store nor on SQS.
std::shared_ptr<Transport> openForMessages(Session& session, const std::string& name,
                                           const std::string& instead);

/// What receive --lease prints: the queue's name goes along, so that ack and nack need nothing
/// else.
std::string writeReceipt(const std::string& queue, const std::string& receipt);
struct QueueReceipt {
  std::string queue;
  std::string receipt;
};
/// Throws Invalid.
QueueReceipt readReceipt(const std::string& text);

void addQueueList(const Verb& noun, Action& chosen);
void addQueuePeek(const Verb& noun, Action& chosen);
void addQueueReceive(const Verb& noun, Action& chosen);
void addQueueAck(const Verb& noun, Action& chosen);
void addQueueNack(const Verb& noun, Action& chosen);
void addQueueSend(const Verb& noun, Action& chosen);
void addQueuePurge(const Verb& noun, Action& chosen);
void addQueuePause(const Verb& noun, Action& chosen);
void addQueueResume(const Verb& noun, Action& chosen);

}  // namespace tether::cli
