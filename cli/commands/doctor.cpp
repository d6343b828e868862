// Check the installation, the project and its store. See man/tether-store.1.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "all.hpp"
#include "tether/error.hpp"
#include "tether/json.hpp"
#include "tether/text.hpp"
#include "views.hpp"

namespace tether::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct Options {};

enum class Health { Good, Note, Problem };

struct Check {
  std::string name;
  Health health = Health::Good;
  std::string message;
};

/// Reading all of a large store takes long; above this the operator asks for it by `store verify`.
constexpr std::uintmax_t kVerifyBytesMax = 64 * 1024 * 1024;

class Doctor {
 public:
  explicit Doctor(Session& session) : session_(session), now_(session.clock().now()) {}

  std::vector<Check> examine() {
    if (!examineProject()) return std::move(checks_);
    auto* store = openStore();
    if (store == nullptr) return std::move(checks_);
    // Each look by itself: in a damaged store the others still tell something.
    const bool informed = look("store", *store, [&](Snapshot& snapshot) {
      info_ = snapshot.info();
      good("store", fmt::format("{}, version {}", info_.location, info_.version));
    });
    if (informed) examineLibrary();
    examinePermissions();
    examineIntegrity(*store);
    if (informed) examineMigrations();
    const bool counted = look("open", *store, [&](Snapshot& s) { open_ = s.openByType(); });
    if (counted && look("listeners", *store, [&](Snapshot& s) { owners_ = s.owners(); })) {
      examineListeners();
    }
    if (look("queues", *store, [&](Snapshot& s) { queues_ = s.queues(); })) examineQueues();
    if (counted && informed) examineWork();
    return std::move(checks_);
  }

 private:
  void good(std::string name, std::string message) {
    checks_.push_back({std::move(name), Health::Good, std::move(message)});
  }
  void note(std::string name, std::string message) {
    checks_.push_back({std::move(name), Health::Note, std::move(message)});
  }
  void problem(std::string name, std::string message) {
    checks_.push_back({std::move(name), Health::Problem, std::move(message)});
  }

  /// False, and a problem, when the store does not let itself be read here.
  bool look(const char* name, Store& store, const std::function<void(Snapshot&)>& at) {
    try {
      store.read(at);
      return true;
    } catch (const Error& error) {
      problem(name, fmt::format("{}: {}", session_.storeSetting().value, error.what()));
      return false;
    }
  }

  /// Without a project a store can still be looked at, when it is named.
  bool examineProject() {
    const bool named = !session_.globals().store.empty() || session_.env("TETHER_STORE");
    try {
      if (named && !session_.catalogFile()) {
        note("project", "no tether.json here; only the store is looked at");
        return true;
      }
      const auto& catalog = session_.catalog();
      hasCatalog_ = true;
      good("project", fmt::format("{}, {} command types", catalog.file().string(),
                                  catalog.commandTypes().size()));
      return true;
    } catch (const Error& error) {
      problem("project", error.what());
      return false;
    }
  }

  Store* openStore() {
    try {
      return &session_.store();
    } catch (const Error& error) {
      problem("store", error.what());
      return nullptr;
    }
  }

  void examineLibrary() {
    if (!info_.library.empty()) good("library", info_.library);
    for (const auto& remark : info_.remarks) note("library", remark);
  }

  void examineIntegrity(Store& store) {
    std::error_code error;
    const auto bytes = fs::file_size(session_.storeSetting().value, error);
    if (!error && bytes > kVerifyBytesMax) {
      note("integrity", "not checked, the store is large: 'tether store verify' reads all of it");
      return;
    }
    std::vector<std::string> damage;
    try {
      damage = store.verify();
    } catch (const Error& failure) {
      return problem("integrity", failure.what());
    }
    if (damage.empty()) return good("integrity", "everything was read, no damage");
    problem("integrity", fmt::format("{} faults, the first: {}; see 'tether store verify'",
                                     damage.size(), damage.front()));
  }

  void examinePermissions() {
    constexpr auto kOthers = fs::perms::group_all | fs::perms::others_all;
    const auto location = session_.storeSetting().value;
    bool open = false;
    for (const char* suffix : {"", "-wal", "-shm", "-wake"}) {
      std::error_code error;
      const fs::path file = location + suffix;
      const auto status = fs::status(file, error);
      if (error || !fs::exists(status)) continue;
      if ((status.permissions() & kOthers) == fs::perms::none) continue;
      open = true;
      problem("permissions",
              fmt::format("others may open {}: 'chmod 600 {}'", file.string(), file.string()));
    }
    if (!open) good("permissions", "only the owner may open the store");
  }

