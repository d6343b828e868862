// dlq show, dlq history: one letter, and what was done to it. See man/tether-dlq.1.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "letters.hpp"
#include "tether/error.hpp"
#include "tether/text.hpp"
#include "views.hpp"

namespace tether::cli {
namespace {

using nlohmann::json;

struct ShowLetterOptions {
  std::string id;
  bool data = false;
  bool attempts = false;
};

struct ShownLetter {
  DeadLetter letter;
  std::optional<CommandState> now;  // of the command: a replay may have ended it otherwise
  std::optional<BlockedKey> blocked;
  std::vector<Attempt> attempts;                          // that led to the letter
  std::optional<std::vector<view::WaitReason>> waitsFor;  // of the command, if it is open
};

ShownLetter loadLetter(Session& session, const std::string& id) {
  auto& store = session.store();
  ShownLetter shown{
      .letter = letterOf(store, id), .now = {}, .blocked = {}, .attempts = {}, .waitsFor = {}};
  store.read([&](Snapshot& snapshot) {
    for (const auto& key : snapshot.blockedKeys()) {
      if (key.letterId == id) shown.blocked = key;
    }
    if (shown.letter.commandId.empty()) return;
    const auto command = snapshot.command(shown.letter.commandId);
    if (!command) return;
    shown.now = command->state;
    shown.attempts = snapshot.attempts(*command);
    if (!isOpen(command->state)) return;
    const auto reasons = view::WaitReasons::take(snapshot, {*command}, session.here());
    shown.waitsFor = reasons.of(*command, session.clock().now());
  });
  std::erase_if(shown.attempts, [&](const Attempt& attempt) {
    return attempt.generation != shown.letter.generation;
  });
  return shown;
}

json recordOf(const ShownLetter& shown, const ShowLetterOptions& options) {
  auto data =
      view::toJson(shown.letter, options.data ? view::Form::WithContent : view::Form::Brief);
  if (shown.now) data["commandState"] = toString(*shown.now);
  if (shown.waitsFor) data["waitsFor"] = view::toJson(*shown.waitsFor);
  if (shown.blocked) {
    data["blocks"] = {{"queue", shown.blocked->queue},
                      {"key", shown.blocked->key},
                      {"waiting", shown.blocked->waiting}};
  }
  if (options.attempts) {
    data["attemptList"] = json::array();
    for (const auto& attempt : shown.attempts) data["attemptList"].push_back(view::toJson(attempt));
  }
  return data;
}

void showToPeople(Printer& print, const ShownLetter& shown, const ShowLetterOptions& options,
                  Time now) {
  const auto& letter = shown.letter;
  Table fields;
  const auto field = [&](const char* name, Cell value) {
    if (!value.text.empty()) fields.rows.push_back({{name, Style::Dim}, std::move(value)});
  };
  const auto at = [&](const char* name, const std::optional<Time>& time) {
    if (time) field(name, fmt::format("{} ({})", toText(*time), whenText(*time, now)));
  };
  field("letter", {letter.id, Style::Strong});
  field("kind", std::string(toString(letter.kind)));
  field("type", letter.type);
  field("queue", letter.queue);
  field("state", std::string(toString(letter.state())));
  field("error", {errorText(letter.error), Style::Bad});
  field("group", letter.group);
  if (!letter.commandId.empty()) {
    field("command", fmt::format("{}{}", letter.commandId,
                                 shown.now ? fmt::format(", {} now", toString(*shown.now)) : ""));
  }
  field("event", letter.eventId);
  field("correlationId", letter.correlationId);
  if (letter.kind == DeadLetterKind::Command) field("attempts", std::to_string(letter.attempts));
  at("failed", letter.failedAt);
  if (!letter.editedFrom.empty()) field("edited", fmt::format("version {}", letter.version));
  at("replayed", letter.replayedAt);
  at("archived", letter.archivedAt);
  if (shown.blocked) {
    field("blocks",
          {fmt::format("key {} of queue {}: {} waiting", shown.blocked->key, shown.blocked->queue,
                       countText(static_cast<std::size_t>(shown.blocked->waiting), "command")),
           Style::Warning});
  }
  print.table(fields);
  if (options.data) {
    print.line({"body ", letter.body});
    for (const auto& [name, value] : letter.attributes) {
      print.line({"attribute ", name, " ", value});
    }
    if (!letter.editedFrom.empty()) print.line({"edited from ", letter.editedFrom});
  }
  if (options.attempts) print.table(attemptTable(shown.attempts, now));
}

int showLetter(const ShowLetterOptions& options, Session& session) {
  const auto shown = loadLetter(session, options.id);
  auto& print = session.print();
  print.answer("dlq", recordOf(shown, options), [&] {
    if (print.quiet()) return print.line({shown.letter.id});
    showToPeople(print, shown, options, session.clock().now());
  });
  return kDone;
}

// ---- history

struct HistoryOptions {
  std::string id;
  std::string limit = std::to_string(kListMax);
};

int runHistory(const HistoryOptions& options, Session& session) {
  const auto max = countOf("--limit", options.limit, 1);
  const auto now = session.clock().now();
  std::vector<AuditEntry> entries;
  bool known = options.id.empty();
  session.store().read([&](Snapshot& snapshot) {
    entries = snapshot.auditEntries(options.id, max);
    // One that was purged is known by its history.
    known = known || !entries.empty() || snapshot.deadLetter(options.id);
  });
  if (!known) throw Error(ErrorCode::NotFound, "no dead letter " + quote(options.id));

  Listing listing{.schema = "dlq-history", .noun = "actions of an operator"};
  listing.table.header = {"WHEN", "ACTION", "ABOUT", "BY", "FROM", "REASON", "DETAIL"};
  for (const auto& entry : entries) {
    const auto& about = entry.letterId.empty() ? entry.subjectId : entry.letterId;
    listing.data.push_back(view::toJson(entry));
    listing.ids.push_back(about);
    listing.table.rows.push_back(
        {whenText(entry.at, now),
         {entry.action, Style::Strong},
         // A pause may be of one type of its queue only.
         entry.letterId.empty() && !entry.type.empty() ? about + " " + entry.type : about,
         entry.by.name,
         entry.by.from,
         entry.by.reason,
         entry.detail});
  }
  Filter filter;
  filter.limit = max;
  return answerListing(session, listing, filter);
}

}  // namespace

void addDlqShow(const Verb& noun, Action& chosen) {
  auto options = std::make_shared<ShowLetterOptions>();
  const auto verb = addVerb(noun, "show", "Show one dead letter and what became of it",
                            "tether dlq show 0199c8e4-7a30-7cc1-9f0e-3d2b5a6c7d8e --data");
  verb.argument("ID", options->id, "Id of the dead letter").required();
  verb.flag("--data", options->data, "Show its content, and what it was before an edit");
  verb.flag("--attempts", options->attempts, "Show each attempt that led to it");
  onChosen(verb, chosen, std::move(options), &showLetter);
}

void addDlqHistory(const Verb& noun, Action& chosen) {
  auto options = std::make_shared<HistoryOptions>();
  const auto verb =
      addVerb(noun, "history", "List what operators did: when, who, from where and why",
              "tether dlq history --limit 20");
  verb.argument("ID", options->id, "Only to this dead letter, purged ones too");
  verb.option("--limit", options->limit, "At most so many, the newest (default: 50)").value("N");
  onChosen(verb, chosen, std::move(options), &runHistory);
}

}  // namespace tether::cli
