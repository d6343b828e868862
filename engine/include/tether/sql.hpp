// Business SQL inside a command's transaction.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace tether {

/// Text is one or more statements in the store's dialect. Named parameters (:name) are bound from
/// the members of `params` (objects and arrays as JSON text); values are never pasted into the
/// text. Statements are prepared once and kept.
///
/// Refused: transaction control, ATTACH, PRAGMA, a write to Tether's own tables. Inside a command
/// the functions emit, reject, fail, now, correlation_id, command_id and attempt are there as well.
///
/// Errors: Invalid (bad SQL, a parameter that `params` does not have: it is named), TimedOut (over
/// the command's `hold`), Conflict (a constraint), Unavailable. Not thread safe: it belongs to the
/// call it was given to.
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
};

}  // namespace tether
