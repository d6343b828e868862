// What the verbs of `tether dlq` share: which letters are meant, how they look to the outside, and
// who works on them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app.hpp"
#include "commands/selection.hpp"
#include "tether/dead_letters.hpp"

namespace tether::cli {

inline constexpr const char* kLetters = "dead letters";

/// Other values for a payload.
struct SetOptions {
  std::vector<std::string> typed;  // "/pointer=value"
  std::vector<std::string> json;   // "/pointer=json"
};

/// A selection of dead letters, and what a verb does to them.
struct LetterOptions {
  Selection selection;
  std::string state;  // waiting, replayed, archived, any; empty: the verb's own
  SetOptions set;
  std::string reason;
};

/// --error --group --queue --attempts: what dead letters are chosen by besides addSelection().
void addLetterChoices(const Verb& verb, Selection& selection);
void addLetterState(const Verb& verb, std::string& state);
void addSet(const Verb& verb, SetOptions& set);
void addReason(const Verb& verb, std::string& reason);

/// First what was typed, then what was given as JSON. Throws Invalid.
std::vector<PayloadEdit> editsOf(const SetOptions& set);
/// Says of each edit that gives a member another type which, for the first of these letters.
void noteOtherTypes(Session& session, DeadLetters& deadLetters,
                    const std::vector<DeadLetter>& letters, const std::vector<PayloadEdit>& edits);

/// For verbs that look: without ids and --state those in `state`.
Filter letterFilter(Session& session, Store& store, const LetterOptions& options, std::size_t max,
                    std::optional<DeadLetterState> state = DeadLetterState::Waiting);
/// For verbs that change what is chosen, see targetsOf.
Filter letterTargets(Session& session, Store& store, const LetterOptions& options,
                     std::optional<DeadLetterState> state = DeadLetterState::Waiting);

/// In the order of the store. Throws NotFound for none, with the names in it that nobody knows, and
/// for an id that there is not.
std::vector<DeadLetter> chosenLetters(Session& session, Store& store, const Filter& filter);
std::vector<std::string> idsOf(const std::vector<DeadLetter>& letters);
/// Throws NotFound.
DeadLetter letterOf(Store& store, const std::string& id);
/// Only one that waits can be edited, and no event. Throws Conflict, Unsupported.
void requireEditable(const DeadLetter& letter);

/// "1 dead letter", "3 dead letters".
inline std::string countText(std::size_t count) { return countText(count, "dead letter"); }

/// Text, piece by piece, for a file that must not be there, unless `force`; nobody else may read
/// it. Throws as writeFile().
void writePrivateFile(Session& session, const std::string& path,
                      const std::function<bool(std::string&)>& next, bool force);

void addDlqList(const Verb& noun, Action& chosen);
void addDlqGroups(const Verb& noun, Action& chosen);
void addDlqShow(const Verb& noun, Action& chosen);
void addDlqHistory(const Verb& noun, Action& chosen);
void addDlqTry(const Verb& noun, Action& chosen);
void addDlqReplay(const Verb& noun, Action& chosen);
void addDlqPlan(const Verb& noun, Action& chosen);
void addDlqApply(const Verb& noun, Action& chosen);
void addDlqEdit(const Verb& noun, Action& chosen);
void addDlqArchive(const Verb& noun, Action& chosen);  // with restore and purge
void addDlqExport(const Verb& noun, Action& chosen);
void addDlqImport(const Verb& noun, Action& chosen);
void addDlqPull(const Verb& noun, Action& chosen);

}  // namespace tether::cli
