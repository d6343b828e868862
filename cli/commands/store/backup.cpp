// store backup, store restore, store vacuum. See man/tether-backup.7.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>

#include "operator.hpp"
#include "tether/restore.hpp"
#include "verbs.hpp"
#include "views.hpp"

namespace tether::cli {
namespace {

using nlohmann::json;

struct BackupOptions {
  std::string file;
};

int runBackup(const BackupOptions& options, Session& session) {
  const auto file = session.resolve(options.file).string();
  const auto made = session.store().backup(file);
  auto& print = session.print();
  print.answer("store-backup",
               {{"file", file},
                {"bytes", made.bytes},
                {"lastSeq", made.lastSeq},
                {"dangling", made.dangling}},
               [&] {
                 for (const auto& row : made.dangling) print.note(row);
                 if (print.quiet()) return;
                 print.line({fmt::format("{}: {}, everything up to change {}, verified", file,
                                         bytesText(made.bytes), made.lastSeq)});
               });
  return kDone;
}

struct RestoreVerb {
  std::string file;
  bool yes = false;
};

std::string lossText(const RestoreLoss& loss) {
  if (!loss.known) return "what was done since is not known, as there is no store to read";
  return fmt::format(
      "{} accepted since {} forgotten, {} that ran since will run again, {} recorded since {} "
      "forgotten",
      countText(loss.forgotten, "command"), loss.forgotten == 1 ? "is" : "are",
      countText(loss.again, "command"), countText(loss.events, "event"),
      loss.events == 1 ? "is" : "are");
}

json recordOf(const RestoreLoss& loss) {
  json record = {{"keptTo", loss.keptTo}, {"known", loss.known}};
  if (loss.keptAt) record["keptAt"] = toText(*loss.keptAt);
  if (loss.known) {
    record["forgotten"] = loss.forgotten;
    record["again"] = loss.again;
    record["events"] = loss.events;
  }
  return record;
}

int runRestore(const RestoreVerb& verb, Session& session) {
  RestoreOptions options;
  options.store.address = session.storeSetting().value;
  options.store.checkpoints = session.checkpoints();
  options.backup = session.resolve(verb.file).string();
  options.by = operatorOf(session, "");
  options.confirm = [&](const RestoreLoss& loss) {
    session.confirm(fmt::format("put {} in the place of {}? {}", options.backup,
                                options.store.address.text(), lossText(loss)),
                    verb.yes);
  };
  const auto loss = restoreStore(options, session.clock());
  auto record = recordOf(loss);
  record["file"] = options.backup;
  auto& print = session.print();
  print.answer("store-restore", record, [&] {
    if (print.quiet()) return;
    print.line({fmt::format("restored as of change {}: {}", loss.keptTo, lossText(loss))});
  });
  return kDone;
}

struct VacuumVerb {
  bool yes = false;
};

int runVacuum(const VacuumVerb& verb, Session& session) {
  auto& store = session.store();
  std::vector<OwnerInfo> owners;
  store.read([&](Snapshot& snapshot) { owners = snapshot.owners(); });
  const auto alive = std::ranges::find_if(owners, &OwnerInfo::alive);
  if (alive != owners.end()) {
    session.confirm(fmt::format("{} (pid {}) is alive, and everybody's writes wait while the store "
                                "is written anew: go on?",
                                alive->role, alive->pid),
                    verb.yes);
  }
  const auto done = store.vacuum();
  const auto freed = std::max<std::int64_t>(done.bytesBefore - done.bytesAfter, 0);
  auto& print = session.print();
  print.answer(
      "store-vacuum",
      {{"bytesBefore", done.bytesBefore}, {"bytesAfter", done.bytesAfter}, {"bytesFreed", freed}},
      [&] {
        if (print.quiet()) return;
        print.line({fmt::format("{} given back: {} before, {} now", bytesText(freed),
                                bytesText(done.bytesBefore), bytesText(done.bytesAfter))});
      });
  return kDone;
}

}  // namespace

void addStoreBackup(const Verb& noun, Action& chosen) {
  auto options = std::make_shared<BackupOptions>();
  const auto verb = addVerb(noun, "backup", "Copy the store into a new file while it is in use",
                            "tether store backup orders-backup.db");
  verb.argument("FILE", options->file, "The copy; nothing may have this name").required();
  onChosen(verb, chosen, std::move(options), &runBackup);
}

void addStoreRestore(const Verb& noun, Action& chosen) {
  auto options = std::make_shared<RestoreVerb>();
  const auto verb = addVerb(noun, "restore", "Put a backup in the place of the store",
                            "tether store restore orders-backup.db");
  verb.argument("FILE", options->file, "A copy that store backup made").required();
  verb.flag("--yes", options->yes, "Do not ask");
  onChosen(verb, chosen, std::move(options), &runRestore);
}

void addStoreVacuum(const Verb& noun, Action& chosen) {
  auto options = std::make_shared<VacuumVerb>();
  const auto verb =
      addVerb(noun, "vacuum", "Give back the space that nothing uses", "tether store vacuum");
  verb.flag("--yes", options->yes, "Do not ask, although a listener waits");
  onChosen(verb, chosen, std::move(options), &runVacuum);
}

}  // namespace tether::cli
