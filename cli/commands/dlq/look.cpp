// dlq list, dlq groups: what failed, one by one and by cause. See man/tether-dlq.1.
#include <fmt/format.h>

#include <memory>

#include "commands/queue/queues.hpp"
#include "letters.hpp"
#include "set_aside.hpp"
#include "tether/error.hpp"
#include "views.hpp"

namespace tether::cli {
namespace {

constexpr Duration kLettersAskAtMost = std::chrono::seconds{3};

/// What SQS has set aside of a queue that was asked for by name: only a letter once it is pulled.
std::vector<Diagnostic> setAsideRemotely(Session& session, const std::string& name) {
  if (name.empty()) return {};
  try {
    for (const auto& queue : knownQueues(session)) {
      if (queue.name != name || !isSqs(queue)) continue;
      const auto redrive = inspectSqsQueue(queue.address, kLettersAskAtMost).redrive;
      const auto aside = setAside(queue.address, redrive, kLettersAskAtMost);
      if (aside) return {{"set_aside", describe(*aside, name)}};
    }
  } catch (const Error& error) {
    return {{"set_aside", fmt::format("what SQS set aside is not known: {}", error.what())}};
  }
  return {};
}

int listLetters(const LetterOptions& options, Session& session) {
  const auto now = session.clock().now();
  auto& store = session.store();
  const auto filter = letterFilter(session, store, options, kListMax);
  std::vector<DeadLetter> letters;
  store.read([&](Snapshot& snapshot) { letters = snapshot.deadLetters(filter); });

  Listing listing{.schema = "dlq-list", .noun = kLetters, .types = TypesOf::Letters};
  listing.table.header = {"LETTER", "TYPE", "FAILED", "ATTEMPTS", "GROUP", "STATE", "ERROR"};
  for (const auto& letter : letters) {
    listing.data.push_back(view::toJson(letter));
    listing.ids.push_back(letter.id);
    listing.table.rows.push_back(
        {letter.id,
         // What is no command says so; a message may have no type at all.
         letter.kind == DeadLetterKind::Command
             ? letter.type
             : std::string(toString(letter.kind)) + (letter.type.empty() ? "" : " " + letter.type),
         whenText(letter.failedAt, now), std::to_string(letter.attempts), letter.group,
         std::string(toString(letter.state())), shortErrorText(letter.error)});
  }
  listing.diagnostics = setAsideRemotely(session, filter.queue);
  return answerListing(session, listing, filter);
}

int runGroups(const LetterOptions& options, Session& session) {
  const auto now = session.clock().now();
  auto& store = session.store();
  const auto filter = letterFilter(session, store, options, kListMax);
  std::vector<DeadLetterGroup> groups;
  store.read([&](Snapshot& snapshot) { groups = snapshot.deadLetterGroups(filter); });

  Listing listing{
      .schema = "dlq-groups", .noun = "groups of dead letters", .types = TypesOf::Letters};
  listing.table.header = {"GROUP", "COUNT", "KIND", "TYPE", "FIRST", "LAST", "SAMPLE", "ERROR"};
  for (const auto& group : groups) {
    listing.data.push_back(view::toJson(group));
    listing.ids.push_back(group.group);
    listing.table.rows.push_back({{group.group, Style::Strong},
                                  std::to_string(group.count),
                                  std::string(toString(group.kind)),
                                  group.type,
                                  whenText(group.firstAt, now),
                                  whenText(group.lastAt, now),
                                  group.sampleId,
                                  shortErrorText(group.error)});
  }
  return answerListing(session, listing, filter);
}

std::shared_ptr<LetterOptions> addLookOptions(const Verb& verb) {
  auto options = std::make_shared<LetterOptions>();
  addIds(verb, options->selection, kLetters);
  addSelection(verb, options->selection);
  addLetterChoices(verb, options->selection);
  addLetterState(verb, options->state);
  return options;
}

}  // namespace

void addDlqList(const Verb& noun, Action& chosen) {
  const auto verb = addVerb(noun, "list", "List dead letters, newest first",
                            "tether dlq list --type CreateOrder --since 1d");
  onChosen(verb, chosen, addLookOptions(verb), &listLetters);
}

void addDlqGroups(const Verb& noun, Action& chosen) {
  const auto verb = addVerb(noun, "groups", "Count dead letters by what went wrong, largest first",
                            "tether dlq groups --since 1d");
  onChosen(verb, chosen, addLookOptions(verb), &runGroups);
}

}  // namespace tether::cli
