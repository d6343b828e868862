#include "model/outcome.hpp"

#include "model/kept_text.hpp"
#include "tether/error.hpp"
#include "tether/ids.hpp"
#include "tether/json.hpp"
#include "tether/text.hpp"

namespace tether {

namespace {

using nlohmann::json;

constexpr std::int64_t kGenerationMax = 1'000'000'000;
constexpr std::string_view kPrefix = "tether.command.";
// The event must fit any queue: too large a one would never arrive, and the command would wait.
constexpr std::size_t kSentBytesMax = std::size_t{8} * 1024;

[[noreturn]] void refuse(const Envelope& envelope, const std::string& problem) {
  throw Error(ErrorCode::Invalid, envelope.type + ": " + problem);
}

/// A member of this type; of `fallback` when it may be missing.
template <class Value>
Value member(const Envelope& envelope, const json& object, const char* name,
             const Value* fallback = nullptr) {
  const auto found = object.find(name);
  if (found == object.end() && fallback != nullptr) return *fallback;
  constexpr bool kText = std::is_same_v<Value, std::string>;
  if (found == object.end() || !(kText ? found->is_string() : found->is_number_integer())) {
    refuse(envelope, std::string("data.") + name + (kText ? " must be text" : " must be a number"));
  }
  return found->get<Value>();
}

}  // namespace

bool isOutcome(std::string_view eventType) { return eventType.starts_with(kPrefix); }

Event toEvent(const CommandOutcome& outcome, const Command& command) {
  Event event;
  event.id =
      deriveId(command.id, "outcome/" + std::to_string(outcome.generation) + '/' + command.source);
  event.source = "tether";
  event.type = std::string(kPrefix) + std::string(toString(outcome.state));
  event.correlationId = command.correlationId;
  event.causationId = command.id;
  event.key = command.key;
  event.traceparent = command.traceparent;
  event.commandSeq = command.seq;
  event.depth = command.depth;
  event.time = outcome.endedAt;
  json data = {{"commandId", outcome.commandId},
               {"source", outcome.source},
               {"generation", outcome.generation}};
  if (outcome.error != Failure{}) {
    data["error"] = {{"code", keptText(outcome.error.code, kSentBytesMax)},
                     {"message", keptText(outcome.error.message, kSentBytesMax)}};
  }
  event.data = canonicalJson(data);
  return event;
}

CommandOutcome parseOutcome(const Envelope& envelope) {
  CommandOutcome outcome;
  const auto state = parseCommandState(std::string_view(envelope.type).substr(kPrefix.size()));
  if (!state || isOpen(*state)) refuse(envelope, "no such end of a command");
  if (!envelope.data.is_object()) refuse(envelope, "data must be an object");
  if (!envelope.time) refuse(envelope, "time is missing");
  outcome.state = *state;
  outcome.endedAt = *envelope.time;
  outcome.commandId = member<std::string>(envelope, envelope.data, "commandId");
  outcome.source = member<std::string>(envelope, envelope.data, "source");
  const auto generation = member<std::int64_t>(envelope, envelope.data, "generation");
  if (generation < 0 || generation > kGenerationMax)
    refuse(envelope, "data.generation is too large");
  outcome.generation = static_cast<int>(generation);
  if (const auto error = envelope.data.find("error"); error != envelope.data.end()) {
    if (!error->is_object()) refuse(envelope, "data.error must be an object");
    const std::string none;
    outcome.error = kept(Failure{member(envelope, *error, "code", &none),
                                 member(envelope, *error, "message", &none)});
  }
  return outcome;
}

}  // namespace tether
