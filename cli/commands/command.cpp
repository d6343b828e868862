// Look at commands. See man/tether-command.1.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "all.hpp"
#include "commands/command/cancel.hpp"
#include "commands/command/resend.hpp"
#include "selection.hpp"
#include "tether/error.hpp"
#include "tether/text.hpp"
#include "views.hpp"

namespace tether::cli {
namespace {

using nlohmann::json;

// ---- list

int listCommands(const Selection& selection, Session& session) {
  const auto now = session.clock().now();
  const auto filter = filterOf(selection, now);
  std::vector<Command> commands;
  view::WaitReasons reasons;
  session.store().read([&](Snapshot& snapshot) {
    commands = snapshot.commands(filter);
    reasons = view::WaitReasons::take(snapshot, commands, session.here());
  });

  Listing listing{.schema = "command-list", .noun = "commands", .types = TypesOf::Commands};
  for (const auto& command : commands) {
    listing.data.push_back(view::toJson(command, reasons, now));
    listing.ids.push_back(command.id);
  }
  listing.table = commandTable(commands, reasons, now);
  return answerListing(session, listing, filter);
}

// ---- show

struct ShowCommandOptions {
  std::string id;
};

struct ShownCommand {
  Command command;
  std::vector<Attempt> attempts;
  std::vector<Event> events;
  view::WaitReasons reasons;
};

ShownCommand loadCommand(Session& session, const std::string& id) {
  std::optional<ShownCommand> shown;
  session.store().read([&](Snapshot& snapshot) {
    auto command = snapshot.command(id);
    if (!command) return;
    shown = ShownCommand{*command,
                         snapshot.attempts(*command),
                         {},
                         view::WaitReasons::take(snapshot, {*command}, session.here())};
    const auto flow = snapshot.flow(command->correlationId);
    if (!flow) return;
    for (const auto& event : flow->events) {
      if (event.commandSeq == command->seq) shown->events.push_back(event);
    }
  });
  if (!shown) throw Error(ErrorCode::NotFound, "no command " + quote(id));
  return *std::move(shown);
}

void showToPeople(Printer& print, const ShownCommand& shown, Time now) {
  const auto& command = shown.command;
  Table fields;
  const auto field = [&](std::string_view name, Cell value) {
    if (value.text.empty()) return;
    fields.rows.push_back({{std::string(name), Style::Dim}, std::move(value)});
  };
  const auto at = [&](const char* name, const std::optional<Time>& time) {
    if (time) field(name, fmt::format("{} ({})", toText(*time), whenText(*time, now)));
  };
  field("command", {command.id, Style::Strong});
  field("type", command.type);
  field("state", cellOf(command.state));
  const auto reasons = shown.reasons.of(command, now);
  const bool running = command.state == CommandState::Running;
  if (running || std::ranges::none_of(reasons, view::isObstacle)) {
    field("waits", shown.reasons.text(command, now));
  }
  for (const auto& reason : reasons) {
    if (view::isObstacle(reason)) {
      field(view::obstacleWord(reason.kind), {reason.message, Style::Warning});
    }
  }
  field("error", errorText(command.error));
  field("correlationId", command.correlationId);
  field("causationId", command.causationId);
  field("key", command.key);
  field("idempotencyKey", command.idempotencyKey);
  if (command.generation > 0) field("generation", std::to_string(command.generation));
  field("attempts", std::to_string(command.attempts));
  at("accepted", command.acceptedAt);
  at("handed over", command.handedOverAt);
  at("ended", command.endedAt);
  print.table(fields);

  print.line({"payload ", command.payload});
  print.table(attemptTable(shown.attempts, now));
  for (const auto& event : shown.events) {
    print.line({"event ", event.id, " ", {event.type, Style::Strong}, " ", event.data});
  }
}

int showCommand(const ShowCommandOptions& options, Session& session) {
  const auto shown = loadCommand(session, options.id);
  const auto now = session.clock().now();
  constexpr auto kForm = view::Form::WithContent;
  auto data = view::toJson(shown.command, shown.reasons, now, kForm);
  data["attemptList"] = json::array();
  for (const auto& attempt : shown.attempts) data["attemptList"].push_back(view::toJson(attempt));
  data["events"] = json::array();
  for (const auto& event : shown.events) data["events"].push_back(view::toJson(event, kForm));
  data["obstacles"] = view::obstaclesOf(shown.reasons.of(shown.command, now));
  auto& print = session.print();
  print.answer("command", data, [&] { showToPeople(print, shown, now); });
  return kDone;
}

// ---- types

struct TypesOptions {};

int runTypes(const TypesOptions&, Session& session) {
  const auto types = session.catalog().commandTypes();
  std::map<std::string, std::int64_t> open;
  try {
    session.store().read([&](Snapshot& snapshot) { open = snapshot.openByType(); });
  } catch (const Error& error) {  // a project without a store has types all the same
    if (error.code() != ErrorCode::NotFound) throw;
  }

  auto data = json::array();
  Table table{.header = {"TYPE", "HANDLER", "OPEN", "KEY", "SCHEMA", "PARAMETERS"}, .rows = {}};
  for (const auto& type : types) {
    const auto count = open.contains(type.name) ? open.at(type.name) : 0;
    data.push_back({{"name", type.name},
                    {"handler", type.handler},
                    {"file", type.file},
                    {"schema", type.schema},
                    {"key", type.key},
                    {"parameters", type.parameters},
                    {"open", count}});
    table.rows.push_back({{type.name, Style::Strong},
                          type.handler == "sql" ? type.file : type.handler,
                          std::to_string(count),
                          type.key,
                          type.schema,
                          fmt::format("{}", fmt::join(type.parameters, " "))});
  }
  auto& print = session.print();
  print.answer("command-types", data, [&] {
    if (!print.quiet()) return print.table(table);
    for (const auto& type : types) print.line({type.name});
  });
  return kDone;
}

}  // namespace

void addCommand(const Verb& tool, Action& chosen) {
  const auto noun = addNoun(tool, "command", "Look at commands, cancel them, send them again");

  auto selection = std::make_shared<Selection>();
  const auto list = addVerb(noun, "list", "List commands, newest first",
                            "tether command list --state dead --since 1h");
  addSelection(list, *selection);
  addStateOption(list, *selection);
  addErrorOption(list, *selection);
  addQueueOption(list, *selection);
  onChosen(list, chosen, std::move(selection), &listCommands);

  auto showOptions = std::make_shared<ShowCommandOptions>();
  const auto show = addVerb(noun, "show", "Show one command with its payload, attempts and events",
                            "tether command show 0199c8e4-7a30-7cc1-9f0e-3d2b5a6c7d8e");
  show.argument("ID", showOptions->id, "Id of the command").required();
  onChosen(show, chosen, std::move(showOptions), &showCommand);

  const auto types =
      addVerb(noun, "types", "List the command types of the project", "tether command types");
  onChosen(types, chosen, std::make_shared<TypesOptions>(), &runTypes);

  addCommandCancel(noun, chosen);
  addCommandResend(noun, chosen);
}

}  // namespace tether::cli
