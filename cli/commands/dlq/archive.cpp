// dlq archive, restore, purge: out of the way, back, and gone. See man/tether-dlq.1.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <set>

#include "letters.hpp"
#include "operator.hpp"
#include "tether/error.hpp"
#include "views.hpp"

namespace tether::cli {
namespace {

using nlohmann::json;

using ArchiveChange = std::vector<std::string> (DeadLetters::*)(
    const std::vector<std::string>& letterIds, const Operator& by);

/// Says what was done, and what was so already.
int answerChanged(Session& session, const char* schema, const char* done,
                  const std::vector<std::string>& changed, std::size_t chosen) {
  const auto left = chosen - changed.size();
  auto& print = session.print();
  print.answer(schema, {{"ids", changed}, {"count", changed.size()}, {"leftAlone", left}}, [&] {
    if (print.quiet()) {
      for (const auto& id : changed) print.line({id});
      return;
    }
    print.line({countText(changed.size()), " ", done,
                left == 0 ? "" : fmt::format(", {} left alone", left)});
  });
  return kDone;
}

int runArchive(const LetterOptions& options, Session& session) {
  auto& engine = session.engine(false);
  const auto ids = idsOf(
      chosenLetters(session, engine.store(), letterTargets(session, engine.store(), options)));
  confirmMany(session, "archive " + countText(ids.size()), ids, options.selection.yes);
  const auto changed = engine.deadLetters().archive(ids, operatorOf(session, options.reason));
  return answerChanged(session, "dlq-archive", "archived", changed, ids.size());
}

int restoreLetters(const LetterOptions& options, Session& session) {
  auto& engine = session.engine(false);
  const auto ids = idsOf(
      chosenLetters(session, engine.store(),
                    letterTargets(session, engine.store(), options, DeadLetterState::Archived)));
  confirmMany(session, "restore " + countText(ids.size()), ids, options.selection.yes);
  const auto changed = engine.deadLetters().restore(ids, operatorOf(session, options.reason));
  return answerChanged(session, "dlq-restore", "restored", changed, ids.size());
}

// ---- purge

struct PurgeLettersOptions : LetterOptions {
  std::vector<std::string> confirmed;  // queues
};

/// --yes is typed by habit; the name of a queue is not.
void confirmAll(const PurgeLettersOptions& options, const std::vector<DeadLetter>& letters) {
  std::set<std::string> queues;
  for (const auto& letter : letters) queues.insert(letter.queue);
  for (const auto& queue : options.confirmed) queues.erase(queue);
  if (queues.empty()) return;
  throw Stop(kUnconfirmed, "unconfirmed",
             fmt::format("forget {} for good? --all needs --confirm {}", countText(letters.size()),
                         fmt::join(queues, " --confirm ")));
}

int purgeLetters(const PurgeLettersOptions& options, Session& session) {
  if (!options.confirmed.empty() && !options.selection.all) {
    throw Error(ErrorCode::Invalid, "--confirm goes with --all");
  }
  auto& engine = session.engine(false);
  const auto letters =
      chosenLetters(session, engine.store(), letterTargets(session, engine.store(), options));
  const auto ids = idsOf(letters);
  if (options.selection.all) confirmAll(options, letters);
  // One alone is confirmed too: it does not come back.
  session.confirm(fmt::format("forget {} for good ({}{})?", countText(ids.size()), ids.front(),
                              ids.size() > 1 ? ", ..." : ""),
                  options.selection.yes || options.selection.all);
  const auto purged = engine.deadLetters().purge(ids, operatorOf(session, options.reason));
  return answerChanged(session, "dlq-purge", "purged", purged, ids.size());
}

}  // namespace

void addDlqArchive(const Verb& noun, Action& chosen) {
  auto archiveOptions = std::make_shared<LetterOptions>();
  const auto archive =
      addVerb(noun, "archive", "Set dead letters aside: no list shows them",
              "tether dlq archive --error bad_address --reason 'closed shop' --yes");
  addTargets(archive, archiveOptions->selection, kLetters);
  addLetterChoices(archive, archiveOptions->selection);
  addReason(archive, archiveOptions->reason);
  onChosen(archive, chosen, std::move(archiveOptions), &runArchive);

  auto restoreOptions = std::make_shared<LetterOptions>();
  const auto restore = addVerb(noun, "restore", "Let archived dead letters wait again",
                               "tether dlq restore 0199c8e4-7a30-7cc1-9f0e-3d2b5a6c7d8e");
  addTargets(restore, restoreOptions->selection, kLetters);
  addLetterChoices(restore, restoreOptions->selection);
  addReason(restore, restoreOptions->reason);
  onChosen(restore, chosen, std::move(restoreOptions), &restoreLetters);

  auto purgeOptions = std::make_shared<PurgeLettersOptions>();
  const auto purge = addVerb(noun, "purge", "Forget dead letters for good",
                             "tether dlq purge --state archived --until 90d --yes");
  addTargets(purge, purgeOptions->selection, kLetters);
  addLetterChoices(purge, purgeOptions->selection);
  addLetterState(purge, purgeOptions->state);
  addReason(purge, purgeOptions->reason);
  purge.option("--confirm", purgeOptions->confirmed, "With --all: the queue they came from")
      .value("QUEUE")
      .oneEach();
  onChosen(purge, chosen, std::move(purgeOptions), &purgeLetters);
}

}  // namespace tether::cli
