// The catalog: a project file (tether.json) that declares commands, queues and reactions, so that
// the tool needs no compiler. Format: man/tether.json.5.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tether/engine.hpp"

namespace tether {

class SourceText;

class Catalog {
 public:
  /// Reads the file and everything that it names: scripts, schemas, migrations. Throws Invalid with
  /// file:line:column, and for an unknown key the nearest right one; NotFound when it is missing.
  static Catalog load(const std::filesystem::path& file);
  /// The same with changes to what the file says: a JSON merge patch (RFC 7396).
  static Catalog load(const std::filesystem::path& file, const nlohmann::json& changes);
  /// A catalog without a file: `content` is what would stand in it, `folder` where its paths begin.
  static Catalog from(const std::filesystem::path& folder, const nlohmann::json& content);
  /// The nearest tether.json in `from` or a folder above it.
  static std::optional<std::filesystem::path> find(const std::filesystem::path& from);

  Catalog(Catalog&&) noexcept;
  Catalog& operator=(Catalog&&) noexcept;
  ~Catalog();

  const std::filesystem::path& file() const;
  /// Options for an Engine over this catalog's store, queues, policies and migrations.
  EngineOptions options() const;
  /// Declares the commands and reactions in an engine made from options(). Commands with
  /// "handler": "host" are declared only; a host adds them before or after.
  void install(Engine& engine) const;

  /// One command type as the catalog declares it, for `command types` and `policy`.
  struct CommandType {
    std::string name{};
    std::string handler{};  // "sql" or "host"
    std::string file{};     // the script
    std::string schema{};
    std::string key{};                      // JSON pointer
    std::vector<std::string> parameters{};  // of the script

    // What holds for it, whether it says so itself or the defaults do.
    RetryPolicy retry{};
    Duration timeout{0};
    Duration hold{0};
    bool ownRetry = false;                 // it has a "retry" of its own
    std::vector<std::string> ownErrors{};  // the classes that this names
  };
  std::vector<CommandType> commandTypes() const;
  struct ScriptCheck {
    std::vector<std::string> problems{};  // "commands/create.sql:12: no such column: x"
    bool changesTables = false;           // some script does
  };
  /// The scripts against the tables that there are: of each its first problem, see Sql::check().
  ScriptCheck checkScripts(Sql& sql) const;
  const std::map<std::string, std::vector<std::string>>& reactions() const;

 private:
  struct Parts;
  explicit Catalog(std::unique_ptr<Parts> parts);
  static Catalog make(const SourceText& source, const std::filesystem::path& file);
  std::unique_ptr<Parts> parts_;
};

}  // namespace tether
