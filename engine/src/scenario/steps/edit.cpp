// edit: an operator gives dead letters other bodies, for a later replay.
#include "scenario/letters.hpp"
#include "scenario/steps/operation.hpp"
#include "scenario/steps/submission.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

void checkOne(const ConfigValue& value) {
  value.allowKeys({"letter", "set", "body", "version", "reason"});
  const auto letter = value.find("letter");
  if (!letter) value.fail("needs \"letter\": what failed");
  checkLetter(*letter);
  const auto set = value.find("set");
  if (set) checkEdits(*set);
  if (set.has_value() == value.find("body").has_value()) {
    value.fail("needs \"set\", what is changed, or a whole \"body\"");
  }
  if (const auto version = value.find("version")) (void)version->integer(1, kMost);
  if (const auto reason = value.find("reason")) (void)reason->anyText();
}

LetterEdit editOf(const Run& run, DeadLetters& letters, const json& written) {
  LetterEdit edit;
  edit.letterId = letterNamed(run, written.at("letter")).id;
  if (written.contains("version")) edit.version = written.at("version").get<int>();
  if (written.contains("set")) {
    edit.body = letters.bodyWith(edit.letterId, editsOf(run, written.at("set")));
  } else {
    const auto body = run.resolved(written.at("body"));
    edit.body = body.is_string() ? body.get<std::string>() : body.dump();
  }
  return edit;
}

StepKind::Act parseEdit(const ConfigValue& value, const ConfigValue& /*step*/,
                        Reading& /*reading*/) {
  std::vector<json> written;
  for (const auto& one : value.oneOrMore()) {
    checkOne(one);
    written.push_back(one.raw());
  }
  if (written.empty()) value.fail("changes nothing");
  return [written](Run& run) {
    submitOrBeRefused(run, [&] {
      auto& letters = run.world.engine().deadLetters();
      std::vector<LetterEdit> edits;
      for (const auto& one : written) edits.push_back(editOf(run, letters, one));
      letters.edit(edits, operatorOf(written.front().value("reason", "")));
    });
  };
}

json editSchema() {
  const json one = {{"type", "object"},
                    {"required", {"letter"}},
                    {"additionalProperties", false},
                    {"properties",
                     {{"letter", letterSchema()},
                      {"set", editsSchema()},
                      {"body", json::object()},
                      {"version", {{"type", "integer"}, {"minimum", 1}}},
                      {"reason", {{"type", "string"}}}}}};
  return {{"anyOf", {one, {{"type", "array"}, {"items", one}, {"minItems", 1}}}}};
}

}  // namespace

const StepKind editStep{"edit", &parseEdit, &editSchema};

}  // namespace tether::scenario
