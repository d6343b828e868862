// What SQLite asks before it prepares a statement, the first time or again after a change of the
// schema. A module such as fts5 prepares statements of its own between, also while ours is
// prepared: they are told by what they do, as SQLite does not say whose they are.
#include "sqlite/sql_reading.hpp"
#include "sqlite/sql_session.hpp"
#include "tether/transaction_command.hpp"

namespace tether::sqlite {

namespace {

bool ownName(const char* name) { return name != nullptr && isOwnName(name); }

bool is(const char* text, const char* wanted) {
  return text != nullptr && sqlite3_stricmp(text, wanted) == 0;
}

/// The same as tables, which no module needs.
bool isLookAsTable(const char* table) {
  return is(table, "pragma_data_version") || is(table, "pragma_page_size");
}

/// Modules look at these, and with no value they change nothing.
bool isLookOfModule(const char* pragma, const char* value) {
  return value == nullptr && (is(pragma, "data_version") || is(pragma, "page_size"));
}

/// A temporary object would outlive its command, and stand before tables of the same name. Reading
/// is not judged, nor is the search for what a renamed table leaves there.
bool makesTemporary(int action, const char* first, const char* database) {
  switch (action) {
    case SQLITE_CREATE_TEMP_TABLE:
    case SQLITE_CREATE_TEMP_VIEW:
    case SQLITE_CREATE_TEMP_INDEX:
    case SQLITE_CREATE_TEMP_TRIGGER:
      return true;
    case SQLITE_READ:
    case SQLITE_SELECT:
    case SQLITE_FUNCTION:
      return false;
    case SQLITE_UPDATE:
      return is(database, "temp") && !is(first, "sqlite_temp_master") &&
             !is(first, "sqlite_temp_schema");
    default:
      return is(database, "temp");
  }
}

}  // namespace

int SqlSession::authorize(void* self, int action, const char* first, const char* second,
                          const char* database, const char* /*trigger*/) {
  auto& session = *static_cast<SqlSession*>(self);
  if (!session.running_) return SQLITE_OK;
  const auto refuse = [&](std::string why) {
    session.refusal_ = std::move(why);
    return SQLITE_DENY;
  };
  const auto refuseName = [&](std::string_view what, std::string_view name) {
    return refuse("the " + std::string(what) + " " + std::string(name) + " belongs to Tether");
  };
  session.changesSchema_ = session.changesSchema_ || changesTables(action);
  if (makesTemporary(action, first, database)) {
    return refuse("temporary tables, views, indexes and triggers are not allowed " +
                  session.where());
  }
  switch (action) {
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
      return refuse("transaction control is not allowed " + session.where() +
                    ": Tether commits it");
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
      return refuse("ATTACH and DETACH are not allowed " + session.where());
    case SQLITE_PRAGMA:
      if (isLookOfModule(first, second) && !isPragma(session.statement_)) return SQLITE_OK;
      return refuse("PRAGMA is not allowed " + session.where() + ": " + first);
    case SQLITE_READ:
      if (!isLookAsTable(first)) return SQLITE_OK;
      return refuse("PRAGMA is not allowed " + session.where() + ": " + first);
    case SQLITE_FUNCTION:
      if (is(second, "load_extension") || is(second, "fts3_tokenizer")) {
        return refuse(std::string(second) + " is not allowed " + session.where());
      }
      return SQLITE_OK;
    case SQLITE_INSERT:
    case SQLITE_UPDATE:
    case SQLITE_DELETE:
    case SQLITE_CREATE_TABLE:
    case SQLITE_CREATE_VTABLE:
    case SQLITE_DROP_TABLE:
    case SQLITE_DROP_VTABLE:
      return ownName(first) ? refuseName("table", first) : SQLITE_OK;
    case SQLITE_CREATE_VIEW:
    case SQLITE_DROP_VIEW:
      return ownName(first) ? refuseName("view", first) : SQLITE_OK;
    case SQLITE_CREATE_INDEX:
    case SQLITE_CREATE_TRIGGER:
      // A later version of the store's schema may want the name.
      if (ownName(first)) {
        return refuseName(action == SQLITE_CREATE_INDEX ? "index" : "trigger", first);
      }
      return ownName(second) ? refuseName("table", second) : SQLITE_OK;
    case SQLITE_DROP_INDEX:
    case SQLITE_DROP_TRIGGER:
      return ownName(second) ? refuseName("table", second) : SQLITE_OK;
    case SQLITE_ALTER_TABLE: {
      // SQLite tells the new name to nobody.
      const auto renamed = renamesTo(session.statement_);
      if (isOwnName(renamed)) return refuseName("name", renamed);
      return ownName(second) ? refuseName("table", second) : SQLITE_OK;
    }
    default:
      return SQLITE_OK;
  }
}

std::string SqlSession::where() const {
  return scope_ != nullptr && scope_->command != nullptr ? "in a command" : "here";
}

}  // namespace tether::sqlite
