// Look after the store. See man/tether-store.1.
#include <fmt/format.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "all.hpp"
#include "selection.hpp"
#include "tether/error.hpp"
#include "tether/transaction_command.hpp"
#include "views.hpp"

namespace tether::cli {
namespace {

using nlohmann::json;

struct Options {};

std::string bytesText(std::int64_t bytes) {
  if (bytes < 10 * 1024) return fmt::format("{} bytes", bytes);
  if (bytes < 10 * 1024 * 1024) return fmt::format("{} KiB", bytes / 1024);
  return fmt::format("{} MiB", bytes / (1024 * 1024));
}

// ---- status

json recordOf(const StoreInfo& info) {
  json migrations = json::array();
  for (const auto& migration : info.migrations) {
    migrations.push_back({{"name", migration.name},
                          {"checksum", migration.checksum},
                          {"appliedAt", toText(migration.appliedAt)}});
  }
  json record = {{"location", info.location}, {"library", info.library},
                 {"version", info.version},   {"bytes", info.bytes},
                 {"logBytes", info.logBytes}, {"commands", info.commands},
                 {"events", info.events},     {"deadLetters", info.deadLetters},
                 {"lastSeq", info.lastSeq},   {"migrations", std::move(migrations)}};
  if (info.oldestOpen) record["oldestOpen"] = toText(*info.oldestOpen);
  return record;
}

void showToPeople(Printer& print, const StoreInfo& info, Time now) {
  std::string commands;
  for (const auto& [state, count] : info.commands) {
    if (count > 0) commands += fmt::format("{}{} {}", commands.empty() ? "" : ", ", count, state);
  }
  Table table;
  const auto field = [&](const char* name, Cell value) {
    if (!value.text.empty()) table.rows.push_back({{name, Style::Dim}, std::move(value)});
  };
  field("store", {info.location, Style::Strong});
  field("version",
        fmt::format("{}{}", info.version, info.library.empty() ? "" : ", kept by " + info.library));
  field("size", fmt::format("{} and {} of log", bytesText(info.bytes), bytesText(info.logBytes)));
  field("commands", commands.empty() ? "none" : commands);
  if (info.oldestOpen) field("oldest open", whenText(*info.oldestOpen, now));
  field("events", std::to_string(info.events));
  field("dead letters",
        {std::to_string(info.deadLetters), info.deadLetters > 0 ? Style::Bad : Style::Plain});
  for (const auto& migration : info.migrations) {
    field("migration",
          fmt::format("{}, applied {}", migration.name, whenText(migration.appliedAt, now)));
  }
  print.table(table);
}

int answerInfo(Store& store, Session& session, const char* schema) {
  StoreInfo info;
  store.read([&](Snapshot& snapshot) { info = snapshot.info(); });
  auto& print = session.print();
  print.answer(schema, recordOf(info), [&] { showToPeople(print, info, session.clock().now()); });
  return kDone;
}

int runStatus(const Options& /*options*/, Session& session) {
  return answerInfo(session.store(), session, "store-status");
}

// ---- migrate

int runMigrate(const Options& /*options*/, Session& session) {
  return answerInfo(session.engine(true).store(), session, "store-migrate");
}

// ---- verify

int runVerify(const Options& /*options*/, Session& session) {
  const auto damage = session.store().verify();
  auto& print = session.print();
  print.answer(
      "store-verify", {{"sound", damage.empty()}, {"damage", damage}},
      [&] {
        for (const auto& line : damage) print.line({{line, Style::Bad}});
        if (damage.empty() && !print.quiet()) print.line({{"the store is sound", Style::Good}});
      },
      damage.empty() ? Verdict::Pass : Verdict::Fail);
  return damage.empty() ? kDone : kNo;
}

// ---- prune

struct PruneOptions {
  std::string until;
  bool yes = false;
};

/// One page is one commit, so that a long prune never keeps other writers waiting.
constexpr std::size_t kPage = 200;

int runPrune(const PruneOptions& options, Session& session) {
  const auto until = pastTimeOf("--until", options.until, session.clock().now());
  auto& store = session.store();
  session.confirm(
      fmt::format("remove the commands that ended before {}, with their events?", toText(until)),
      options.yes);
  std::int64_t total = 0;
  for (std::int64_t page = -1; page != 0; total += page) {
    store.commit(Durability::Durable, [&](Unit& unit) { page = unit.prune({until, {}, kPage}); });
  }
  if (total == 0) {
    throw Error(ErrorCode::NotFound,
                fmt::format("nothing to remove: no command ended before {} that nothing refers to",
                            toText(until)));
  }
  auto& print = session.print();
  print.answer("store-prune", {{"until", toText(until)}, {"commands", total}}, [&] {
    if (!print.quiet()) print.line({fmt::format("{} commands removed", total)});
  });
  return kDone;
}

// ---- sql

struct SqlOptions {
  std::string statement;
};

constexpr std::size_t kStatementBytesMax = 1024 * 1024;

Cell cellOf(const json& value) {
  if (value.is_null()) return {"NULL", Style::Dim};
  if (value.is_string()) return value.get<std::string>();
  return value.dump();
}

/// The engine blames the permissions of the file: it does not know that this verb only reads.
Error inWordsOfSql(const Error& error) {
  if (std::string_view(error.what()).find("attempt to write a readonly") ==
      std::string_view::npos) {
    return error;
  }
  return {ErrorCode::Invalid,
          "store sql only reads; a change belongs into a command, one of the tables into a "
          "migration"};
}

int runSql(const SqlOptions& options, Session& session) {
  std::string statement = options.statement;
  if (statement == "-") statement = session.read("-", kStatementBytesMax);
  if (statement.starts_with('@')) {
    statement = session.read(statement.substr(1), kStatementBytesMax);
  }
  if (statement.find_first_not_of(" \t\r\n;") == std::string::npos) {
    throw Error(ErrorCode::Invalid, "the SQL statement is empty");
  }
  json rows;
  std::vector<std::string> columns;
  try {
    session.store().read([&](Snapshot& snapshot) {
      auto& sql = snapshot.sql();
      rows = sql.query(statement);
      columns = sql.columns();
    });
  } catch (const Error& error) {
    throw inWordsOfSql(error);
  } catch (const Failed& failed) {  // emit and its like, which speak to a command
    throw Error(ErrorCode::Invalid, failed.what());
  } catch (const Rejected& rejected) {
    throw Error(ErrorCode::Invalid, rejected.what());
  }
  if (columns.empty() && !rows.empty()) {  // then by name
    for (const auto& [name, value] : rows.front().items()) columns.push_back(name);
  }

  Table table;
  table.header = columns;
  for (const auto& row : rows) {
    auto& cells = table.rows.emplace_back();
    for (const auto& name : columns) cells.push_back(cellOf(row.at(name)));
  }
  auto& print = session.print();
  print.answer("store-sql", rows, [&] {
    print.table(table);
    if (rows.empty()) print.note("no rows");
  });
  return kDone;
}

}  // namespace

void addStore(CLI::App& app, Action& chosen) {
  auto* noun = addNoun(app, "store", "Look after the store");

  auto* status = addVerb(*noun, "status", "Show what is in the store", "tether store status");
  onChosen(status, chosen, std::make_shared<Options>(), &runStatus);

  auto* migrate = addVerb(*noun, "migrate", "Make or update the store, apply the migrations",
                          "tether store migrate");
  onChosen(migrate, chosen, std::make_shared<Options>(), &runMigrate);

  auto* verify =
      addVerb(*noun, "verify", "Read everything and name all damage", "tether store verify");
  onChosen(verify, chosen, std::make_shared<Options>(), &runVerify);

  auto pruneOptions = std::make_shared<PruneOptions>();
  auto* prune = addVerb(*noun, "prune", "Remove commands that ended long ago",
                        "tether store prune --until 30d --yes");
  prune->add_option("--until", pruneOptions->until, "Ended before; a duration counts back from now")
      ->type_name("TIME")
      ->required();
  prune->add_flag("--yes", pruneOptions->yes, "Do not ask");
  onChosen(prune, chosen, std::move(pruneOptions), &runPrune);

  auto sqlOptions = std::make_shared<SqlOptions>();
  auto* sql = addVerb(*noun, "sql", "Run one statement that only reads",
                      "tether store sql \"SELECT type, count(*) FROM tether_command GROUP BY 1\"");
  sql->add_option("SQL", sqlOptions->statement, "The statement; @FILE or - reads it")
      ->required()
      ->type_name("");
  onChosen(sql, chosen, std::move(sqlOptions), &runSql);
}

}  // namespace tether::cli
