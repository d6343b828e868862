#include "letters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "commands/all.hpp"
#include "files.hpp"
#include "tether/error.hpp"
#include "tether/json.hpp"
#include "tether/text.hpp"

namespace tether::cli {
namespace {

using nlohmann::json;

std::optional<DeadLetterState> stateOf(const std::string& text) {
  if (text == "any") return {};
  if (const auto state = parseDeadLetterState(text)) return state;
  throw Error(ErrorCode::Invalid,
              fmt::format("--state: {} is none of waiting, replayed, archived, any", quote(text)));
}

/// Who names letters by id means them whatever became of them.
Filter completed(Filter filter, Store& store, const LetterOptions& options,
                 std::optional<DeadLetterState> state) {
  filter.letters = filter.ids.empty() ? state : std::nullopt;
  if (!options.state.empty()) filter.letters = stateOf(options.state);
  completeGroup(filter, store);
  return filter;
}

PayloadEdit editOf(const char* option, const std::string& text) {
  const auto equals = text.find('=');
  if (!text.starts_with('/') || equals == std::string::npos) {
    throw Error(ErrorCode::Invalid,
                fmt::format("{} takes a JSON pointer and a value, such as /quantity=3, not {}",
                            option, quote(text)));
  }
  return {text.substr(0, equals), text.substr(equals + 1), true};
}

PayloadEdit jsonEditOf(const std::string& text) {
  constexpr const char* kOption = "--set-json";
  auto edit = editOf(kOption, text);
  edit.value = parseJson(fmt::format("{} {}", kOption, edit.pointer),
                         edit.value.get_ref<const std::string&>());
  edit.typed = false;
  return edit;
}

/// In the words of JSON; null: nothing is there.
const char* typeAt(const std::optional<json>& body, const std::string& pointer) {
  if (!body) return nullptr;
  const json::json_pointer at(pointer);
  return body->contains(at) ? body->at(at).type_name() : nullptr;
}

}  // namespace

void addLetterChoices(const Verb& verb, Selection& selection) {
  addErrorOption(verb, selection);
  addGroupOption(verb, selection);
  addQueueOption(verb, selection);
  addAttemptsOption(verb, selection);
}

void addLetterState(const Verb& verb, std::string& state) {
  verb.option("--state", state, "waiting (the default), replayed, archived or any").value("STATE");
}

void addSet(const Verb& verb, SetOptions& set) {
  verb.option("--set", set.typed, "Another value in the payload; may be given again")
      .value("/POINTER=VALUE")
      .oneEach();
  verb.option("--set-json", set.json, "The same with JSON, whatever type was there")
      .value("/POINTER=JSON")
      .oneEach();
}

void addReason(const Verb& verb, std::string& reason) {
  verb.option("--reason", reason, "Why; kept in the history").value("TEXT");
}

std::vector<PayloadEdit> editsOf(const SetOptions& set) {
  std::vector<PayloadEdit> edits;
  for (const auto& text : set.typed) edits.push_back(editOf("--set", text));
  for (const auto& text : set.json) edits.push_back(jsonEditOf(text));
  return edits;
}

void noteOtherTypes(Session& session, DeadLetters& deadLetters,
                    const std::vector<DeadLetter>& letters, const std::vector<PayloadEdit>& edits) {
  constexpr std::size_t kLettersMax = 1000;  // letters of one selection are much alike
  std::set<std::string> told;
  for (std::size_t at = 0; at < std::min(letters.size(), kLettersMax); ++at) {
    if (told.size() == edits.size()) return;
    std::optional<json> after;
    try {
      after = readJson(deadLetters.bodyWith(letters[at].id, edits));
    } catch (const Error&) {
      continue;  // whoever uses the edits says what is wrong
    }
    const auto before = readJson(letters[at].body);
    for (const auto& edit : edits) {
      const auto* was = typeAt(before, edit.pointer);
      const auto* becomes = typeAt(after, edit.pointer);
      if (was == nullptr || becomes == nullptr || std::string_view(was) == becomes) continue;
      if (!told.insert(edit.pointer).second) continue;
      session.print().warn(fmt::format("{} was {} and becomes {}, in dead letter {}", edit.pointer,
                                       was, becomes, letters[at].id));
    }
  }
}

Filter letterFilter(Session& session, Store& store, const LetterOptions& options, std::size_t max,
                    std::optional<DeadLetterState> state) {
  return completed(filterOf(options.selection, session, max), store, options, state);
}

Filter letterTargets(Session& session, Store& store, const LetterOptions& options,
                     std::optional<DeadLetterState> state) {
  return completed(targetsOf(options.selection, session), store, options, state);
}

std::vector<DeadLetter> chosenLetters(Session& session, Store& store, const Filter& filter) {
  std::vector<DeadLetter> letters;
  store.read([&](Snapshot& snapshot) {
    for (const auto& id : filter.ids) {
      if (!snapshot.deadLetter(id)) {
        throw Error(ErrorCode::NotFound, "no dead letter " + quote(id));
      }
    }
    letters = snapshot.deadLetters(filter);
  });
  if (letters.empty()) {
    const auto state = filter.letters ? std::string(toString(*filter.letters)) : std::string();
    auto message =
        fmt::format("no {}{}dead letter is chosen by this", state, state.empty() ? "" : " ");
    for (const auto& slip : unknownNames(session, store, filter, TypesOf::Letters)) {
      message += ": " + slip.message;
    }
    throw Error(ErrorCode::NotFound, message);
  }
  std::ranges::reverse(letters);
  return letters;
}

std::vector<std::string> idsOf(const std::vector<DeadLetter>& letters) {
  std::vector<std::string> ids;
  for (const auto& letter : letters) ids.push_back(letter.id);
  return ids;
}

DeadLetter letterOf(Store& store, const std::string& id) {
  std::optional<DeadLetter> letter;
  store.read([&](Snapshot& snapshot) { letter = snapshot.deadLetter(id); });
  if (!letter) throw Error(ErrorCode::NotFound, "no dead letter " + quote(id));
  return *std::move(letter);
}

void requireEditable(const DeadLetter& letter) {
  if (letter.kind == DeadLetterKind::Delivery) {
    throw Error(ErrorCode::Unsupported,
                fmt::format("dead letter {} is an event: what was said is not changed; replay it "
                            "when its destination takes it",
                            letter.id));
  }
  if (letter.state() == DeadLetterState::Waiting) return;
  throw Error(ErrorCode::Conflict,
              fmt::format("dead letter {} was {}; only one that waits can be edited", letter.id,
                          toString(letter.state())));
}

void writePrivateFile(Session& session, const std::string& path,
                      const std::function<bool(std::string&)>& next, bool force) {
  writeFile(session.resolve(path), path, next,
            {.over = force, .isPrivate = true, .instead = "; --force writes over it"});
}

void addDlq(const Verb& tool, Action& chosen) {
  const auto noun = addNoun(tool, "dlq", "Look at dead letters, repair and replay them");
  addDlqList(noun, chosen);
  addDlqGroups(noun, chosen);
  addDlqShow(noun, chosen);
  addDlqHistory(noun, chosen);
  addDlqTry(noun, chosen);
  addDlqReplay(noun, chosen);
  addDlqPlan(noun, chosen);
  addDlqApply(noun, chosen);
  addDlqEdit(noun, chosen);
  addDlqArchive(noun, chosen);
  addDlqExport(noun, chosen);
  addDlqImport(noun, chosen);
  addDlqPull(noun, chosen);
}

}  // namespace tether::cli
