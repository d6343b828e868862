// Look after the store: the noun, and its short verbs. See man/tether-store.1.
#include <memory>

#include "commands/all.hpp"
#include "verbs.hpp"

namespace tether::cli {
namespace {

struct StoreOptions {};

int runMigrate(const StoreOptions& /*options*/, Session& session) {
  return answerInfo(session.engine(true).store(), session, "store-migrate");
}

int runVerify(const StoreOptions& /*options*/, Session& session) {
  const auto damage = session.store().verify();
  auto& print = session.print();
  print.answer(
      "store-verify", {{"sound", damage.empty()}, {"damage", damage}},
      [&] {
        for (const auto& line : damage) print.line({{line, Style::Bad}});
        if (damage.empty() && !print.quiet()) print.line({{"the store is sound", Style::Good}});
      },
      damage.empty() ? Verdict::Pass : Verdict::Fail);
  return damage.empty() ? kDone : kNo;
}

}  // namespace

void addStore(const Verb& tool, Action& chosen) {
  const auto noun = addNoun(tool, "store", "Look after the store");

  addStoreStatus(noun, chosen);

  const auto migrate = addVerb(noun, "migrate", "Make or update the store, apply the migrations",
                               "tether store migrate");
  onChosen(migrate, chosen, std::make_shared<StoreOptions>(), &runMigrate);

  const auto verify =
      addVerb(noun, "verify", "Read everything and name all damage", "tether store verify");
  onChosen(verify, chosen, std::make_shared<StoreOptions>(), &runVerify);

  addStoreBackup(noun, chosen);
  addStoreRestore(noun, chosen);
  addStoreVacuum(noun, chosen);
  addStorePrune(noun, chosen);
  addStoreSql(noun, chosen);
}

}  // namespace tether::cli
