#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "checks.hpp"
#include "tether/error.hpp"
#include "tether/json.hpp"
#include "tether/text.hpp"

namespace tether::cli {
namespace {

namespace fs = std::filesystem;

/// Reading all of a large store takes long; above this the operator asks for it by `store verify`.
constexpr std::uintmax_t kVerifyBytesMax = 64 * 1024 * 1024;

}  // namespace

void examineLibrary(Report& report, const StoreInfo& info) {
  if (!info.library.empty()) report.good("library", info.library);
  for (const auto& remark : info.remarks) report.note("library", remark);
  for (const auto& danger : info.dangers) report.problem("library", danger);
}

void examineCheckpoints(Report& report, const std::vector<std::string>& tables,
                        const Catalog* catalog) {
  const bool copied = std::ranges::any_of(
      tables, [](const std::string& table) { return table.starts_with("_litestream_"); });
  const bool external =
      catalog != nullptr && catalog->options().checkpoints == Checkpoints::External;
  if (copied && !external) {
    report.note("checkpoints",
                "Litestream copies this store, and Tether checkpoints it: \"checkpoint\": "
                "\"external\" in tether.json leaves that to Litestream");
  } else if (external && !copied) {
    report.note("checkpoints",
                "left to another program by tether.json: without it the log grows for ever");
  } else {
    report.good("checkpoints", external ? "left to Litestream" : "by the processes of the store");
  }
}

void examinePermissions(Report& report, const std::vector<std::string>& files) {
  constexpr auto kOthers = fs::perms::group_all | fs::perms::others_all;
  bool open = false;
  for (const auto& file : files) {
    std::error_code error;
    const auto status = fs::status(file, error);
    if (error || !fs::exists(status)) continue;
    if ((status.permissions() & kOthers) == fs::perms::none) continue;
    open = true;
    report.problem("permissions", fmt::format("others may open {}: 'chmod 600 {}'", file, file));
  }
  if (!open) report.good("permissions", "only the owner may open the store");
}

void examineIntegrity(Report& report, Store& store, const std::vector<std::string>& files) {
  std::uintmax_t bytes = 0;
  for (const auto& file : files) {
    std::error_code gone;
    const auto size = fs::file_size(file, gone);
    if (!gone) bytes += size;
  }
  if (bytes > kVerifyBytesMax) {
    report.note("integrity",
                "not checked, the store is large: 'tether store verify' reads all of it");
    return;
  }
  std::vector<std::string> damage;
  try {
    damage = store.verify();
  } catch (const Error& failure) {
    return report.problem("integrity", failure.what());
  }
  if (damage.empty()) return report.good("integrity", "everything was read, no damage");
  report.problem("integrity", fmt::format("{}, the first: {}; see 'tether store verify'",
                                          countText(damage.size(), "fault"), damage.front()));
}

void examineMigrations(Report& report, const Catalog& catalog, const StoreInfo& info) {
  const auto migrations = catalog.options().migrations;
  std::vector<std::string> missing;
  std::size_t applied = 0;
  bool wrong = false;
  for (const auto& known : info.migrations) {
    if (std::ranges::find(migrations, known.name, &Migration::name) != migrations.end()) continue;
    wrong = true;
    report.problem("migrations",
                   fmt::format("{} was applied, and its file is gone: a new store would be made "
                               "without it; put it back",
                               known.name));
  }
  for (const auto& migration : migrations) {
    const auto found = std::ranges::find(info.migrations, migration.name, &AppliedMigration::name);
    if (found == info.migrations.end()) {
      missing.push_back(migration.name);
    } else if (found->checksum != sha256(migration.sql)) {
      wrong = true;
      report.problem("migrations", fmt::format("{} has changed since it was applied; undo the "
                                               "change and write a new migration",
                                               migration.name));
    } else {
      ++applied;
    }
  }
  if (!missing.empty()) {
    report.problem("migrations", fmt::format("not applied yet: {}; run 'tether store migrate'",
                                             fmt::join(missing, ", ")));
  } else if (!wrong) {
    report.good("migrations", fmt::format("{} applied", applied));
  }
}

void examineScripts(Report& report, const Catalog& catalog, Store& store) {
  const auto migrations = catalog.options().migrations;
  Catalog::ScriptCheck found;
  bool checked = false;
  try {
    store.read([&](Snapshot& snapshot) {
      std::size_t applied = 0;
      for (const auto& known : snapshot.migrations()) {
        applied += std::ranges::count(migrations, known.name, &Migration::name);
      }
      // Its tables are not those that the scripts were written for; the migrations' check says so.
      checked = applied == migrations.size();
      if (checked) found = catalog.checkScripts(snapshot.sql());
    });
  } catch (const Error& error) {
    return report.problem("scripts", error.what());
  }
  if (!checked) return report.note("scripts", "not checked: their tables are not there yet");
  for (const auto& problem : found.problems) report.problem("scripts", problem);
  const auto types = catalog.commandTypes();
  const auto count = std::ranges::count(types, "sql", &Catalog::CommandType::handler);
  if (!found.problems.empty() || count == 0) return;
  report.good("scripts", "the SQL of " +
                             countText(static_cast<std::size_t>(count), "command type") +
                             " fits the tables");
}

void examineLock(Report& report, const std::optional<LockHolder>& first,
                 const std::optional<LockHolder>& second, const std::vector<OwnerInfo>& owners) {
  const auto& holder = second ? second : first;
  if (!holder) return report.good("lock", "nobody keeps others from writing");
  const auto owner = std::ranges::find_if(
      owners, [&](const OwnerInfo& one) { return one.alive && one.pid == holder->pid; });
  const bool ours = owner != owners.end() || holder->program == "tether";
  const bool stays = first && second && first->pid == second->pid;
  auto message =
      fmt::format("{} {} ({}) holds the write lock, everybody's writes wait for it",
                  owner == owners.end() ? "process" : owner->role, holder->pid, holder->program);
  if (ours || !stays) return report.note("lock", message);  // one of those that work here
  report.problem("lock", message + "; if it does not end by itself, end that process");
}

}  // namespace tether::cli
