#include "tether/transaction_command.hpp"

#include <nlohmann/json.hpp>

namespace tether {

void TransactionCommand::prepare(PrepareContext& /*context*/) {}

void AttemptContext::reject(std::string code, std::string message) const {
  throw Rejected(std::move(code), std::move(message));
}

void AttemptContext::fail(std::string code, std::string message,
                          std::optional<Duration> retryAfter) const {
  throw Failed(std::move(code), std::move(message), retryAfter);
}

SqlError::SqlError(ErrorCode code, std::string problem, std::size_t line, std::string_view text)
    // Of a single line everybody knows which it is.
    : Error(code, (text.find('\n') == text.npos ? std::string("sql")
                                                : "sql, line " + std::to_string(line)) +
                      ": " + problem),
      problem_(std::move(problem)),
      line_(line) {}

std::int64_t Sql::run(std::string_view text) { return run(text, nullptr); }

nlohmann::json Sql::query(std::string_view text) { return query(text, nullptr); }

}  // namespace tether
