#include "tether/catalog.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <system_error>
#include <utility>

#include "base/log.hpp"
#include "catalog/catalog_file.hpp"
#include "catalog/config_value.hpp"
#include "catalog/json_schema.hpp"
#include "catalog/migration_folder.hpp"
#include "catalog/order_key.hpp"
#include "catalog/sql_command.hpp"
#include "tether/error.hpp"
#include "tether/text.hpp"

namespace tether {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Pointer = json::json_pointer;

constexpr const char* kFileName = "tether.json";

struct LoadedCommand {
  Catalog::CommandType description;
  CommandSettings settings;
  std::shared_ptr<const SqlCommandText> text;  // null: a host runs it
};

/// Reads what the catalog names. A problem with a file is reported where the catalog names it.
class Loader {
 public:
  Loader(const SourceText& source, fs::path folder) : source_(source), folder_(std::move(folder)) {}

  fs::path resolve(const std::string& written) const {
    return (folder_ / written).lexically_normal();
  }

  std::vector<Migration> migrations(const std::string& written) const {
    try {
      auto migrations = readMigrations(resolve(written));
      for (auto& each : migrations) {
        each.file = (fs::path(written) / each.name).lexically_normal();
      }
      return migrations;
    } catch (const Error& error) {
      source_.fail(Pointer("/migrations"), error.what());
    }
  }

  LoadedCommand command(const CatalogFile::CommandEntry& entry, const EngineOptions& defaults) {
    const Pointer at = Pointer("/commands") / entry.type;
    LoadedCommand command{describe(entry, defaults), {}, nullptr};
    command.settings.retry = entry.retry;
    command.settings.timeout = entry.timeout;
    command.settings.hold = entry.hold;
    command.settings.breaker = entry.breaker;
    command.settings.blocksKeyWhenDead = entry.blocksKeyWhenDead;
    std::shared_ptr<const JsonSchema> schema;
    if (entry.schema) schema = schemaOf(at / "schema", *entry.schema);
    if (entry.sql) {
      const auto text = textOf(at / "sql", *entry.sql, schema.get());
      for (const auto& [name, offset] : text->script.parameters()) {
        command.description.parameters.push_back(name);
      }
      command.text = text;
      command.settings.validate = [schema, text](json& payload) {
        if (schema) schema->validate(payload);
        text->check(payload);
      };
    } else if (schema) {
      command.settings.validate = [schema](json& payload) { schema->validate(payload); };
    }
    if (schema) {
      command.settings.typeAt = [schema](const std::string& pointer) {
        return schema->typeAt(pointer);
      };
    }
    if (entry.key) command.settings.key = keyOf(at / "key", *entry.key, schema.get());
    return command;
  }

 private:
  static Catalog::CommandType describe(const CatalogFile::CommandEntry& entry,
                                       const EngineOptions& defaults) {
    return {.name = entry.type,
            .handler = entry.sql ? "sql" : "host",
            .file = entry.sql.value_or(""),
            .schema = entry.schema.value_or(""),
            .key = entry.key.value_or(""),
            .retry = entry.retry.value_or(defaults.retry),
            .timeout = entry.timeout.value_or(defaults.timeout),
            .hold = entry.hold.value_or(defaults.hold),
            .ownRetry = entry.retry.has_value(),
            .ownErrors = entry.ownErrors};
  }

  /// Several commands may share a file; it is read once.
  std::shared_ptr<const JsonSchema> schemaOf(const Pointer& at, const std::string& written) {
    const fs::path path = resolve(written);
    auto& schema = schemas_[path];
    if (!schema) schema = std::make_shared<const JsonSchema>(SourceText(path, read(at, path)));
    return schema;
  }

  std::shared_ptr<const SqlCommandText> textOf(const Pointer& at, const std::string& written,
                                               const JsonSchema* schema) {
    const fs::path path = resolve(written);
    auto script = scripts_.find(path);
    if (script == scripts_.end()) {
      script = scripts_.emplace(path, SqlScript(path, read(at, path))).first;
    }
    auto text = std::make_shared<SqlCommandText>(SqlCommandText{script->second, {}});
    if (schema == nullptr) return text;
    text->optional = schema->optional();
    if (!schema->closed()) return text;
    for (const auto& [name, offset] : text->script.parameters()) {
      const auto& known = schema->properties();
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      text->script.fail(offset, ":" + name + " is never there: the schema has no such property" +
                                    didYouMean(name, known));
    }
    return text;
  }

  std::function<std::string(const json&)> keyOf(const Pointer& at, const std::string& written,
                                                const JsonSchema* schema) const {
    const Pointer pointer(written);
    Pointer top = pointer;
    while (!top.parent_pointer().empty()) top.pop_back();
    if (schema != nullptr && schema->closed()) {
      const auto& known = schema->properties();
      if (std::find(known.begin(), known.end(), top.back()) == known.end()) {
        source_.fail(at, quote(written) + " is never there: the schema has no such property" +
                             didYouMean(top.back(), known));
      }
    }
    return orderKeyAt(pointer);
  }

