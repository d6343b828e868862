#include "sqlite/sql_session.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "model/json_text.hpp"
#include "sqlite/connection.hpp"
#include "sqlite/json_arguments.hpp"
#include "sqlite/sql_reading.hpp"
#include "tether/json.hpp"
#include "tether/transaction_command.hpp"

namespace tether::sqlite {

namespace {

constexpr int kProgressSteps = 1000;  // virtual machine steps between two looks at the deadline
constexpr std::int64_t kStepsPerSecond = 50'000'000;
constexpr std::size_t kScriptsMax = 500;
constexpr std::string_view kDoing = "sql: ";  // what toError() says before SQLite's words

void bindText(sqlite3_stmt* statement, int parameter, const std::string& text) {
  sqlite3_bind_text64(statement, parameter, text.data(), text.size(), SQLITE_TRANSIENT,
                      SQLITE_UTF8);
}

std::string hexOf(const void* bytes, int size) {
  static constexpr char kDigits[] = "0123456789abcdef";
  const auto* data = static_cast<const unsigned char*>(bytes);
  std::string text;
  for (int i = 0; i < size; ++i) {
    text += kDigits[data[i] >> 4];
    text += kDigits[data[i] & 15];
  }
  return text;
}

nlohmann::json columnValue(sqlite3_stmt* statement, int column) {
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      return sqlite3_column_int64(statement, column);
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement, column);
    case SQLITE_TEXT:
      return std::string(reinterpret_cast<const char*>(sqlite3_column_text(statement, column)),
                         static_cast<std::size_t>(sqlite3_column_bytes(statement, column)));
    case SQLITE_BLOB:
      return hexOf(sqlite3_column_blob(statement, column), sqlite3_column_bytes(statement, column));
    default:
      return nullptr;
  }
}

/// A row is an object: of two columns with one name it would silently lose one.
std::vector<std::string> namesOf(sqlite3_stmt* statement) {
  std::vector<std::string> names;
  for (int i = 0; i < sqlite3_column_count(statement); ++i) {
    std::string name = sqlite3_column_name(statement, i);
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      throw Error(ErrorCode::Invalid, "two columns of the query are named \"" + name +
                                          "\": give one another name with AS");
    }
    names.push_back(std::move(name));
  }
  return names;
}

}  // namespace

SqlSession::SqlSession(Connection& connection, const Clock& clock, Scripts scripts)
    : connection_(connection), clock_(clock), allowed_(scripts) {
  sqlite3_set_authorizer(connection_.handle(), &SqlSession::authorize, this);
  registerFunctions();
}

SqlSession::~SqlSession() {
  sqlite3_set_authorizer(connection_.handle(), nullptr, nullptr);
  sqlite3_progress_handler(connection_.handle(), 0, nullptr, nullptr);
}

void SqlSession::enter(ScriptScope* scope) {
  scope_ = scope;
  ending_.reset();
  startBudget();
  countChanges(scope != nullptr && scope->changes != nullptr);
}

void SqlSession::countChanges(bool wanted) {
  if (wanted == counting_) return;
  counting_ = wanted;
  const auto onChange = [](void* self, sqlite3*, int operation, const char*, const char* table,
                           sqlite3_int64, sqlite3_int64) {
    auto& session = *static_cast<SqlSession*>(self);
    if (!session.running_) return;
    auto& changes = (*session.scope_->changes)[table];
    if (operation == SQLITE_INSERT) ++changes.inserted;
    if (operation == SQLITE_UPDATE) ++changes.updated;
    if (operation == SQLITE_DELETE) ++changes.deleted;
  };
  sqlite3_preupdate_hook(connection_.handle(), wanted ? +onChange : nullptr, this);
}

void SqlSession::startBudget() {
  const bool limited = scope_ != nullptr && scope_->hold > Duration{0};
  if (limited) {
    began_ = clock_.steady();
    deadline_ = began_ + scope_->hold;
    budget_ = scope_->hold.count() * (kStepsPerSecond / 1'000'000) / kProgressSteps + 1;
  }
  sqlite3_progress_handler(connection_.handle(), limited ? kProgressSteps : 0,
                           limited ? &SqlSession::onProgress : nullptr, this);
}

int SqlSession::onProgress(void* self) {
  auto& session = *static_cast<SqlSession*>(self);
  if (!session.running_) return 0;
  if (session.scope_->stop.stop_requested()) return 1;
  const auto now = session.clock_.steady();
  if (now == session.began_) return --session.budget_ <= 0 ? 1 : 0;  // this clock stands still
  return now > session.deadline_ ? 1 : 0;
}

