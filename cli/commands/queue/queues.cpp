#include "queues.hpp"

#include <fmt/format.h>

#include <map>

#include "commands/all.hpp"
#include "tether/adapters.hpp"
#include "tether/error.hpp"
#include "tether/sqs.hpp"
#include "tether/text.hpp"

namespace tether::cli {

std::vector<KnownQueue> knownQueues(Session& session) {
  std::map<std::string, KnownQueue> queues;
  const auto entry = [&](const std::string& name) -> KnownQueue& {
    auto& queue = queues[name];
    queue.name = name;
    return queue;
  };
  entry("commands").commands = true;
  entry("events");
  if (session.catalogFile()) {
    const auto options = session.catalog().options();
    for (const auto& [name, address] : options.queues) entry(name).address = address.text();
    for (const auto& name : options.listen) entry(name);
  }
  session.store().read([&](Snapshot& snapshot) {
    for (const auto& info : snapshot.queues()) {
      auto& queue = entry(info.name);
      queue.commands = queue.commands || info.commands;
    }
    for (const auto& pause : snapshot.pauses()) entry(pause.queue);
  });
  std::vector<KnownQueue> list;
  for (auto& [name, queue] : queues) list.push_back(std::move(queue));
  return list;
}

KnownQueue findQueue(Session& session, const std::string& name) {
  std::vector<std::string> names;
  for (auto& queue : knownQueues(session)) {
    if (queue.name == name) return queue;
    names.push_back(queue.name);
  }
  throw Error(
      ErrorCode::NotFound,
      fmt::format("no queue {}{}", quote(name),
                  didYouMean(name, names, "; tether.json declares queues under \"queues\"")));
}

bool isSqs(const KnownQueue& queue) { return isSqsAddress(queue.address); }

std::shared_ptr<Transport> openForMessages(Session& session, const std::string& name,
                                           const std::string& instead) {
  const auto queue = findQueue(session, name);
  if (queue.commands) {
    throw Error(ErrorCode::Invalid, fmt::format("queue {} carries commands; {}", name, instead));
  }
  const QueueAddress address(queue.address);
  if (address.isRemote() && opens(address)) return openTransport(address, session.clock());
  if (!address.isLocal()) {
    throw Error(
        ErrorCode::Unsupported,
        fmt::format("queue {} is mapped to {}, not kept in the store", name, quote(queue.address)));
  }
  return session.store().openQueue(name);
}

std::string writeReceipt(const std::string& queue, const std::string& receipt) {
  return queue + "/" + receipt;
}

QueueReceipt readReceipt(const std::string& text) {
  const auto slash = text.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == text.size()) {
    throw Error(ErrorCode::Invalid,
                fmt::format("{} is no receipt; 'tether queue receive QUEUE --lease 1m' prints them",
                            quote(text)));
  }
  return {text.substr(0, slash), text.substr(slash + 1)};
}

void addQueue(const Verb& tool, Action& chosen) {
  const auto noun = addNoun(tool, "queue", "Look at queues, pause them; send and receive messages");
  addQueueList(noun, chosen);
  addQueuePeek(noun, chosen);
  addQueueReceive(noun, chosen);
  addQueueAck(noun, chosen);
  addQueueNack(noun, chosen);
  addQueueSend(noun, chosen);
  addQueuePurge(noun, chosen);
  addQueuePause(noun, chosen);
  addQueueResume(noun, chosen);
}

}  // namespace tether::cli
