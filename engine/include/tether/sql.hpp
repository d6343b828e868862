// Business SQL inside a command's transaction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "tether/error.hpp"

namespace tether {

/// SQL that is wrong, or failed, and which line of its text says it. A line counts from 1.
class SqlError : public Error {
 public:
  /// `text`: all of it.
  SqlError(ErrorCode code, std::string problem, std::size_t line, std::string_view text);
  std::size_t line() const noexcept { return line_; }
  /// Without the line.
  const std::string& problem() const noexcept { return problem_; }

 private:
  std::string problem_;
  std::size_t line_;
};

/// A statement that writes, in a look at the store.
class NotReading : public SqlError {
 public:
  using SqlError::SqlError;
};

/// Text is one or more statements in the store's dialect. Named parameters (:name) are bound from
/// the members of `params` (objects and arrays as JSON text; where a parameter stands alone as a
/// value of json_object, json_array, json_set, json_insert, json_replace or json_group_*, each as
/// the JSON that it is); values are never pasted into the text. Statements are prepared once and
/// kept.
///
/// Refused: transaction control, ATTACH, PRAGMA, temporary objects, a write to Tether's own tables,
/// a name that begins with tether_. Inside a command the functions emit, reject, fail, now,
/// correlation_id, command_id and attempt are there as well.
///
/// Errors: Invalid (bad SQL, a parameter that `params` does not have: it is named; NotReading) and
/// Conflict (a constraint), both an SqlError where a statement is to blame; TimedOut (over the
/// command's `hold`), Unavailable. Not thread safe: it belongs to the call it was given to.
class Sql {
 public:
  virtual ~Sql() = default;
  /// Runs every statement to its end. Returns the number of rows changed by all of them.
  virtual std::int64_t run(std::string_view text, const nlohmann::json& params) = 0;
  std::int64_t run(std::string_view text);
  /// The rows of the last statement that returns any, as an array of objects by column name.
  /// Errors: Invalid (two columns of one name), before anything of that statement ran.
  virtual nlohmann::json query(std::string_view text, const nlohmann::json& params) = 0;
  nlohmann::json query(std::string_view text);
  /// The column names of the last query(), in the statement's order, also when it gave no rows.
  /// Empty when the store cannot tell.
  virtual std::vector<std::string> columns() const { return {}; }
  /// Throws the first SqlError of the text that can be seen without running it. True: it changes
  /// tables, and what follows that was judged by its syntax alone. A store may be unable to tell.
  virtual bool check(std::string_view /*text*/) { return false; }
};

}  // namespace tether
