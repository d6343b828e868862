// queue pause, queue resume. See man/tether-queue.1.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "commands/unknown_names.hpp"
#include "operator.hpp"
#include "queues.hpp"
#include "tether/error.hpp"
#include "tether/text.hpp"
#include "tether/waits_for.hpp"

namespace tether::cli {
namespace {

using nlohmann::json;

struct PauseOptions {
  std::string queue;
  std::string type;
  std::string reason;
};

/// "queue commands", "CreateOrder on queue commands".
std::string nameOf(const PauseOptions& options) {
  const auto queue = "queue " + options.queue;
  return options.type.empty() ? queue : fmt::format("{} on {}", options.type, queue);
}

/// A type that is misspelt would pause nothing, and nobody would notice.
void checkType(Session& session, const std::string& type) {
  auto types = knownTypes(session, session.store(), TypesOf::Commands);
  session.store().read([&](Snapshot& snapshot) {
    for (const auto& [known, count] : snapshot.openByType()) types.push_back(known);
    for (const auto& pause : snapshot.pauses()) types.push_back(pause.type);
  });
  if (std::ranges::find(types, type) != types.end()) return;
  throw Error(ErrorCode::NotFound,
              fmt::format("no command type {}{}", quote(type),
                          didYouMean(type, types, "; see 'tether command types'")));
}

void check(const PauseOptions& options, Session& session) {
  const auto queue = findQueue(session, options.queue);
  if (!options.type.empty() && queue.commands) checkType(session, options.type);
}

json recordOf(const PauseOptions& options, bool done) {
  json record = {{"queue", options.queue}, {"done", done}};
  if (!options.type.empty()) record["type"] = options.type;
  return record;
}

std::vector<Pause> pausesOf(Session& session, const std::string& queue) {
  std::vector<Pause> pauses;
  session.store().read([&](Snapshot& snapshot) { pauses = snapshot.pauses(); });
  std::erase_if(pauses, [&](const Pause& one) { return one.queue != queue; });
  return pauses;
}

int runPause(const PauseOptions& options, Session& session) {
  check(options, session);
  const bool done = session.operations().pause({options.queue, options.type},
                                               operatorOf(session, options.reason));
  const auto now = session.clock().now();

  auto record = recordOf(options, done);
  std::string before;
  for (const auto& one : pausesOf(session, options.queue)) {
    if (one.type != options.type) continue;
    record["pause"] = view::toJson(one);
    before = view::describe(one, now);
  }
  auto& print = session.print();
  print.answer("queue-pause", record, [&] {
    if (print.quiet()) return;
    print.line({done ? fmt::format("{} is paused", nameOf(options))
                     : fmt::format("{} was paused before: {}", nameOf(options), before)});
  });
  return kDone;
}

/// What else keeps the queue from going on.
std::string stillPaused(const std::vector<Pause>& pauses) {
  std::string text;
  for (const auto& pause : pauses) {
    text += fmt::format("; 'tether queue resume {}{}' ends the pause of {}", pause.queue,
                        pause.type.empty() ? "" : " --type " + pause.type,
                        pause.type.empty() ? "the whole queue" : pause.type);
  }
  return text;
}

int runResume(const PauseOptions& options, Session& session) {
  check(options, session);
  const bool done = session.operations().resume({options.queue, options.type},
                                                operatorOf(session, options.reason));
  const auto others = stillPaused(pausesOf(session, options.queue));
  auto& print = session.print();
  print.answer("queue-resume", recordOf(options, done), [&] {
    if (print.quiet()) return;
    print.line(
        {fmt::format("{} {}{}", nameOf(options), done ? "goes on" : "was not paused", others)});
  });
  return kDone;
}

void addOptions(const Verb& verb, PauseOptions& options) {
  verb.argument("QUEUE", options.queue, "Name of the queue").required();
  verb.option("--type", options.type, "Only commands of this type").value("TYPE");
  verb.option("--reason", options.reason, "Kept, and shown to who asks").value("TEXT");
}

}  // namespace

void addQueuePause(const Verb& noun, Action& chosen) {
  auto options = std::make_shared<PauseOptions>();
  const auto verb =
      addVerb(noun, "pause", "Let nothing of a queue start until it is resumed",
              "tether queue pause commands --type ChargeCard --reason 'bank is down'");
  addOptions(verb, *options);
  onChosen(verb, chosen, std::move(options), &runPause);
}

void addQueueResume(const Verb& noun, Action& chosen) {
  auto options = std::make_shared<PauseOptions>();
  const auto verb = addVerb(noun, "resume", "Let a paused queue go on",
                            "tether queue resume commands --type ChargeCard");
  addOptions(verb, *options);
  onChosen(verb, chosen, std::move(options), &runResume);
}

}  // namespace tether::cli
