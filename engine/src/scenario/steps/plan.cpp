// plan: an operator freezes which dead letters a later apply replays.
#include "scenario/letters.hpp"
#include "scenario/steps/operation.hpp"
#include "scenario/steps/submission.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

void checkWhere(const ConfigValue& where) {
  where.allowKeys({"of", "type", "error", "queue", "group", "correlationId", "since", "until",
                   "attemptsMin", "attemptsMax", "limit"});
  if (const auto of = where.find("of")) {
    for (const auto& name : of->oneOrMore()) checkLetter(name);
  }
  for (const char* member : {"type", "error", "queue"}) {
    if (const auto text = where.find(member)) (void)text->text();
  }
  for (const char* member : {"since", "until"}) {
    if (const auto time = where.find(member)) (void)time->time();
  }
  for (const char* member : {"attemptsMin", "attemptsMax", "limit"}) {
    if (const auto number = where.find(member)) (void)number->integer(0, kMost);
  }
}

Filter filterOf(const Run& run, const json& written) {
  const auto where = run.resolved(written);
  auto filter = everything();
  filter.letters = DeadLetterState::Waiting;
  if (where.contains("of")) {
    const auto& of = where.at("of");
    filter.ids = letterIds(run, of.is_array() ? of : json::array({of}));
  }
  filter.type = where.value("type", "");
  filter.error = where.value("error", "");
  filter.queue = where.value("queue", "");
  filter.group = where.value("group", "");
  filter.correlationId = where.value("correlationId", "");
  if (where.contains("since")) filter.since = parseTime(where.at("since").get<std::string>());
  if (where.contains("until")) filter.until = parseTime(where.at("until").get<std::string>());
  if (where.contains("attemptsMin")) filter.attemptsMin = where.at("attemptsMin").get<int>();
  if (where.contains("attemptsMax")) filter.attemptsMax = where.at("attemptsMax").get<int>();
  if (where.contains("limit")) filter.limit = where.at("limit").get<std::size_t>();
  return filter;
}

StepKind::Act parsePlan(const ConfigValue& value, const ConfigValue& /*step*/, Reading& reading) {
  value.allowKeys({"where", "set", "as", "reason"});
  const auto where = value.find("where");
  if (where) checkWhere(*where);
  const auto set = value.find("set");
  if (set) checkEdits(*set);
  if (!value.find("as")) value.fail("needs \"as\": the name for apply");
  const auto reason = value.find("reason");
  return [as = reading.name(value), selection = where ? where->raw() : json::object(),
          edits = set ? set->raw() : json::object(),
          why = reason ? reason->anyText() : std::string()](Run& run) {
    submitOrBeRefused(run, [&] {
      auto& letters = run.world.engine().deadLetters();
      auto plan = letters.plan(filterOf(run, selection), editsOf(run, edits), operatorOf(why));
      run.answers[as] = {{"id", plan.id}};
      run.plans[as] = std::move(plan);
    });
  };
}

json planSchema() {
  const json text = {{"type", "string"}};
  const json textOrRef = {{"type", {"string", "object"}}};
  const json number = {{"type", "integer"}, {"minimum", 0}};
  return {{"type", "object"},
          {"required", {"as"}},
          {"additionalProperties", false},
          {"properties",
           {{"as", text},
            {"reason", text},
            {"set", editsSchema()},
            {"where",
             {{"type", "object"},
              {"additionalProperties", false},
              {"properties",
               {{"of", operationSchema(letterSchema())["anyOf"][1]},
                {"type", text},
                {"error", text},
                {"queue", text},
                {"group", textOrRef},
                {"correlationId", textOrRef},
                {"since", text},
                {"until", text},
                {"attemptsMin", number},
                {"attemptsMax", number},
                {"limit", number}}}}}}}};
}

}  // namespace

const StepKind planStep{"plan", &parsePlan, &planSchema};

}  // namespace tether::scenario
