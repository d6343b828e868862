// A command whose execute() is an SQL script.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "catalog/sql_script.hpp"
#include "tether/transaction_command.hpp"

namespace tether {

/// What all attempts of one command type share.
struct SqlCommandText {
  SqlScript script;
  /// What a member that may be absent binds then.
  std::map<std::string, nlohmann::json> optional;

  /// Throws Invalid that names the first parameter that the payload leaves open.
  void check(const nlohmann::json& payload) const;
};

class SqlCommand final : public TransactionCommand {
 public:
  explicit SqlCommand(std::shared_ptr<const SqlCommandText> text) : text_(std::move(text)) {}
  /// Binds the payload's top-level members to the script's parameters.
  void execute(CommandContext& context) override;

 private:
  std::shared_ptr<const SqlCommandText> text_;
};

}  // namespace tether
