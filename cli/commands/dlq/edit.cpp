// dlq edit: another body for a later replay. See man/tether-dlq.1.
#include <fmt/format.h>

#include <memory>

#include "editor.hpp"
#include "hints.hpp"
#include "letters.hpp"
#include "operator.hpp"
#include "tether/error.hpp"
#include "tether/json.hpp"
#include "tether/text.hpp"
#include "tether/view.hpp"

namespace tether::cli {
namespace {

struct EditOptions {
  std::string id;
  SetOptions set;
  std::string reason;
};

/// JSON with a member a line; else the bytes as they are.
std::string forPeople(const DeadLetter& letter) {
  const auto record = view::toJson(letter, view::Form::WithContent);
  const auto body = record.find("body");
  if (body == record.end() || !body->is_structured()) return letter.body;
  return body->dump(2) + "\n";
}

/// The body that the text stands for, in the form that the store keeps.
std::string bodyOf(const DeadLetter& letter, const std::string& text) {
  const bool message = letter.kind == DeadLetterKind::Message;
  if (!message) return canonicalJson(parseJson("body", text, kMessageLimits));
  if (const auto value = readJson(text)) return canonicalJson(*value);
  // Editors end the last line, which the bytes may not have.
  const bool ended = text.ends_with('\n') && !letter.body.ends_with('\n');
  return ended ? text.substr(0, text.size() - 1) : text;
}

std::string storedForm(const DeadLetter& letter) {
  const auto value = readJson(letter.body);
  return value ? canonicalJson(*value) : letter.body;
}

/// False: it is the same as before.
bool keep(DeadLetters& letters, const DeadLetter& letter, const std::string& body,
          const Operator& by) {
  if (body == letter.body || body == storedForm(letter)) return false;
  letters.edit({{.letterId = letter.id, .version = letter.version, .body = body}}, by);
  return true;
}

/// What was typed is not lost because the letter does not take it.
bool editByHand(Session& session, DeadLetters& letters, const DeadLetter& letter,
                const Operator& by) {
  EditedText text("body.json", forPeople(letter));
  text.edit(session);
  if (!text.changed()) return false;
  try {
    return keep(letters, letter, bodyOf(letter, text.text()), by);
  } catch (const Error& error) {
    throw Error(error.code(),
                fmt::format("{}; your text is kept in {}", withHint(error), text.keep()));
  }
}

int runEdit(const EditOptions& options, Session& session) {
  const auto set = editsOf(options.set);
  const auto by = operatorOf(session, options.reason);
  auto& engine = session.engine(false);
  auto& letters = engine.deadLetters();
  const auto letter = letterOf(engine.store(), options.id);
  requireEditable(letter);
  const bool changed = set.empty() ? editByHand(session, letters, letter, by)
                                   : keep(letters, letter, letters.bodyWith(letter.id, set), by);
  noteOtherTypes(session, letters, {letter}, set);
  const int version = letter.version + (changed ? 1 : 0);
  auto& print = session.print();
  print.answer("dlq-edit", {{"letterId", letter.id}, {"changed", changed}, {"version", version}},
               [&] {
                 if (print.quiet()) return print.line({letter.id});
                 if (!changed) return print.line({"nothing changed"});
                 print.line({"edited: ",
                             {letter.id, Style::Strong},
                             fmt::format(" is of version {} now", version)});
               });
  return kDone;
}

}  // namespace

void addDlqEdit(const Verb& noun, Action& chosen) {
  auto options = std::make_shared<EditOptions>();
  const auto verb =
      addVerb(noun, "edit", "Repair the content of a dead letter, in $EDITOR or by --set",
              "tether dlq edit 0199c8e4-7a30-7cc1-9f0e-3d2b5a6c7d8e --set /quantity=3");
  verb.argument("ID", options->id, "Id of the dead letter").required();
  addSet(verb, options->set);
  addReason(verb, options->reason);
  onChosen(verb, chosen, std::move(options), &runEdit);
}

}  // namespace tether::cli
