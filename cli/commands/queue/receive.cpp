// queue receive, ack, nack: take messages by hand. See man/tether-queue.1.
#include <fmt/format.h>

#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "queues.hpp"
#include "tether/error.hpp"
#include "tether/text.hpp"
#include "tether/waits_for.hpp"

namespace tether::cli {
namespace {

using nlohmann::json;

/// How long a message is held while it is printed: until then it is lost to others if this dies.
constexpr Duration kWhilePrinting = std::chrono::minutes{1};

constexpr const char* kListenInstead = "they are run by 'tether listen'; to look use 'queue peek'";

struct ReceiveOptions {
  std::string queue;
  std::string max = "1";
  std::string lease;
  std::string wait = "0s";
};

void show(Printer& print, const std::vector<Delivery>& deliveries, const std::string& queue,
          bool leased, bool toTerminal, Time now) {
  for (const auto& delivery : deliveries) {
    const auto receipt = leased ? writeReceipt(queue, delivery.receipt) : std::string();
    if (print.quiet() && !leased && !toTerminal) {  // to a program: byte for byte
      print.text(delivery.body + '\n');
      continue;
    }
    if (print.quiet()) {
      print.line({leased ? receipt : delivery.body});
      continue;
    }
    print.line(
        {{delivery.id, Style::Strong},
         {fmt::format("  sent {}{}{}", whenText(delivery.sentAt, now),
                      delivery.key.empty() ? "" : ", key " + delivery.key,
                      delivery.receives > 1 ? fmt::format(", delivery {}", delivery.receives) : ""),
          Style::Dim}});
    print.line({"  ", delivery.body});
    if (leased) print.line({"  receipt ", {receipt, Style::Strong}});
  }
}

/// The store keeps a pause; a queue elsewhere does not know of it.
void requireNotPaused(Session& session, const std::string& queue) {
  session.store().read([&](Snapshot& snapshot) {
    for (const auto& pause : snapshot.pauses()) {
      if (pause.queue != queue || !pause.type.empty()) continue;
      throw Error(ErrorCode::NotFound, fmt::format("queue {} is paused {}", queue,
                                                   view::describe(pause, session.clock().now())));
    }
  });
}

/// A longer time would silently be cut.
void requireWithin(const char* option, Duration time, Transport& queue, const std::string& name) {
  const auto most = queue.features().leaseMax;
  if (most == Duration{0} || time <= most) return;
  throw Error(ErrorCode::Invalid, fmt::format("{}: {} is over the limit of {} of queue {}", option,
                                              toText(time), toText(most), name));
}

int runReceive(const ReceiveOptions& options, Session& session) {
  const auto max = countOf("--max", options.max, 1);
  const bool leased = !options.lease.empty();
  const auto lease = leased ? durationOf("--lease", options.lease) : kWhilePrinting;
  const auto wait = durationOf("--wait", options.wait);
  const auto queue = openForMessages(session, options.queue, kListenInstead);
  requireWithin("--lease", lease, *queue, options.queue);
  requireNotPaused(session, options.queue);

  const auto deliveries = queue->receive(max, lease, wait);
  if (deliveries.empty()) {
    throw Error(ErrorCode::NotFound, fmt::format("queue {} has nothing ready", options.queue));
  }
  auto data = json::array();
  for (const auto& delivery : deliveries) {
    auto record = view::toJson(delivery);
    if (leased) record["receipt"] = writeReceipt(options.queue, delivery.receipt);
    data.push_back(std::move(record));
  }
  auto& print = session.print();
  try {
    print.answer("queue-receive", data, [&] {
      show(print, deliveries, options.queue, leased, session.streams().outIsTerminal,
           session.clock().now());
    });
    print.flush();
  } catch (...) {  // nobody has them: they are there again at once
    for (const auto& delivery : deliveries) {
      std::ignore = queue->nack(delivery.receipt, Duration{0});
    }
    throw;
  }
  if (leased) return kDone;

  for (const auto& delivery : deliveries) {
    if (!queue->ack(delivery.receipt)) {
      print.warn(fmt::format("message {} was not deleted: printing took longer than {}",
                             delivery.id, toText(kWhilePrinting)));
    }
  }
  return kDone;
}

struct SettleOptions {
  std::vector<std::string> receipts;
  std::string delay = "0s";
};

using Settle = bool (*)(Transport& queue, const std::string& receipt, Duration delay);

int settleAll(const SettleOptions& options, Session& session, const char* schema, Settle settle) {
  const auto delay = durationOf("--delay", options.delay);
  std::vector<QueueReceipt> receipts;
  for (const auto& text : options.receipts) receipts.push_back(readReceipt(text));

  auto data = json::array();
  std::vector<Diagnostic> lost;
  std::map<std::string, std::shared_ptr<Transport>> queues;
  for (const auto& [name, receipt] : receipts) {
    auto& queue = queues[name];
    if (!queue) queue = openForMessages(session, name, kListenInstead);
    requireWithin("--delay", delay, *queue, name);
    const bool done = settle(*queue, receipt, delay);
    data.push_back({{"receipt", writeReceipt(name, receipt)}, {"done", done}});
    if (!done) {
      lost.push_back(
          {"conflict", fmt::format("the lease of {} has ended", writeReceipt(name, receipt))});
    }
  }
  session.print().answer(
      schema, data, [] {}, lost.empty() ? Verdict::Pass : Verdict::Fail, lost);
  if (lost.empty()) return kDone;
  return lost.size() == receipts.size() ? kConflict : kPartial;
}

int runAck(const SettleOptions& options, Session& session) {
  return settleAll(options, session, "queue-ack",
                   [](Transport& queue, const std::string& receipt, Duration /*delay*/) {
                     return queue.ack(receipt);
                   });
}

int runNack(const SettleOptions& options, Session& session) {
  return settleAll(options, session, "queue-nack",
                   [](Transport& queue, const std::string& receipt, Duration delay) {
                     return queue.nack(receipt, delay);
                   });
}

}  // namespace

void addQueueReceive(const Verb& noun, Action& chosen) {
  auto options = std::make_shared<ReceiveOptions>();
  const auto verb = addVerb(noun, "receive", "Take messages: show and delete, or lease them",
                            "tether queue receive events --max 10 --lease 1m");
  verb.argument("QUEUE", options->queue, "Name of the queue").required();
  verb.option("--max", options->max, "At most so many (default 1)").value("N");
  verb.option("--lease", options->lease, "Do not delete; hold them so long for ack or nack")
      .value("DURATION");
  verb.option("--wait", options->wait, "Wait at most so long for one (default 0s)")
      .value("DURATION");
  onChosen(verb, chosen, std::move(options), &runReceive);
}

void addQueueAck(const Verb& noun, Action& chosen) {
  auto options = std::make_shared<SettleOptions>();
  const auto verb = addVerb(noun, "ack", "Delete messages that were received with a lease",
                            "tether queue ack \"$receipt\"");
  verb.argument("RECEIPT", options->receipts, "What receive --lease printed").required();
  onChosen(verb, chosen, std::move(options), &runAck);
}

void addQueueNack(const Verb& noun, Action& chosen) {
  auto options = std::make_shared<SettleOptions>();
  const auto verb = addVerb(noun, "nack", "Give messages back that were received with a lease",
                            "tether queue nack \"$receipt\" --delay 30s");
  verb.argument("RECEIPT", options->receipts, "What receive --lease printed").required();
  verb.option("--delay", options->delay, "To be seen again after this time (default 0s)")
      .value("DURATION");
  onChosen(verb, chosen, std::move(options), &runNack);
}

}  // namespace tether::cli
