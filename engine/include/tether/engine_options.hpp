// What an Engine is made with. Behaviour first, then performance, then what tests replace.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tether/address.hpp"
#include "tether/clock.hpp"
#include "tether/command.hpp"
#include "tether/error_handler.hpp"
#include "tether/ids.hpp"
#include "tether/store.hpp"
#include "tether/transport.hpp"

namespace tether {

/// Opens the far side of a queue that is mapped elsewhere. `address` is the text of the mapping.
/// Called when the engine is made, to learn what it can carry, and again after each stop; what it
/// throws is said when the queue is needed.
using TransportFactory = std::function<std::shared_ptr<Transport>(const std::string& address)>;

/// Opens the store; null: it does not know the address.
using StoreFactory =
    std::function<std::unique_ptr<Store>(const StoreOptions& options, const Clock& clock)>;

/// The Engine's constructor judges them: Invalid with the name of what is out of its range.
struct EngineOptions {
  StoreAddress store{};           // a file, ":memory:", or what `stores` opens
  bool create = true;             // make the store when it is missing
  std::string source = "tether";  // CloudEvents source of what this engine makes
  /// The application's own tables, applied when the engine opens.
  std::vector<Migration> migrations{};
  /// Where each queue goes: "local", "memory", or an address: sqs://, and what `transports` opens.
  std::map<std::string, QueueAddress> queues = {{"commands", "local"}, {"events", "local"}};
  /// Local for a queue that is not mapped.
  const QueueAddress& addressOf(const std::string& queue) const {
    static const QueueAddress kLocal;
    const auto mapped = queues.find(queue);
    return mapped == queues.end() ? kLocal : mapped->second;
  }
  std::vector<std::string> listen = {"commands"};  // which of `queues` are read, each once
  /// Permits "commands" in "memory", which forgets accepted commands when the process ends.
  bool volatileCommands = false;
  /// Where other stores send the outcomes of commands that were handed over to a remote queue: a
  /// queue that only this store listens to. Empty: nobody is asked.
  std::string replyTo{};
  Duration resend{0};  // a command that is out for longer goes out again, same id; 0: never
  RetryPolicy retry{};
  Duration timeout = std::chrono::seconds{30};
  Duration hold = std::chrono::seconds{5};
  Duration retention = std::chrono::days{4};  // of unread event messages
  /// How long an idempotency key is kept after its command was accepted, once that has ended; 0: as
  /// long as the command is.
  Duration idempotency{0};
  Breaker breaker{};  // of every command type that has none of its own
  /// How long remote queues that are listened to may still deliver a message again: what failed
  /// longer ago is replayed only when that is allowed. 0: there is none.
  Duration dedupWindow{0};

  int workers = 8;                                 // threads for prepare()
  std::size_t prefetch = 256;                      // commands claimed at once at most
  std::size_t relayBatch = 100;                    // messages in the hands of one relay of a queue
  Duration poll = std::chrono::milliseconds{500};  // the safety net below the wake-up hints
  Checkpoints checkpoints = Checkpoints::Own;      // who checkpoints the store's log
  /// How long a remote queue that had nothing may let the next poll wait; its address may say less.
  Duration idlePoll = std::chrono::seconds{20};
  /// How long a process on another machine, or in another container, may be silent before what it
  /// holds is taken over. On this machine a process that lives keeps what it holds.
  Duration ownerLease = std::chrono::seconds{30};

  /// These are asked first, for every store and every remote queue; null, or when one returns null,
  /// the engine opens what adapters.hpp knows, and anything else is Unsupported.
  TransportFactory transports{};
  StoreFactory stores{};
  Clock* clock = nullptr;    // null: the machine's
  Random* random = nullptr;  // null: the system's
  /// Told of every command that ended here, after the commit, on the writer thread, for which
  /// everybody waits: keep it short. It may submitAsync(), but neither submit() nor stop().
  std::function<void(const Command&)> onEnded{};
  /// Asked on the writer thread before commands are claimed; false holds them back, and it is asked
  /// again within `poll`. For a host that cannot keep up with onEnded.
  std::function<bool()> takesMore{};
};

}  // namespace tether
