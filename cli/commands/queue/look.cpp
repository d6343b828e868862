// queue list, queue peek: nothing here consumes, leases or counts. See man/tether-queue.1.
#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>

#include "queues.hpp"
#include "tether/error.hpp"
#include "tether/sqs.hpp"
#include "tether/text.hpp"
#include "tether/waits_for.hpp"

namespace tether::cli {
namespace {

using nlohmann::json;

struct ListQueuesOptions {};

struct Side {
  KnownQueue queue;
  QueueInfo info;
  bool away = false;  // what SQS says of it
};

std::optional<QueueInfo> askSqs(const KnownQueue& queue, Printer& print) {
  try {
    const auto report = inspectSqsQueue(queue.address, kLookAtSqsAtMost);
    QueueInfo info;
    info.name = queue.name;
    info.counts = {report.ready, report.leased, report.delayed, 0, {}};
    return info;
  } catch (const Error& error) {
    print.note(fmt::format("queue {}: {}", queue.name, error.what()));
    return {};
  }
}

/// A queue that is mapped elsewhere may also have messages here: those that were taken in, or that
/// wait for the relay. Each side is a line, and what is there is one.
std::vector<Side> sidesOf(Session& session) {
  std::vector<Side> sides;
  std::vector<QueueInfo> infos;
  session.store().read([&](Snapshot& snapshot) { infos = snapshot.queues(); });
  for (const auto& queue : knownQueues(session)) {
    const auto first = sides.size();
    for (const auto& info : infos) {
      if (info.name != queue.name) continue;
      sides.push_back({queue, info});
    }
    if (isSqs(queue)) {
      if (const auto there = askSqs(queue, session.print())) sides.push_back({queue, *there, true});
    }
    if (sides.size() == first) {
      QueueInfo empty;
      empty.name = queue.name;
      sides.push_back({queue, empty});
    }
    // One side alone may not know it.
    for (auto at = first; at < sides.size(); ++at) sides[at].info.commands = queue.commands;
  }
  return sides;
}

json pausesOf(const std::vector<Pause>& pauses, const std::string& queue) {
  auto records = json::array();
  for (const auto& one : pauses) {
    if (one.queue == queue) records.push_back(view::toJson(one));
  }
  return records;
}

Table pauseTable(const std::vector<Pause>& pauses, Time now) {
  Table table{{"PAUSED", "TYPE", "WHY"}, {}};
  for (const auto& one : pauses) {
    table.rows.push_back({{one.queue, Style::Warning},
                          one.type.empty() ? "all" : one.type,
                          view::describe(one, now)});
  }
  return table;
}

int listQueues(const ListQueuesOptions& /*options*/, Session& session) {
  const auto now = session.clock().now();
  std::vector<Pause> pauses;
  session.store().read([&](Snapshot& snapshot) { pauses = snapshot.pauses(); });
  auto data = json::array();
  Table table{{"QUEUE", "CARRIES", "WHERE", "READY", "LEASED", "DELAYED", "BLOCKED", "OLDEST"}, {}};
  const auto sides = sidesOf(session);
  for (const auto& [queue, info, away] : sides) {
    const auto& counts = info.counts;
    const bool here = isSqs(queue) && !away && !info.outgoing;
    const std::string where = info.outgoing ? "to " + queue.address
                              : here        ? "taken in"
                                            : queue.address;
    auto record = view::toJson(info);
    const auto carries = record.at("carries").get<std::string>();
    record["address"] = queue.address;
    record["away"] = away;
    record["pauses"] = pausesOf(pauses, queue.name);
    data.push_back(std::move(record));
    table.rows.push_back({{queue.name, Style::Strong},
                          carries,
                          where,
                          std::to_string(counts.ready),
                          std::to_string(counts.leased),
                          std::to_string(counts.delayed),
                          std::to_string(counts.blocked),
                          counts.oldest ? whenText(*counts.oldest, now) : ""});
  }
  auto& print = session.print();
  print.answer("queue-list", data, [&] {
    if (!print.quiet()) {
      print.table(table);
      print.table(pauseTable(pauses, now));
      return;
    }
    for (const auto& side : sides) print.line({side.queue.name});
  });
  return kDone;
}

struct PeekOptions {
  std::string queue;
  std::string limit = "50";
};

int runPeek(const PeekOptions& options, Session& session) {
  const auto limit = countOf("--limit", options.limit, 1);
  const auto queue = findQueue(session, options.queue);
  std::vector<QueuedMessage> messages;
  session.store().read([&](Snapshot& snapshot) { messages = snapshot.peek(options.queue, limit); });

  const auto now = session.clock().now();
  auto data = json::array();
  for (const auto& message : messages) data.push_back(view::toJson(message));
  auto& print = session.print();
  print.answer("queue-peek", data, [&] {
    for (const auto& message : messages) {
      if (print.quiet()) {
        print.line({message.id});
        continue;
      }
      print.line({{message.id, Style::Strong},
                  {fmt::format("  sent {}{}", whenText(message.sentAt, now),
                               message.key.empty() ? "" : ", key " + message.key),
                   Style::Dim}});
      print.line({"  ", message.body});
    }
    if (messages.empty()) {
      print.note(fmt::format("queue {} has no messages{}", options.queue,
                             isSqs(queue) ? " in this store" : ""));
    }
  });
  if (isSqs(queue)) {
    if (const auto there = askSqs(queue, print)) {
      print.note(
          fmt::format("SQS shows no message without receiving it, which counts towards its redrive "
                      "policy; about "
                      "{} are ready and {} held at {}",
                      there->counts.ready, there->counts.leased, queue.address));
    }
  }
  return kDone;
}

}  // namespace

void addQueueList(const Verb& noun, Action& chosen) {
  const auto verb = addVerb(noun, "list", "List queues, how many messages they have, and pauses",
                            "tether queue list");
  onChosen(verb, chosen, std::make_shared<ListQueuesOptions>(), &listQueues);
}

void addQueuePeek(const Verb& noun, Action& chosen) {
  auto options = std::make_shared<PeekOptions>();
  const auto verb = addVerb(noun, "peek", "Show the next messages without taking them",
                            "tether queue peek events --limit 5");
  verb.argument("QUEUE", options->queue, "Name of the queue").required();
  verb.option("--limit", options->limit, "At most so many (default 50)").value("N");
  onChosen(verb, chosen, std::move(options), &runPeek);
}

}  // namespace tether::cli