std::int64_t SqlSession::run(std::string_view text, const nlohmann::json& params) {
  const auto before = sqlite3_total_changes64(connection_.handle());
  forEachStatement(text, [&](sqlite3_stmt* statement) {
    bind(statement, params);
    step(statement, nullptr);
  });
  return sqlite3_total_changes64(connection_.handle()) - before;
}

nlohmann::json SqlSession::query(std::string_view text, const nlohmann::json& params) {
  auto rows = nlohmann::json::array();
  columns_.clear();
  forEachStatement(text, [&](sqlite3_stmt* statement) {
    bind(statement, params);
    if (sqlite3_column_count(statement) == 0) return step(statement, nullptr);
    columns_ = namesOf(statement);
    rows = nlohmann::json::array();
    step(statement, &rows);
  });
  return rows;
}

// Statements are prepared as the script gets to them: a later one may need what an earlier one
// makes.
template <class OnStatement>
void SqlSession::forEachStatement(std::string_view text, OnStatement onStatement) {
  struct Running {
    bool& flag;
    ~Running() { flag = false; }
  } guard{running_ = true};
  auto found = scripts_.find(text);
  if (found == scripts_.end()) {
    if (scripts_.size() >= kScriptsMax) scripts_.clear();
    found = scripts_.try_emplace(std::string(text), Script{withJsonArguments(text), {}}).first;
  }
  auto& script = found->second;
  if (!script.text.empty()) text = script.text;
  const auto use = [&](const Prepared& one) {
    statement_ = text.substr(one.offset);
    refusal_.clear();  // of a statement before
    blaming(text, one.offset, [&] { onStatement(one.statement.get()); });
  };
  if (script.complete) {
    for (const auto& one : script.statements) use(one);
    return;
  }
  script.statements.clear();
  for (std::size_t offset = 0; offset < text.size();) {
    auto next = prepareNext(text, offset, SQLITE_PREPARE_PERSISTENT);
    if (!next.statement) continue;  // a comment or white space
    if (allowed_ == Scripts::OneStatement && !script.statements.empty()) {
      throw Error(ErrorCode::Invalid, "one reading statement at a time");
    }
    use(next);
    script.statements.push_back(std::move(next));
  }
  script.complete = true;
}

SqlSession::Prepared SqlSession::prepareNext(std::string_view text, std::size_t& offset,
                                             unsigned flags) {
  auto* database = connection_.handle();
  const auto begin = offset;
  const auto rest = text.substr(begin);
  sqlite3_stmt* raw = nullptr;
  const char* tail = nullptr;
  refusal_.clear();
  const auto first = begin + leadingSpace(rest);
  statement_ = text.substr(first);
  const int code =
      sqlite3_prepare_v3(database, rest.data(), static_cast<int>(rest.size()), flags, &raw, &tail);
  Prepared prepared{Statement(raw), first};
  if (code != SQLITE_OK) {
    const int at = refusal_.empty() ? sqlite3_error_offset(database) : -1;
    const auto place = at < 0 ? prepared.offset : begin + static_cast<std::size_t>(at);
    blaming(text, place, [&] { raise(code); });
  }
  offset = static_cast<std::size_t>(tail - text.data());
  return prepared;
}

template <class Work>
void SqlSession::blaming(std::string_view text, std::size_t offset, Work work) try {
  work();
} catch (const SqlError&) {
  throw;
} catch (const Error& error) {
  // Others are the store's, or the clock's.
  if (error.code() != ErrorCode::Invalid && error.code() != ErrorCode::Conflict) throw;
  std::string problem = error.what();
  if (problem.starts_with(kDoing)) problem.erase(0, kDoing.size());
  throw SqlError(error.code(), std::move(problem), lineAt(text, offset), text);
}

bool SqlSession::check(std::string_view text) {
  struct Running {
    bool& flag;
    ~Running() { flag = false; }
  } guard{running_ = true};
  changesSchema_ = false;
  const auto changed = withJsonArguments(text);
  if (!changed.empty()) text = changed;
  for (std::size_t offset = 0; offset < text.size();) {
    const bool judgeable = !changesSchema_;
    try {
      (void)prepareNext(text, offset, 0);
    } catch (const SqlError& error) {
      // What an earlier statement makes is not there yet: nobody can tell how this one stands.
      if (!judgeable && refusal_.empty() && !isSyntax(error.problem())) return true;
      throw;
    }
  }
  return changesSchema_;
}

