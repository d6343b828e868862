#include "scenario/stub_command.hpp"

#include <algorithm>

#include "scenario/world.hpp"
#include "tether/error.hpp"
#include "tether/text.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

StubAnswer::Emission parseEmission(const ConfigValue& value) {
  if (value.raw().is_string()) return {value.text(), json::object(), {}};
  value.allowKeys({"type", "data", "key"});
  const auto type = value.find("type");
  if (!type) value.fail("needs \"type\": the type of the event");
  StubAnswer::Emission emission{type->text(), json::object(), {}};
  if (const auto data = value.find("data")) emission.data = data->raw();
  if (const auto key = value.find("key")) emission.key = key->anyText();
  return emission;
}

StubAnswer parseAnswer(const ConfigValue& value) {
  using End = StubAnswer::End;
  StubAnswer answer;
  if (value.raw().is_string()) {
    answer.end = value.choice<End>({{"ok", End::Ok}, {"hang", End::Hang}, {"crash", End::Crash}});
    return answer;
  }
  value.allowKeys({"emit", "reject", "fail", "message", "retryAfter"});
  if (const auto emit = value.find("emit")) {
    for (const auto& one : emit->oneOrMore()) answer.emits.push_back(parseEmission(one));
  }
  const auto reject = value.find("reject");
  const auto fail = value.find("fail");
  if (reject && fail) fail->failAtKey("a command is rejected or fails, not both");
  if (reject) answer.end = End::Reject;
  if (fail) answer.end = End::Fail;
  const auto& code = reject ? reject : fail;
  if (code) answer.code = code->text();
  answer.message = "as the stub says";
  if (const auto message = value.find("message")) answer.message = message->text();
  if (const auto retryAfter = value.find("retryAfter")) {
    if (!fail) retryAfter->failAtKey("only what fails is tried again: needs \"fail\"");
    answer.retryAfter = retryAfter->duration();
  }
  return answer;
}

json fill(const json& value, const json& payload) {
  if (value.is_object() && value.size() == 1 && value.contains("$payload")) {
    const json::json_pointer pointer(value.at("$payload").get<std::string>());
    return payload.contains(pointer) ? payload.at(pointer) : json();
  }
  if (!value.is_structured()) return value;
  json filled = value;
  for (auto& member : filled) member = fill(member, payload);
  return filled;
}

}  // namespace

Stub parseStub(const ConfigValue& value) {
  const auto answersOf = [](const ConfigValue& list) {
    StubAnswers answers;
    for (const auto& answer : list.oneOrMore()) answers.push_back(parseAnswer(answer));
    return answers;
  };
  const auto byId = value.raw().is_object() ? value.find("byId") : std::nullopt;
  if (!byId) return {answersOf(value), {}};
  value.allowKeys({"byId", "else"});
  Stub stub{{StubAnswer{}}, {}};
  for (const auto& [id, list] : byId->members()) stub.byId[id] = answersOf(list);
  if (const auto others = value.find("else")) stub.answers = answersOf(*others);
  return stub;
}

json stubSchema() {
  const json text = {{"type", "string"}};
  const json emission = {
      {"anyOf",
       {text,
        {{"type", "object"},
         {"required", {"type"}},
         {"additionalProperties", false},
         {"properties", {{"type", text}, {"data", json::object()}, {"key", text}}}}}}};
  const json answer = {
      {"anyOf",
       {{{"enum", {"ok", "hang", "crash"}}},
        {{"type", "object"},
         {"additionalProperties", false},
         {"properties",
          {{"emit",
            {{"anyOf", {emission, {{"type", "array"}, {"items", emission}, {"minItems", 1}}}}}},
           {"reject", text},
           {"fail", text},
           {"message", text},
           {"retryAfter", text}}}}}}};
  const json answers = {
      {"anyOf", {answer, {{"type", "array"}, {"items", answer}, {"minItems", 1}}}}};
  return {{"anyOf",
           {answers,
            {{"type", "object"},
             {"required", {"byId"}},
             {"additionalProperties", false},
             {"properties",
              {{"byId", {{"type", "object"}, {"additionalProperties", answers}}},
               {"else", answers}}}}}}};
}

bool hangs(const Stub& stub) {
  const auto any = [](const StubAnswers& answers) {
    return std::any_of(answers.begin(), answers.end(),
                       [](const auto& answer) { return answer.end == StubAnswer::End::Hang; });
  };
  return any(stub.answers) || std::any_of(stub.byId.begin(), stub.byId.end(),
                                          [&](const auto& own) { return any(own.second); });
}

const StubAnswer& StubCommand::answer(const AttemptContext& context) const {
  const auto index = world_.attemptsBefore(context.command());
  const auto own = stub_->byId.find(context.command().id);
  const auto& answers = own == stub_->byId.end() ? stub_->answers : own->second;
  return answers[std::min(index, answers.size() - 1)];
}

void StubCommand::prepare(PrepareContext& context) {
  if (answer(context).end != StubAnswer::End::Hang) return;
  world_.hang();
  if (context.stopToken().stop_requested()) context.fail("stopped", "told to stop");
  world_.stall(context.deadline() - context.now() + Duration{1});
}

void StubCommand::execute(CommandContext& context) {
  const auto& now = answer(context);
  for (const auto& emission : now.emits) {
    context.events().add(emission.type, fill(emission.data, context.payload()), emission.key);
  }
  if (now.end == StubAnswer::End::Reject) context.reject(now.code, now.message);
  if (now.end == StubAnswer::End::Fail) context.fail(now.code, now.message, now.retryAfter);
  if (now.end == StubAnswer::End::Crash) {
    world_.crash();
    throw Error(ErrorCode::Unavailable, "the process died");
  }
}

}  // namespace tether::scenario
