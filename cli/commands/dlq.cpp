// Look at dead letters and replay one. See man/tether-dlq.1.
#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "all.hpp"
#include "selection.hpp"
#include "tether/error.hpp"
#include "tether/text.hpp"
#include "views.hpp"

namespace tether::cli {
namespace {

using nlohmann::json;

json recordOf(const DeadLetter& letter) {
  json record = {{"id", letter.id},
                 {"kind", toString(letter.kind)},
                 {"queue", letter.queue},
                 {"type", letter.type},
                 {"seq", letter.seq},
                 {"generation", letter.generation},
                 {"attempts", letter.attempts},
                 {"error", toJson(letter.error)},
                 {"failedAt", toText(letter.failedAt)}};
  if (!letter.correlationId.empty()) record["correlationId"] = letter.correlationId;
  if (!letter.commandId.empty()) record["commandId"] = letter.commandId;
  if (!letter.eventId.empty()) record["eventId"] = letter.eventId;
  if (letter.replayedAt) record["replayedAt"] = toText(*letter.replayedAt);
  return record;
}

int runList(const Selection& selection, Session& session) {
  const auto now = session.clock().now();
  const auto filter = filterOf(selection, now);
  std::vector<DeadLetter> letters;
  session.store().read([&](Snapshot& snapshot) { letters = snapshot.deadLetters(filter); });

  Listing listing{.schema = "dlq-list", .noun = "dead letters"};
  listing.table.header = {"LETTER", "KIND", "TYPE", "FAILED", "ATTEMPTS", "ERROR"};
  for (const auto& letter : letters) {
    listing.data.push_back(recordOf(letter));
    listing.ids.push_back(letter.id);
    listing.table.rows.push_back({letter.id, std::string(toString(letter.kind)), letter.type,
                                  whenText(letter.failedAt, now), std::to_string(letter.attempts),
                                  errorText(letter.error)});
  }
  return answerListing(session, listing, filter);
}

struct IdOptions {
  std::string id;
};

int runShow(const IdOptions& options, Session& session) {
  std::optional<DeadLetter> letter;
  std::vector<Attempt> attempts;
  session.store().read([&](Snapshot& snapshot) {
    letter = snapshot.deadLetter(options.id);
    if (!letter || letter->commandId.empty()) return;
    if (const auto command = snapshot.command(letter->commandId)) {
      attempts = snapshot.attempts(*command);
    }
  });
  if (!letter) throw Error(ErrorCode::NotFound, "no dead letter " + quote(options.id));
  std::erase_if(attempts,
                [&](const Attempt& attempt) { return attempt.generation != letter->generation; });

  auto data = recordOf(*letter);
  data["body"] = payloadOf(letter->body);
  data["attemptList"] = json::array();
  for (const auto& attempt : attempts) data["attemptList"].push_back(toJson(attempt));

  auto& print = session.print();
  print.answer("dlq", data, [&] {
    const auto now = session.clock().now();
    Table fields;
    const auto field = [&](const char* name, Cell value) {
      if (!value.text.empty()) fields.rows.push_back({{name, Style::Dim}, std::move(value)});
    };
    field("letter", {letter->id, Style::Strong});
    field("kind", std::string(toString(letter->kind)));
    field("type", letter->type);
    field("queue", letter->queue);
    field("error", {errorText(letter->error), Style::Bad});
    field("command", letter->commandId);
    field("event", letter->eventId);
    field("correlationId", letter->correlationId);
    field("failed",
          fmt::format("{} ({})", toText(letter->failedAt), whenText(letter->failedAt, now)));
    if (letter->replayedAt) field("replayed", whenText(*letter->replayedAt, now));
    print.table(fields);
    print.line({"body ", letter->body});
    print.table(attemptTable(attempts, now));
  });
  return kDone;
}

int runReplay(const IdOptions& options, Session& session) {
  const auto receipt = session.engine(false).deadLetters().replay({options.id}, {}).at(0).receipt;
  auto& print = session.print();
  print.answer("dlq-replay", toJson(receipt), [&] {
    if (print.quiet()) return;
    if (receipt.duplicate) {
      print.line({"replayed before: command ", receipt.commandId, " is ", cellOf(receipt.state)});
    } else {
      print.line({"replayed: command ", {receipt.commandId, Style::Strong}, " is on its queue"});
    }
  });
  return kDone;
}

}  // namespace

void addDlq(CLI::App& app, Action& chosen) {
  auto* noun = addNoun(app, "dlq", "Look at dead letters and replay them");

  auto selection = std::make_shared<Selection>();
  auto* list = addVerb(*noun, "list", "List dead letters, newest first",
                       "tether dlq list --type CreateOrder --since 1d");
  addSelection(*list, *selection);
  addErrorOption(*list, *selection);
  addQueueOption(*list, *selection);
  onChosen(list, chosen, std::move(selection), &runList);

  auto showOptions = std::make_shared<IdOptions>();
  auto* show = addVerb(*noun, "show", "Show one dead letter with its content and attempts",
                       "tether dlq show 0199c8e4-7a30-7cc1-9f0e-3d2b5a6c7d8e");
  show->add_option("ID", showOptions->id, "Id of the dead letter")->required()->type_name("");
  onChosen(show, chosen, std::move(showOptions), &runShow);

  auto replayOptions = std::make_shared<IdOptions>();
  auto* replay = addVerb(*noun, "replay", "Put the command of a dead letter back on its queue",
                         "tether dlq replay 0199c8e4-7a30-7cc1-9f0e-3d2b5a6c7d8e");
  replay->add_option("ID", replayOptions->id, "Id of the dead letter")->required()->type_name("");
  onChosen(replay, chosen, std::move(replayOptions), &runReplay);
}

}  // namespace tether::cli
