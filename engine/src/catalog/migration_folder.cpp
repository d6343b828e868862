#include "catalog/migration_folder.hpp"

#include <charconv>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <system_error>

#include "catalog/source_text.hpp"
#include "catalog/sql_script.hpp"
#include "tether/error.hpp"
#include "tether/text.hpp"

namespace tether {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBytesMax = 16 * 1024 * 1024;  // they may bring data along

[[noreturn]] void refuse(const fs::path& path, const std::string& problem) {
  throw Error(ErrorCode::Invalid, escapeForTerminal(path.native()) + ": " + problem);
}

std::uint64_t numberOf(const fs::path& file) {
  const std::string name = file.filename();
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc{} || *end != '_' || name.substr(1 + (end - name.data())) == ".sql") {
    refuse(file, "a migration's name is a number and a word, like 001_orders.sql");
  }
  return number;
}

}  // namespace

std::vector<Migration> readMigrations(const fs::path& folder) {
  std::error_code error;
  fs::directory_iterator files(folder, error);
  if (error) refuse(folder, "cannot be read as a folder: " + error.message());

  std::set<fs::path> found;
  for (; files != fs::directory_iterator(); files.increment(error)) {
    const fs::path file = files->path();
    const bool hidden = file.filename().native().starts_with('.');
    if (!hidden && file.extension() == ".sql") found.insert(file);
  }
  if (error) refuse(folder, "cannot be read: " + error.message());

  // By number, so that 10_x comes after 9_x.
  std::map<std::uint64_t, fs::path> ordered;
  for (const fs::path& file : found) {
    const auto [there, added] = ordered.emplace(numberOf(file), file);
    if (!added) refuse(file, "has the same number as " + quote(there->second.filename().native()));
  }

  std::vector<Migration> migrations;
  for (const auto& [number, file] : ordered) {
    std::string sql = readTextFile(file, kBytesMax);
    if (const auto at = sql.find('\0'); at != sql.npos) {
      throw Error(ErrorCode::Invalid, placeIn(file.native(), sql, at) + ": NUL byte");
    }
    if (!hasStatement(sql)) refuse(file, "has no statement");
    migrations.push_back({file.filename(), std::move(sql)});
  }
  return migrations;
}

}  // namespace tether
