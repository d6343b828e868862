// Rows that refer to nothing, for what runs while foreign keys are not enforced.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "sqlite/connection.hpp"

namespace tether::sqlite {

class DanglingRows {
 public:
  /// Reads every table that refers to another.
  static DanglingRows read(Connection& connection);

  /// How many rows refer to nothing.
  std::int64_t broken() const;

  /// Throws Invalid, with table and row, when more rows than `before` refer to nothing. A table
  /// that was renamed since may have as many as it had.
  void requireNoMoreThan(const DanglingRows& before) const;

 private:
  /// Of one table that refers to another. Row ids may change when the table is rebuilt, so the
  /// number decides, and the ids only tell which row to name.
  struct Broken {
    std::int64_t count = 0;
    std::set<std::string> rows;  // the first of them
  };
  void readTable(Connection& connection, const std::string& table);
  void add(const std::string& table, const std::string& parent, const std::string& row);

  std::set<std::string> tables_;
  std::map<std::pair<std::string, std::string>, Broken> broken_;  // by table and parent
};

/// ": row 5 of table orders refers to nothing in customers", of any that does; empty when none is
/// found soon.
std::string firstDangling(Connection& connection);

}  // namespace tether::sqlite
