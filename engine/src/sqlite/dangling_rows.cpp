#include "sqlite/dangling_rows.hpp"

#include <sqlite3.h>

#include <algorithm>

#include "tether/error.hpp"

namespace tether::sqlite {

namespace {

constexpr std::size_t kRowsMax = 1000;  // of a table that lost all its parents
constexpr int kStepsMax = 5'000'000;    // of SQLite, about 100 ms: everybody's writes wait

}  // namespace

DanglingRows DanglingRows::read(Connection& connection) {
  DanglingRows all;
  {
    auto found = connection.query("SELECT name FROM sqlite_schema WHERE type = 'table'");
    for (bool more = found.first(); more; more = found.step()) all.tables_.insert(found.text(0));
  }
  for (const auto& table : all.tables_) all.readTable(connection, table);
  return all;
}

void DanglingRows::readTable(Connection& connection, const std::string& table) {
  try {
    auto rows = connection.query("SELECT parent, rowid FROM pragma_foreign_key_check(?1)");
    for (bool more = rows.first(table); more; more = rows.step()) {
      add(table, rows.text(0), rows.text(1));
    }
  } catch (const Error& error) {
    if (error.code() != ErrorCode::Invalid) throw;
    add(table, error.what(), "");  // what it refers to is no key: any change of it would fail
  }
}

void DanglingRows::add(const std::string& table, const std::string& parent,
                       const std::string& row) {
  auto& broken = broken_[{table, parent}];
  ++broken.count;
  if (broken.rows.size() < kRowsMax) broken.rows.insert(row);
}

std::int64_t DanglingRows::broken() const {
  std::int64_t count = 0;
  for (const auto& [tables, broken] : broken_) count += broken.count;
  return count;
}

void DanglingRows::requireNoMoreThan(const DanglingRows& before) const {
  std::multiset<std::int64_t> renamed;
  for (const auto& [tables, broken] : before.broken_) {
    const bool gone = !tables_.contains(tables.first) || !tables_.contains(tables.second);
    if (gone && !broken_.contains(tables)) renamed.insert(broken.count);
  }
  for (const auto& [tables, broken] : broken_) {
    const auto& [table, parent] = tables;
    const auto known = before.broken_.find(tables);
    if (const auto same = renamed.lower_bound(broken.count);
        known == before.broken_.end() && same != renamed.end()) {
      renamed.erase(same);
      continue;
    }
    if (known != before.broken_.end() && broken.count <= known->second.count) continue;
    const auto isNew = [&](const std::string& row) {
      return known == before.broken_.end() || known->second.rows.count(row) == 0;
    };
    auto row = std::find_if(broken.rows.begin(), broken.rows.end(), isNew);
    if (row == broken.rows.end()) row = broken.rows.begin();
    throw Error(ErrorCode::Invalid, "afterwards row " + (row->empty() ? "?" : *row) + " of table " +
                                        table + " would refer to nothing in " + parent +
                                        ": let the migration mend or remove it");
  }
}

std::string firstDangling(Connection& connection) {
  const auto tooLong = [](void*) { return 1; };
  // The session sets its own for each scope that it enters.
  sqlite3_progress_handler(connection.handle(), kStepsMax, tooLong, nullptr);
  std::string found;
  try {
    auto row = connection.query(
        "SELECT \"table\", coalesce(rowid, '?'), parent FROM pragma_foreign_key_check");
    if (row.first()) {
      found = ": row " + row.text(1) + " of table " + row.text(0) + " refers to nothing in " +
              row.text(2);
    }
  } catch (const Error&) {
    found.clear();  // it took too long, or what is referred to is no key
  }
  sqlite3_progress_handler(connection.handle(), 0, nullptr, nullptr);
  return found;
}

}  // namespace tether::sqlite
