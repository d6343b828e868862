// Check the installation, the project and its store. See man/tether-store.1.
#include <fmt/format.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "checks.hpp"
#include "commands/all.hpp"
#include "hints.hpp"
#include "obstacles.hpp"
#include "tether/error.hpp"

namespace tether::cli {
namespace {

using nlohmann::json;

struct DoctorOptions {};

/// Doctor only reads, and so does not wait for who writes; and it does not sit out any other lock:
/// that somebody holds it is one of the things to be said.
constexpr Duration kPatience = std::chrono::milliseconds{250};

class Doctor {
 public:
  explicit Doctor(Session& session) : session_(session), now_(session.clock().now()) {}

  std::vector<Check> examine() {
    if (!examineProject() || !openStore()) return report_.checks();
    const auto holder = store_->lockHolder();
    // Each look by itself: in a damaged store the others still tell something.
    const bool informed = look("store", [&](Snapshot& snapshot) {
      info_ = snapshot.info();
      report_.good("store", fmt::format("{}, version {}", info_.location, info_.version));
    });
    const bool listed = look("listeners", [&](Snapshot& s) { owners_ = s.owners(); });
    if (informed) examineLibrary(report_, info_);
    std::vector<std::string> tables;
    if (look("tables", [&](Snapshot& s) { tables = s.tables(); })) {
      examineCheckpoints(report_, tables, catalog_);
    }
    const auto files = store_->files();
    examinePermissions(report_, files);
    examineIntegrity(report_, *store_, files);
    examineLock(report_, holder, store_->lockHolder(), owners_);
    if (informed && catalog_ != nullptr) {
      examineMigrations(report_, *catalog_, info_);
      examineScripts(report_, *catalog_, *store_);
    }
    examineWork(informed, listed);
    return report_.checks();
  }

 private:
  /// False, and a problem, when the store does not let itself be read here.
  bool look(const char* name, const std::function<void(Snapshot&)>& at) {
    try {
      store_->read(at);
      return true;
    } catch (const Error& error) {
      report_.problem(name, fmt::format("{}: {}", location_, withHint(error)));
      return false;
    }
  }

  /// Without a project a store can still be looked at, when it is named.
  bool examineProject() {
    const bool named = !session_.globals().store.empty() || session_.env("TETHER_STORE");
    try {
      if (named && !session_.catalogFile()) {
        report_.note("project", "no tether.json here; only the store is looked at");
        return true;
      }
      catalog_ = &session_.catalog();
      report_.good("project",
                   fmt::format("{}, {}", catalog_->file().string(),
                               countText(catalog_->commandTypes().size(), "command type")));
      return true;
    } catch (const Error& error) {
      report_.problem("project", error.what());
      return false;
    }
  }

  bool openStore() {
    try {
      location_ = session_.storeSetting().value;
      store_ = session_.openStore(kPatience);
      return true;
    } catch (const Error& error) {
      report_.problem("store", withHint(error));
      return false;
    }
  }

  void examineWork(bool informed, bool listed) {
    OpenByType open;
    const bool counted = look("open", [&](Snapshot& s) { open = s.openByType(); });
    if (counted && listed) {
      examineListeners(report_, owners_, open, now_);
      examineTypes(report_, owners_, open, catalog_);
    }
    std::vector<QueueInfo> queues;
    if (look("queues", [&](Snapshot& s) { queues = s.queues(); })) {
      examineQueues(report_, queues, catalog_);
    }
    Retentions kept;
    if (catalog_ != nullptr) kept = examineSqs(report_, *catalog_);
    if (informed) examineHandedOver(report_, *store_, kept, now_);
    Obstacles obstacles;
    if (look("obstacles", [&](Snapshot& s) { obstacles = Obstacles::take(s); })) {
      examineObstacles(report_, obstacles, now_);
    }
    if (!informed) return;
    if (counted) examineOpen(report_, info_, open, now_);
    examineOutgoing(report_, info_, now_);
    examineLetters(report_, info_, now_);
  }

  Session& session_;
  Time now_;
  const Catalog* catalog_ = nullptr;  // null: there is no project
  std::string location_;
  std::unique_ptr<Store> store_;
  StoreInfo info_;
  std::vector<OwnerInfo> owners_;
  Report report_;
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

int runDoctor(const DoctorOptions& /*options*/, Session& session) {
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

void addDoctor(const Verb& tool, Action& chosen) {
  const auto verb =
      addVerb(tool, "doctor", "Check the project, its store and its listeners", "tether doctor");
  onChosen(verb, chosen, std::make_shared<DoctorOptions>(), &runDoctor);
}

}  // namespace tether::cli
