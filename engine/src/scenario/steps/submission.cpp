#include "scenario/steps/submission.hpp"

#include "tether/error.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

Submission parseOne(const ConfigValue& value, Reading& reading, const std::string& fallback) {
  value.allowKeys({"type", "payload", "as", "id", "key", "correlationId", "causationId",
                   "idempotencyKey", "delay", "at"});
  const auto type = value.find("type");
  if (!type) value.fail("needs \"type\": the type of the command");
  reading.submits.push_back({type->text(), type->place()});
  checkTexts(value, {"id", "key", "correlationId", "causationId", "idempotencyKey"});
  if (const auto delay = value.find("delay")) (void)delay->duration();
  if (const auto at = value.find("at")) {
    (void)at->time();
    if (value.find("delay")) at->failAtKey("\"at\" and \"delay\" say the same");
  }
  Submission submission;
  submission.as = reading.name(value);
  submission.written = value.raw();
  const auto id = value.find("id");
  submission.id = id && id->raw().is_string() ? id->text()
                  : !submission.as.empty()    ? submission.as
                                              : fallback;
  reading.ids.insert(submission.id);
  reading.id(value.find("correlationId"));
  return submission;
}

}  // namespace

std::vector<Submission> parseSubmissions(const ConfigValue& value, Reading& reading) {
  std::vector<Submission> submissions;
  const auto step = "step-" + std::to_string(reading.step);
  if (!value.raw().is_array()) return {parseOne(value, reading, step)};
  for (const auto& one : value.oneOrMore()) {
    submissions.push_back(
        parseOne(one, reading, step + "." + std::to_string(submissions.size() + 1)));
  }
  return submissions;
}

CommandRequest Submission::request(const Run& run) const {
  const auto resolved = run.resolved(written);
  CommandRequest request;
  request.type = textAt(resolved, "type");
  if (resolved.contains("payload")) request.payload = resolved.at("payload");
  request.id = resolved.contains("id") ? textAt(resolved, "id") : id;
  request.correlationId = textAt(resolved, "correlationId");
  request.causationId = textAt(resolved, "causationId");
  request.idempotencyKey = textAt(resolved, "idempotencyKey");
  if (resolved.contains("key")) request.key = textAt(resolved, "key");
  if (resolved.contains("at")) request.notBefore = parseTime(textAt(resolved, "at"));
  if (resolved.contains("delay")) request.delay = parseDuration(textAt(resolved, "delay"));
  return request;
}

void Submission::announce(Run& run) const {
  if (!as.empty()) run.answers[as] = {{"id", id}, {"correlationId", id}};
}

json submissionSchema() {
  const json text = {{"type", "string"}};
  const json textOrRef = {{"type", {"string", "object"}}};
  return {{"type", "object"},
          {"required", {"type"}},
          {"additionalProperties", false},
          {"properties",
           {{"type", text},
            {"payload", json::object()},
            {"as", text},
            {"id", textOrRef},
            {"key", textOrRef},
            {"correlationId", textOrRef},
            {"causationId", textOrRef},
            {"idempotencyKey", textOrRef},
            {"delay", text},
            {"at", text}}}};
}

void checkTexts(const ConfigValue& value, std::initializer_list<const char*> members) {
  for (const char* member : members) {
    const auto text = value.find(member);
    if (text && matcherName(text->raw()) != "$ref") (void)text->anyText();
  }
}

void submitOrBeRefused(Run& run, const std::function<void()>& submit) {
  try {
    submit();
  } catch (const Error& error) {
    run.refused = {{"code", toString(error.code())}, {"message", error.what()}};
  } catch (const Failed& failed) {  // an injected error
    run.refused = {{"code", failed.failure().code}, {"message", failed.failure().message}};
  }
}

}  // namespace tether::scenario
