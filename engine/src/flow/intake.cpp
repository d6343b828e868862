#include "flow/intake.hpp"

#include "model/command_envelope.hpp"
#include "model/json_text.hpp"
#include "model/kept_text.hpp"
#include "model/outcome.hpp"
#include "tether/error.hpp"
#include "tether/json.hpp"

namespace tether::flow {

namespace {

constexpr int kDepthMax = 64;
// More than an envelope has beside its data: eight attributes of 255 bytes, escaped.
constexpr std::size_t kAttributeBytesMost = 16 * 1024;

/// `envelope` gives all but the data, and only for what comes near the limit.
template <class EnvelopeOf>
void checkFits(const std::string& type, const std::string& data, std::size_t limit,
               const std::string& address, EnvelopeOf envelope) {
  if (limit > kAttributeBytesMost && data.size() <= limit - kAttributeBytesMost) return;
  const auto size =
      toJsonText(envelope()).size() + std::string_view(",\"data\":").size() + utf8Json(data).size();
  if (size <= limit) return;
  throw Error(ErrorCode::Invalid, type + " makes a message of " + std::to_string(size) +
                                      " bytes, over the limit of " + std::to_string(limit) +
                                      " bytes of " + address);
}

}  // namespace

NewCommand Intake::fromRequest(CommandRequest& request, const Command* cause) const {
  if (!request.id.empty()) checkId("id", request.id);
  if (!request.correlationId.empty()) checkId("correlationId", request.correlationId);
  if (!request.causationId.empty()) checkId("causationId", request.causationId);
  if (!request.idempotencyKey.empty()) checkId("idempotency key", request.idempotencyKey);
  if (!request.payload.is_object()) {
    throw Error(ErrorCode::Invalid, "payload: must be an object, such as {\"id\":\"o-1\"}, not " +
                                        std::string(request.payload.type_name()));
  }
  const bool inherits = cause != nullptr && request.correlationId.empty();
  const bool caused = cause != nullptr && request.causationId.empty();
  auto command = check(request, routes_.commands);
  if (inherits) command.correlationId = cause->correlationId;
  if (caused) command.causationId = cause->id;
  if (cause != nullptr) command.depth = cause->depth;
  checkSize(command);
  return command;
}

void Intake::checkSize(const NewCommand& command) const {
  if (command.placement != Placement::Forward) return;
  checkFits(command.type, command.payload, routes_.commandBytesMax,
            options_.addressOf("commands").text(), [&] { return attributesOf(command); });
}

Event Intake::eventOf(const CollectedEvent& said, int index, const Command& cause, Time now) const {
  Event event;
  // With the source: one id from two sources is two commands.
  event.id = deriveId(cause.id, "event/" + std::to_string(index) + '/' + cause.source);
  event.source = options_.source;
  event.type = said.type;
  event.correlationId = cause.correlationId;
  event.causationId = cause.id;
  event.key = said.key.value_or(cause.key);
  event.traceparent = cause.traceparent;
  event.data = said.data;
  event.commandSeq = cause.seq;
  event.depth = cause.depth;
  event.time = now;
  return event;
}

void Intake::checkSize(const CollectedEvent& said, const Command& cause, Time now) const {
  if (!routes_.eventsRemote) return;
  checkFits(said.type, said.data, routes_.eventBytesMax, options_.addressOf("events").text(), [&] {
    auto event = eventOf(said, 0, cause, now);
    event.data = "null";
    return toEnvelope(event);
  });
}

Acceptance Intake::arrive(Unit& unit, Envelope envelope, const std::string& group) const {
  if (isOutcome(envelope.type)) return hearOutcome(unit, envelope);
  if (builder_.declares(envelope.type)) {
    return unit.accept(fromEnvelope(std::move(envelope), group));
  }
  if (!events_.reactsTo(envelope.type) && !events_.hasSubscribers(envelope.type)) {
    throw Error(ErrorCode::NotFound, "nobody declared the type " + envelope.type);
  }
  if (envelope.key.empty()) envelope.key = group;
  Acceptance acceptance;
  acceptance.claimable = receive(unit, envelope);
  acceptance.receipt.commandId = envelope.id;
  acceptance.receipt.correlationId =
      envelope.correlationId.empty() ? envelope.id : envelope.correlationId;
  acceptance.receipt.acceptedAt = clock_.now();
  return acceptance;
}

Acceptance Intake::hearOutcome(Unit& unit, const Envelope& envelope) const {
  const auto outcome = parseOutcome(envelope);
  if (!unit.close(outcome)) {
    throw Error(ErrorCode::NotFound, "command " + outcome.commandId +
                                         " was not handed over by this store, or is pruned here;"
                                         " does another store listen to the queue that it replies"
                                         " to?");
  }
  Acceptance acceptance;
  acceptance.receipt.commandId = outcome.commandId;
  acceptance.receipt.correlationId = envelope.correlationId;
  acceptance.receipt.acceptedAt = clock_.now();
  return acceptance;
}

void Intake::checkArrival(Envelope envelope) const {
  if (isOutcome(envelope.type)) {
    (void)parseOutcome(envelope);
  } else if (builder_.declares(envelope.type)) {
    (void)fromEnvelope(std::move(envelope), {});
  } else if (!events_.reactsTo(envelope.type) && !events_.hasSubscribers(envelope.type)) {
    throw Error(ErrorCode::NotFound, "nobody declared the type " + envelope.type);
  }
}

NewCommand Intake::fromEnvelope(Envelope envelope, const std::string& group) const {
  CommandRequest request;
  request.type = std::move(envelope.type);
  request.payload = std::move(envelope.data);
  request.id = std::move(envelope.id);
  request.correlationId = std::move(envelope.correlationId);
  request.causationId = std::move(envelope.causationId);
  if (!envelope.key.empty()) request.key = std::move(envelope.key);
  request.traceparent = std::move(envelope.traceparent);
  auto command = check(request, Placement::Run);
  command.source = std::move(envelope.source);
  if (command.key.empty()) command.key = group;
  // Somebody who asks for an answer where this program cannot send one still gets the work done.
  if (canAnswer(envelope)) command.replyTo = std::move(envelope.replyTo);
  return command;
}

bool Intake::canAnswer(const Envelope& envelope) const {
  return !options_.addressOf(envelope.replyTo).isLocal();
}

void Intake::refuse(Unit& unit, const Envelope& envelope, const Failure& why) const {
  if (isOutcome(envelope.type) || !canAnswer(envelope)) return;
  const auto now = clock_.now();
  Command command;
  command.id = envelope.id;
  command.source = envelope.source;
  command.correlationId = envelope.correlationId.empty() ? envelope.id : envelope.correlationId;
  command.key = envelope.key;
  command.traceparent = envelope.traceparent;
  auto event = toEvent({command.id, command.source, 0, CommandState::Dead, why, now}, command);
  // Not that of an end: the command may have one later.
  event.id = deriveId(command.id, "refused/" + command.source + '/' + why.code + why.message);
  const Destination to{envelope.replyTo, true};
  if (!unit.record(event, {to})) (void)unit.resend(event.id, to, now);
}

NewCommand Intake::check(CommandRequest& request, Placement placement) const {
  const CommandSettings* settings = nullptr;
  try {
    settings = &builder_.settings(request.type);
  } catch (const Error& error) {
    throw Error(ErrorCode::Invalid, error.what());
  }
  checkJson("payload", request.payload);
  // What no text can say collides with the store's own marks, and with the end of the clock.
  if (request.notBefore && parseTime(toText(*request.notBefore)) != *request.notBefore) {
    throw Error(ErrorCode::Invalid, "notBefore is outside the years 0000 to 9999");
  }
  NewCommand command;
  command.acceptedAt = clock_.now();
  command.id = request.id.empty() ? ids_.next() : std::move(request.id);
  command.correlationId =
      request.correlationId.empty() ? command.id : std::move(request.correlationId);
  command.source = options_.source;
  command.type = request.type;
  if (options_.idempotency > Duration{0}) {
    command.keysSince = command.acceptedAt - options_.idempotency;
  }
  command.causationId = std::move(request.causationId);
  command.idempotencyKey = std::move(request.idempotencyKey);
  command.traceparent = std::move(request.traceparent);
  command.notBefore = request.notBefore;
  if (request.delay) {
    if (request.notBefore) {
      throw Error(ErrorCode::Invalid, "delay and notBefore exclude each other");
    }
    if (*request.delay > kLongestDuration) {
      throw Error(ErrorCode::Invalid, "a delay is at most " + toText(kLongestDuration));
    }
    command.notBefore = command.acceptedAt + *request.delay;
    command.relative = true;
  }
  place(command, placement);
  if (settings->validate) settings->validate(request.payload);
  if (request.key) {
    command.key = std::move(*request.key);
  } else if (settings->key) {
    command.key = settings->key(request.payload);
  }
  if (!command.key.empty()) checkAttribute("key", command.key);
  if (!command.traceparent.empty()) checkAttribute("traceparent", command.traceparent);
  command.payload = canonicalJson(request.payload);
  command.fingerprint = sha256(command.type + '\n' + command.payload).substr(0, 32);
  return command;
}

void Intake::place(NewCommand& command, Placement placement) const {
  command.placement = placement;
  if (placement == Placement::Forward) command.replyTo = options_.replyTo;
}

NewCommand Intake::reaction(const Event& event, const std::string& commandType) const {
  CommandRequest request;
  request.type = commandType;
  request.id = deriveId(event.id, "reaction/" + commandType + '/' + event.source);
  request.correlationId = event.correlationId;
  request.causationId = event.id;
  request.traceparent = event.traceparent;
  const auto failedAtAccept = [&](const Failure& why) {
    NewCommand command;
    command.id = request.id;
    command.source = options_.source;
    command.type = commandType;
    command.correlationId = event.correlationId;
    command.causationId = event.id;
    command.payload = event.data;
    command.fingerprint = sha256(commandType + '\n' + event.data).substr(0, 32);
    command.acceptedAt = clock_.now();
    place(command, routes_.commands);  // a replay goes that way
    command.failedAtAccept = kept(why);
    return command;
  };
  NewCommand command;
  if (event.depth + 1 > kDepthMax) {
    command = failedAtAccept({"too_deep", "a chain of more than 64 reactions led to it"});
  } else {
    try {
      auto checked = request;
      checked.payload = parseJson("event", event.data, kMessageLimits);
      command = check(checked, routes_.commands);
      checkSize(command);
    } catch (const std::exception& error) {
      command = failedAtAccept({"invalid", error.what()});
    }
  }
  command.depth = event.depth + 1;
  return command;
}

bool Intake::react(Unit& unit, const Event& event) const {
  bool claimable = false;
  for (const auto& type : events_.reactionsTo(event.type)) {
    claimable = unit.accept(reaction(event, type)).claimable || claimable;
  }
  return claimable;
}

bool Intake::emit(Unit& unit, const Event& event) const {
  std::vector<Destination> destinations = {{"events", routes_.eventsRemote}};
  events_.addDestinations(event.type, destinations);
  unit.record(event, destinations);
  return react(unit, event);
}

bool Intake::receive(Unit& unit, const Envelope& envelope) const {
  Event event;
  event.id = envelope.id;
  event.source = envelope.source;
  event.type = envelope.type;
  event.correlationId = envelope.correlationId.empty() ? envelope.id : envelope.correlationId;
  event.causationId = envelope.causationId;
  event.key = envelope.key;
  event.traceparent = envelope.traceparent;
  checkJson("data", envelope.data);
  event.data = canonicalJson(envelope.data);
  event.time = clock_.now();
  std::vector<Destination> destinations;
  events_.addDestinations(event.type, destinations);
  if (!unit.record(event, destinations)) return false;
  return react(unit, event);
}

}  // namespace tether::flow