void SqlSession::bind(sqlite3_stmt* statement, const nlohmann::json& params) {
  const int count = sqlite3_bind_parameter_count(statement);
  for (int i = 1; i <= count; ++i) {
    const char* name = sqlite3_bind_parameter_name(statement, i);
    const bool asJson = name != nullptr && name[0] == '@';
    if (params.is_null()) {
      throw Error(ErrorCode::Invalid, "parameter " + std::string(name == nullptr ? "?" : name) +
                                          " has no value: write the value itself, as nothing is "
                                          "given to bind");
    }
    if (name == nullptr || (name[0] != ':' && !asJson)) {
      throw Error(ErrorCode::Invalid, "only named parameters (:name) are bound, found " +
                                          std::string(name == nullptr ? "?" : name));
    }
    const auto member = params.is_object() ? params.find(name + 1) : params.end();
    if (member == params.end()) {
      throw Error(ErrorCode::Invalid, "missing parameter :" + std::string(name + 1) +
                                          ": the payload has no member \"" + (name + 1) + "\"");
    }
    // A host's own values: the payload's were looked at before.
    if (!member->is_string()) checkJson(':' + std::string(name + 1), *member, kMessageLimits);
    if (asJson) {
      bindText(statement, i, utf8Json(canonicalJson(*member)));  // as it travels, and is measured
      continue;
    }
    switch (member->type()) {
      case nlohmann::json::value_t::null:
        sqlite3_bind_null(statement, i);
        break;
      case nlohmann::json::value_t::boolean:
        sqlite3_bind_int(statement, i, member->get<bool>() ? 1 : 0);
        break;
      case nlohmann::json::value_t::number_integer:
      case nlohmann::json::value_t::number_unsigned:
        sqlite3_bind_int64(statement, i, member->get<std::int64_t>());
        break;
      case nlohmann::json::value_t::number_float:
        sqlite3_bind_double(statement, i, member->get<double>());
        break;
      case nlohmann::json::value_t::string: {
        const auto& value = member->get_ref<const std::string&>();
        sqlite3_bind_text64(statement, i, value.data(), value.size(), SQLITE_STATIC, SQLITE_UTF8);
        break;
      }
      default:
        bindText(statement, i, canonicalJson(*member));
    }
  }
}

void SqlSession::step(sqlite3_stmt* statement, nlohmann::json* rows) {
  struct Reset {
    sqlite3_stmt* statement;
    ~Reset() {
      sqlite3_reset(statement);
      sqlite3_clear_bindings(statement);
    }
  } reset{statement};
  if (allowed_ == Scripts::OneStatement && sqlite3_stmt_readonly(statement) == 0) {
    constexpr std::size_t kLine = 1;  // it is the only statement
    throw NotReading(ErrorCode::Invalid, "the statement writes, and this is only a look", kLine,
                     "");
  }
  connection_.checkTransaction();
  ran_ = ran_ || sqlite3_stmt_readonly(statement) == 0;
  const bool inside = connection_.inTransaction();
  int code = sqlite3_step(statement);
  for (; code == SQLITE_ROW; code = sqlite3_step(statement)) {
    if (rows == nullptr) continue;
    auto row = nlohmann::json::object();
    for (int i = 0; i < sqlite3_column_count(statement); ++i) {
      row[sqlite3_column_name(statement, i)] = columnValue(statement, i);
    }
    rows->push_back(std::move(row));
  }
  if (code != SQLITE_DONE) raise(code);
  if (inside && !connection_.inTransaction()) {
    throw Error(ErrorCode::Invalid, "the statement ended the transaction");
  }
}

void SqlSession::raise(int code) {
  if (ending_) {
    const auto ending = std::move(*ending_);
    ending_.reset();
    if (ending.kind == Ending::Kind::Misused) throw Error(ErrorCode::Invalid, ending.message);
    if (ending.kind == Ending::Kind::Rejected) throw Rejected(ending.code, ending.message);
    throw Failed(ending.code, ending.message, ending.retryAfter);
  }
  if (!refusal_.empty()) throw Error(ErrorCode::Invalid, refusal_);
  if ((code & 0xff) == SQLITE_INTERRUPT && scope_ != nullptr) {
    if (scope_->stop.stop_requested()) throw Error(ErrorCode::Unavailable, "sql was interrupted");
    const std::string limit = scope_->command != nullptr ? "execute took longer than its hold of "
                                                         : "the query took longer than ";
    throw Error(ErrorCode::TimedOut, limit + toText(scope_->hold) + " and was interrupted");
  }
  throw connection_.fail(code, "sql", sqlite3_errmsg(connection_.handle()));
}

}  // namespace tether::sqlite
