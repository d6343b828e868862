// The functions with which a script speaks to the engine.
#include <nlohmann/json.hpp>

#include "sqlite/connection.hpp"
#include "sqlite/sql_session.hpp"
#include "tether/json.hpp"
#include "tether/text.hpp"
#include "tether/transaction_command.hpp"

namespace tether::sqlite {

namespace {

std::string asText(sqlite3_value* value) {
  const auto* text = sqlite3_value_text(value);
  if (text == nullptr) return {};
  const auto bytes = static_cast<std::size_t>(sqlite3_value_bytes(value));
  return {reinterpret_cast<const char*>(text), bytes};
}

void answer(sqlite3_context* context, const std::string& text) {
  sqlite3_result_text64(context, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

}  // namespace

SqlSession& SqlSession::of(sqlite3_context* context) {
  return *static_cast<SqlSession*>(sqlite3_user_data(context));
}

const ScriptScope* SqlSession::scopeOf(sqlite3_context* context) {
  const auto& session = of(context);
  if (session.inCommand()) return session.scope_;
  sqlite3_result_error(context, "this function is there only inside a command", -1);
  return nullptr;
}

void SqlSession::emitFunction(sqlite3_context* context, int count, sqlite3_value** values) {
  auto& session = of(context);
  try {
    if (session.scope_ == nullptr || session.scope_->events == nullptr) {
      throw Error(ErrorCode::Invalid, "emit() is there only inside a command");
    }
    std::optional<std::string> key;
    if (count == 3 && sqlite3_value_type(values[2]) != SQLITE_NULL) key = asText(values[2]);
    session.scope_->events->add(asText(values[0]), parseJson("emit", asText(values[1])),
                                std::move(key));
  } catch (const std::exception& error) {
    session.ending_ = Ending{Ending::Kind::Misused, "", error.what()};
    sqlite3_result_error(context, error.what(), -1);
  }
}

void SqlSession::rejectFunction(sqlite3_context* context, int /*count*/, sqlite3_value** values) {
  Ending ending{Ending::Kind::Rejected, asText(values[0]), asText(values[1])};
  if (ending.code.empty()) ending = misuse("reject");
  if (!of(context).inCommand()) ending = outside("reject");
  of(context).ending_ = std::move(ending);
  sqlite3_result_error(context, "rejected", -1);
}

void SqlSession::failFunction(sqlite3_context* context, int count, sqlite3_value** values) {
  Ending ending{Ending::Kind::Failed, asText(values[0]), asText(values[1])};
  try {
    const bool asks = count == 3 && sqlite3_value_type(values[2]) != SQLITE_NULL;
    if (asks) ending.retryAfter = parseDuration(asText(values[2]));
  } catch (const std::exception& error) {
    ending = {Ending::Kind::Misused, "", "fail(" + ending.code + "): " + error.what()};
  }
  if (ending.kind == Ending::Kind::Failed && ending.code.empty()) ending = misuse("fail");
  if (!of(context).inCommand()) ending = outside("fail");
  of(context).ending_ = std::move(ending);
  sqlite3_result_error(context, "failed", -1);
}

bool SqlSession::inCommand() const { return scope_ != nullptr && scope_->command != nullptr; }

SqlSession::Ending SqlSession::outside(const std::string& function) {
  return {Ending::Kind::Misused, "", function + "() is there only inside a command"};
}

SqlSession::Ending SqlSession::misuse(const std::string& function) {
  return {Ending::Kind::Misused, "",
          function + "() needs a code, as in " + function +
              "('out_of_stock', 'none is left'): it "
              "was NULL or empty"};
}

void SqlSession::registerFunctions() {
  using Function = void (*)(sqlite3_context*, int, sqlite3_value**);
  // Only from a statement itself, never from a trigger, view or schema expression.
  const auto add = [this](const char* name, int count, Function function) {
    sqlite3_create_function_v2(connection_.handle(), name, count, SQLITE_UTF8 | SQLITE_DIRECTONLY,
                               this, function, nullptr, nullptr, nullptr);
  };
  add("emit", 2, &SqlSession::emitFunction);
  add("emit", 3, &SqlSession::emitFunction);
  add("reject", 2, &SqlSession::rejectFunction);
  add("fail", 2, &SqlSession::failFunction);
  add("fail", 3, &SqlSession::failFunction);
  add("now", 0, [](sqlite3_context* context, int, sqlite3_value**) {
    const auto& session = of(context);
    const auto* scope = session.scope_;
    answer(context, toSortableText(scope == nullptr ? session.clock_.now() : scope->now));
  });
  add("correlation_id", 0, [](sqlite3_context* context, int, sqlite3_value**) {
    if (const auto* scope = scopeOf(context)) answer(context, scope->command->correlationId);
  });
  add("command_id", 0, [](sqlite3_context* context, int, sqlite3_value**) {
    if (const auto* scope = scopeOf(context)) answer(context, scope->command->id);
  });
  add("attempt", 0, [](sqlite3_context* context, int, sqlite3_value**) {
    if (const auto* scope = scopeOf(context)) sqlite3_result_int(context, scope->attempt);
  });
}

}  // namespace tether::sqlite
