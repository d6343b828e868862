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

std::int64_t Sql::run(std::string_view text) { return run(text, nlohmann::json::object()); }

nlohmann::json Sql::query(std::string_view text) { return query(text, nlohmann::json::object()); }

}  // namespace tether
