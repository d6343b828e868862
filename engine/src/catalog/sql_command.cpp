#include "catalog/sql_command.hpp"

#include <filesystem>

#include "catalog/config_value.hpp"
#include "tether/error.hpp"

namespace tether {

using nlohmann::json;

void SqlCommandText::check(const json& payload) const {
  if (!payload.is_object()) {
    throw Error(ErrorCode::Invalid, "payload: must be an object, not " + describeType(payload));
  }
  for (const auto& [name, offset] : script.parameters()) {
    if (payload.contains(name) || optional.contains(name)) continue;
    throw Error(ErrorCode::Invalid,
                "payload/" + name + ": is missing; " + script.name() + " binds it as :" + name);
  }
}

void SqlCommand::execute(CommandContext& context) {
  const json& payload = context.payload();
  json completed;  // a copy, made only when something is absent
  for (const auto& [name, offset] : text_->script.parameters()) {
    const auto absent = text_->optional.find(name);
    if (absent == text_->optional.end() || payload.contains(name)) continue;
    if (completed.is_null()) completed = payload;
    completed[name] = absent->second;
  }
  try {
    context.sql().run(text_->script.text(), completed.is_null() ? payload : completed);
  } catch (const SqlError& error) {
    const auto file = std::filesystem::path(text_->script.name()).filename();
    throw Error(error.code(),
                file.native() + ":" + std::to_string(error.line()) + ": " + error.problem());
  } catch (const Error& error) {
    if (error.code() != ErrorCode::Invalid && error.code() != ErrorCode::Conflict) throw;
    const auto file = std::filesystem::path(text_->script.name()).filename();
    throw Error(error.code(), file.native() + ": " + error.what());
  }
}

}  // namespace tether
