// resend: an operator sends recorded events once more.
#include <algorithm>

#include "scenario/steps/operation.hpp"
#include "scenario/steps/submission.hpp"
#include "tether/error.hpp"
#include "tether/text.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

/// An event by its `as` or id, or the newest of a type, perhaps of one command.
void checkResendName(const ConfigValue& name) {
  if (!name.raw().is_object()) {
    (void)name.text();
    return;
  }
  name.allowKeys({"type", "command"});
  const auto type = name.find("type");
  if (!type) name.fail("needs \"type\": the type of the event");
  (void)type->text();
  if (const auto command = name.find("command")) (void)command->text();
}

json nameSchema() {
  const json text = {{"type", "string"}};
  return {{"anyOf",
           {text,
            {{"type", "object"},
             {"required", {"type"}},
             {"additionalProperties", false},
             {"properties", {{"type", text}, {"command", text}}}}}}};
}

std::string eventNamed(const Run& run, const json& name) {
  if (name.is_string()) return run.idOf(name.get<std::string>());
  auto filter = everything();
  filter.type = name.at("type").get<std::string>();
  const auto cause = run.idOf(name.value("command", ""));
  const auto events = run.look([&](Snapshot& snapshot) { return snapshot.events(filter); });
  const auto found = std::ranges::find_if(
      events, [&](const Event& event) { return cause.empty() || event.causationId == cause; });
  if (found == events.end()) {
    throw Error(ErrorCode::NotFound, "there is no event of type " + quote(filter.type) +
                                         (cause.empty() ? "" : " of command " + quote(cause)));
  }
  return found->id;
}

StepKind::Act parseResend(const ConfigValue& value, const ConfigValue& /*step*/,
                          Reading& /*reading*/) {
  const auto operation = parseOperation(value, &checkResendName, {"queue"});
  std::string queue;
  if (!operation.written.empty()) {
    if (const auto to = value.find("queue")) queue = to->text();
  }
  return [operation, queue](Run& run) {
    submitOrBeRefused(run, [&] {
      std::vector<std::string> ids;
      for (const auto& name : operation.names) ids.push_back(eventNamed(run, name));
      run.world.engine().deadLetters().resend(ids, queue, operatorOf(operation.reason));
    });
  };
}

json resendSchema() { return operationSchema(nameSchema(), {{"queue", {{"type", "string"}}}}); }

}  // namespace

const StepKind resendStep{"resend", &parseResend, &resendSchema};

}  // namespace tether::scenario
