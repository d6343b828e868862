// store sql. See man/tether-store.1.
#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "tether/error.hpp"
#include "tether/transaction_command.hpp"
#include "verbs.hpp"

namespace tether::cli {
namespace {

using nlohmann::json;

struct SqlOptions {
  std::string statement;
};

constexpr std::size_t kStatementBytesMax = 1024 * 1024;

Cell valueCell(const json& value) {
  if (value.is_null()) return {"NULL", Style::Dim};
  if (value.is_string()) return value.get<std::string>();
  return value.dump();
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
  } catch (const NotReading&) {
    throw Error(ErrorCode::Invalid,
                "store sql only reads; a change belongs into a command, one of the tables into a "
                "migration");
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
    for (const auto& name : columns) cells.push_back(valueCell(row.at(name)));
  }
  auto& print = session.print();
  print.answer("store-sql", rows, [&] {
    print.table(table);
    if (rows.empty()) print.note("no rows");
  });
  return kDone;
}

}  // namespace

void addStoreSql(const Verb& noun, Action& chosen) {
  auto options = std::make_shared<SqlOptions>();
  const auto verb =
      addVerb(noun, "sql", "Run one statement that only reads",
              "tether store sql \"SELECT type, count(*) FROM tether_command GROUP BY 1\"");
  verb.argument("SQL", options->statement, "The statement; @FILE or - reads it").required();
  onChosen(verb, chosen, std::move(options), &runSql);
}

}  // namespace tether::cli