  std::string read(const Pointer& at, const fs::path& path) const {
    try {
      return readTextFile(path);
    } catch (const Error& error) {
      source_.fail(at, error.what());
    }
  }

  const SourceText& source_;
  fs::path folder_;
  std::map<fs::path, std::shared_ptr<const JsonSchema>> schemas_;
  std::map<fs::path, SqlScript> scripts_;
};

}  // namespace

struct Catalog::Parts {
  fs::path file;
  EngineOptions options;
  std::vector<LoadedCommand> commands;
  std::map<std::string, std::vector<std::string>> reactions;
  bool emptyFolder = false;  // of migrations: the engine takes it for "the tables are not mine"
};

Catalog Catalog::load(const fs::path& file) { return make(SourceText::read(file), file); }

Catalog Catalog::load(const fs::path& file, const json& changes) {
  const SourceText source = SourceText::read(file);
  if (changes.empty()) return make(source, file);
  (void)parseCatalogFile(source);  // its own mistakes have a place in it
  auto changed = source.json();
  changed.merge_patch(changes);
  return make(SourceText(file.native(), changed.dump()), file);
}

Catalog Catalog::from(const fs::path& folder, const json& content) {
  const auto file = folder / kFileName;
  auto all = json::object();
  all.merge_patch(content);
  return make(SourceText(file.native(), all.dump()), file);
}

Catalog Catalog::make(const SourceText& source, const fs::path& file) {
  CatalogFile parsed = parseCatalogFile(source);
  Loader loader(source, file.parent_path());
  auto parts = std::make_unique<Parts>();
  parts->file = file;
  parts->options = std::move(parsed.options);
  if (parts->options.store.isFile()) {
    parts->options.store = loader.resolve(parts->options.store.text());
  }
  if (parsed.migrations) parts->options.migrations = loader.migrations(*parsed.migrations);
  parts->emptyFolder = parsed.migrations && parts->options.migrations.empty();
  for (const auto& entry : parsed.commands) {
    parts->commands.push_back(loader.command(entry, parts->options));
  }
  parts->reactions = std::move(parsed.reactions);
  return Catalog(std::move(parts));
}

std::optional<fs::path> Catalog::find(const fs::path& from) {
  std::error_code ignored;  // a folder that cannot be looked into has none
  fs::path folder = fs::absolute(from, ignored).lexically_normal();
  while (true) {
    fs::path file = folder / kFileName;
    // Also a link that leads nowhere: to read it says so, and a project further up is not meant.
    if (fs::exists(fs::symlink_status(file, ignored))) return file;
    if (!folder.has_relative_path()) return std::nullopt;
    folder = folder.parent_path();
  }
}

Catalog::Catalog(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Catalog::Catalog(Catalog&&) noexcept = default;
Catalog& Catalog::operator=(Catalog&&) noexcept = default;
Catalog::~Catalog() = default;

const fs::path& Catalog::file() const { return parts_->file; }

EngineOptions Catalog::options() const { return parts_->options; }

void Catalog::install(Engine& engine) const {
  if (parts_->emptyFolder) {
    engine.store().read([&](Snapshot& snapshot) {
      for (const auto& migration : snapshot.migrations()) {
        log::warn("the store has a migration and the folder has none: put its file back",
                  {{"migration", migration.name}});
      }
    });
  }
  TransactionCommandBuilder& builder = engine.commands();
  for (const auto& [description, settings, text] : parts_->commands) {
    if (text) {
      builder.add(
          description.name, [script = text] { return std::make_unique<SqlCommand>(script); }, false,
          settings);
    } else if (builder.builds(description.name)) {
      builder.configure(description.name, settings);
    } else {
      builder.declare(description.name, settings);
    }
  }
  for (const auto& [event, commands] : parts_->reactions) {
    for (const std::string& command : commands) engine.events().on(event, command);
  }
}

std::vector<Catalog::CommandType> Catalog::commandTypes() const {
  std::vector<CommandType> types;
  for (const LoadedCommand& command : parts_->commands) types.push_back(command.description);
  return types;
}

Catalog::ScriptCheck Catalog::checkScripts(Sql& sql) const {
  ScriptCheck found;
  for (const auto& [description, settings, text] : parts_->commands) {
    if (!text) continue;
    try {
      if (sql.check(text->script.text())) found.changesTables = true;
    } catch (const SqlError& error) {
      auto problem = description.file + ":" + std::to_string(error.line()) + ": " + error.problem();
      const auto& known = found.problems;  // several types may share a script
      if (std::find(known.begin(), known.end(), problem) != known.end()) continue;
      found.problems.push_back(std::move(problem));
    }
  }
  return found;
}

const std::map<std::string, std::vector<std::string>>& Catalog::reactions() const {
  return parts_->reactions;
}

}  // namespace tether