  void examineMigrations() {
    if (!hasCatalog_) return;
    const auto migrations = session_.catalog().options().migrations;
    std::vector<std::string> missing;
    std::size_t applied = 0;
    bool wrong = false;
    for (const auto& known : info_.migrations) {
      if (std::ranges::find(migrations, known.name, &Migration::name) != migrations.end()) continue;
      wrong = true;
      problem("migrations",
              fmt::format("{} was applied, and its file is gone: a new store would be made without "
                          "it; put it back",
                          known.name));
    }
    for (const auto& migration : migrations) {
      const auto found =
          std::ranges::find(info_.migrations, migration.name, &AppliedMigration::name);
      if (found == info_.migrations.end()) {
        missing.push_back(migration.name);
      } else if (found->checksum != sha256(migration.sql)) {
        wrong = true;
        problem("migrations", fmt::format("{} has changed since it was applied; undo the change "
                                          "and write a new migration",
                                          migration.name));
      } else {
        ++applied;
      }
    }
    if (!missing.empty()) {
      problem("migrations", fmt::format("not applied yet: {}; run 'tether store migrate'",
                                        fmt::join(missing, ", ")));
    } else if (!wrong) {
      good("migrations", fmt::format("{} applied", applied));
    }
  }

  std::int64_t openCount() const {
    std::int64_t count = 0;
    for (const auto& [type, open] : open_) count += open;
    return count;
  }

  void examineListeners() {
    std::vector<std::string> alive;
    std::set<std::string> served;
    for (const auto& owner : owners_) {
      if (!owner.alive) continue;
      alive.push_back(
          fmt::format("{} {} (since {})", owner.role, owner.pid, whenText(owner.since, now_)));
      served.insert(owner.types.begin(), owner.types.end());
    }
    if (!alive.empty()) {
      good("listeners", fmt::format("{}", fmt::join(alive, ", ")));
    } else if (openCount() == 0) {
      good("listeners", "none is running, and no command waits");
      return;
    } else {
      problem("listeners", fmt::format("none is running and {} commands are open; start "
                                       "'tether listen'",
                                       openCount()));
    }
    examineTypes(served, !alive.empty());
  }

  void examineTypes(const std::set<std::string>& served, bool anyAlive) {
    std::set<std::string> hosted;
    if (hasCatalog_) {
      for (const auto& type : session_.catalog().commandTypes()) {
        if (type.handler == "host") hosted.insert(type.name);
      }
    }
    for (const auto& [type, count] : open_) {
      if (count == 0 || served.contains(type)) continue;
      if (hosted.contains(type)) {
        problem("types",
                fmt::format("{} open {} wait for the program that runs them", count, type));
      } else if (anyAlive) {
        problem("types",
                fmt::format("{} open {} wait, no running listener takes them", count, type));
      }
    }
  }

  void examineQueues() {
    for (const auto& queue : queues_) {
      if (queue.counts.blocked == 0) continue;
      note("blocked", fmt::format("queue {}: {} wait behind an earlier one of their key",
                                  queue.name, queue.counts.blocked));
    }
    if (!hasCatalog_) return;
    for (const auto& [name, address] : session_.catalog().options().queues) {
      if (address == "local" || address == "memory") continue;
      problem("queues", fmt::format("queue {} is mapped to {}, for which this program has no "
                                    "transport; {} messages wait to leave",
                                    name, quote(address), outgoingCount(name)));
    }
  }

  std::int64_t outgoingCount(const std::string& name) const {
    std::int64_t count = 0;
    for (const auto& queue : queues_) {
      if (!queue.outgoing || queue.name != name) continue;
      const auto& counts = queue.counts;
      count += counts.ready + counts.leased + counts.delayed + counts.blocked;
    }
    return count;
  }

  void examineWork() {
    if (info_.oldestOpen) {
      good("open", fmt::format("{} commands, the oldest accepted {}", openCount(),
                               whenText(*info_.oldestOpen, now_)));
    }
    if (info_.deadLetters > 0) {
      note("dead letters", fmt::format("{}; see 'tether dlq list'", info_.deadLetters));
    } else {
      good("dead letters", "none");
    }
  }

  Session& session_;
  Time now_;
  bool hasCatalog_ = false;
  StoreInfo info_;
  std::vector<OwnerInfo> owners_;
  std::map<std::string, std::int64_t> open_;
  std::vector<QueueInfo> queues_;
  std::vector<Check> checks_;
};

Cell cellOf(Health health) {
  switch (health) {
    case Health::Good:
      return {"ok", Style::Good};
    case Health::Note:
      return {"note", Style::Warning};
    case Health::Problem:
      break;
  }
  return {"problem", Style::Bad};
}

int run(const Options& /*options*/, Session& session) {
  const auto checks = Doctor(session).examine();
  auto data = json::array();
  Table table;
  bool healthy = true;
  for (const auto& check : checks) {
    healthy = healthy && check.health != Health::Problem;
    const auto health = cellOf(check.health);
    data.push_back({{"name", check.name}, {"health", health.text}, {"message", check.message}});
    if (session.print().quiet() && check.health != Health::Problem) continue;
    table.rows.push_back({health, check.name, check.message});
  }
  session.print().answer(
      "doctor", data, [&] { session.print().table(table); },
      healthy ? Verdict::Pass : Verdict::Fail);
  return healthy ? kDone : kNo;
}

}  // namespace

void addDoctor(CLI::App& app, Action& chosen) {
  auto* verb =
      addVerb(app, "doctor", "Check the project, its store and its listeners", "tether doctor");
  onChosen(verb, chosen, std::make_shared<Options>(), &run);
}

}  // namespace tether::cli
