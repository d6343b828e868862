// Business SQL: runs scripts under an authorizer, binds JSON members as parameters, and offers the
// functions with which a script speaks to the engine.
#pragma once

#include <sqlite3.h>

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tether/clock.hpp"
#include "tether/sql.hpp"
#include "tether/store.hpp"

namespace tether::sqlite {

class Connection;

/// Lives as long as its connection; one script at a time.
class SqlSession final : public Sql {
 public:
  enum class Scripts { Any, OneStatement };
  SqlSession(Connection& connection, const Clock& clock, Scripts scripts = Scripts::Any);
  ~SqlSession() override;

  /// Whether anything that writes ran since the last call: a change of the schema is no changed
  /// row.
  bool takeRan() { return std::exchange(ran_, false); }

  /// The command whose script runs next; null: none, the functions are refused.
  void enter(ScriptScope* scope);

  using Sql::query;
  using Sql::run;
  std::int64_t run(std::string_view text, const nlohmann::json& params) override;
  nlohmann::json query(std::string_view text, const nlohmann::json& params) override;
  std::vector<std::string> columns() const override { return columns_; }
  bool check(std::string_view text) override;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;
  struct Prepared {
    Statement statement;
    std::size_t offset;  // of its first word in the script
  };
  struct Script {
    std::string text;  // where it is not what was given: see withJsonArguments()
    std::vector<Prepared> statements;
    bool complete = false;
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  /// What a function asked for while a statement ran: thrown when the statement has stopped.
  struct Ending {
    enum class Kind { Rejected, Failed, Misused };
    Kind kind = Kind::Failed;
    std::string code;
    std::string message;  // of Misused: how the function was called wrongly
    std::optional<Duration> retryAfter{};
  };

  template <class OnStatement>
  void forEachStatement(std::string_view text, OnStatement onStatement);
  /// What begins at `offset` of the text, or nothing; then `offset` is behind it.
  Prepared prepareNext(std::string_view text, std::size_t& offset, unsigned flags);
  /// Runs what throws an Error, and says of one which line is to blame.
  template <class Work>
  static void blaming(std::string_view text, std::size_t offset, Work work);
  static void bind(sqlite3_stmt* statement, const nlohmann::json& params);
  void step(sqlite3_stmt* statement, nlohmann::json* rows);
  [[noreturn]] void raise(int code);
  void startBudget();

  static int authorize(void* self, int action, const char* first, const char* second,
                       const char* database, const char* trigger);
  static int onProgress(void* self);
  /// Counts the rows that business statements change, by table, as long as a scope asks for it.
  /// While it counts nobody else does, see KeptCounts: what is counted here is rolled back.
  void countChanges(bool wanted);
  void registerFunctions();
  static SqlSession& of(sqlite3_context* context);
  static const ScriptScope* scopeOf(sqlite3_context* context);
  static void emitFunction(sqlite3_context* context, int count, sqlite3_value** values);
  static void rejectFunction(sqlite3_context* context, int count, sqlite3_value** values);
  static void failFunction(sqlite3_context* context, int count, sqlite3_value** values);
  bool inCommand() const;
  static Ending outside(const std::string& function);
  static Ending misuse(const std::string& function);
  /// "in a command", or "here".
  std::string where() const;

  Connection& connection_;
  const Clock& clock_;
  Scripts allowed_;
  bool ran_ = false;
  ScriptScope* scope_ = nullptr;
  bool running_ = false;        // the authorizer judges only business statements
  std::string_view statement_;  // from the one that is prepared or runs to the end of its script
  std::string refusal_;         // why the authorizer said no
  bool counting_ = false;       // changes of rows, for the scope
  bool changesSchema_ = false;  // what was prepared since check() began
  std::optional<Ending> ending_;
  std::vector<std::string> columns_;  // of the last query
  Duration began_{0};
  Duration deadline_{0};
  std::int64_t budget_ = 0;  // progress callbacks left: the limit that a manual clock cannot give
  std::unordered_map<std::string, Script, TextHash, std::equal_to<>> scripts_;
};

}  // namespace tether::sqlite
