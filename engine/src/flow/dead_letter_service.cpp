#include "flow/dead_letter_service.hpp"

#include <algorithm>
#include <functional>
#include <set>

#include "flow/arrival.hpp"
#include "flow/payload_edit.hpp"
#include "flow/plan_run.hpp"
#include "model/audit.hpp"
#include "tether/error.hpp"
#include "tether/json.hpp"
#include "tether/seam.hpp"

namespace tether::flow {

namespace {

/// What has no id of its own has that of its letter.
Delivery arrivalOf(const DeadLetter& letter, const std::string& body) {
  Delivery delivery;
  delivery.id = letter.id;
  delivery.body = body;
  delivery.attributes = letter.attributes;
  const auto group = letter.attributes.find("MessageGroupId");
  if (group != letter.attributes.end()) delivery.key = group->second;
  return delivery;
}

using nlohmann::json;

/// So many are done in one commit: others write between two of them, and what a commit costs does
/// not grow with how much there is to do.
constexpr std::size_t kPage = 200;

/// Calls with the first of each page and what follows its last. An error of a later page says what
/// the earlier ones have done.
void inPages(std::size_t count, const std::function<void(std::size_t, std::size_t)>& page) {
  for (std::size_t from = 0; from < count; from += kPage) {
    try {
      page(from, std::min(count, from + kPage));
    } catch (const Error& error) {
      if (from == 0) throw;
      throw Error(error.code(),
                  std::string(error.what()) + "; " + std::to_string(from) + " of " +
                      std::to_string(count) + " were done before it",
                  error.subject());
    }
  }
}

/// What became of a message that was replayed.
Receipt takenIn(const DeadLetter& letter) {
  const auto envelope = parseEnvelope(letter.body);
  Receipt receipt;
  receipt.commandId = envelope.id;
  receipt.correlationId = envelope.correlationId.empty() ? envelope.id : envelope.correlationId;
  receipt.duplicate = true;
  receipt.acceptedAt = letter.replayedAt.value_or(letter.failedAt);
  return receipt;
}

}  // namespace

DeadLetter DeadLetterService::letterOf(const std::string& letterId) {
  return lettersOf({letterId}).front();
}

std::vector<DeadLetter> DeadLetterService::lettersOf(const std::vector<std::string>& letterIds) {
  std::vector<DeadLetter> letters;
  store_.read([&](Snapshot& snapshot) {
    for (const auto& id : letterIds) {
      auto letter = snapshot.deadLetter(id);
      if (!letter) {
        throw Error(ErrorCode::NotFound, "no dead letter " + id, Subject::DeadLetter);
      }
      letters.push_back(*std::move(letter));
    }
  });
  return letters;
}

Command DeadLetterService::commandOf(const DeadLetter& letter) {
  std::optional<Command> command;
  store_.read([&](Snapshot& snapshot) { command = snapshot.commandAt(letter.commandSeq); });
  if (!command) {
    throw Error(ErrorCode::NotFound, "the command of dead letter " + letter.id + " is not there");
  }
  return *std::move(command);
}

// ---- bodies ----

/// With the edits in it, in the types that the schema of its command knows.
json DeadLetterService::edited(const DeadLetter& letter,
                               const std::vector<PayloadEdit>& set) const {
  requireEditable(letter);
  TypeAt typeAt;
  if (builder_.declares(letter.type)) typeAt = builder_.settings(letter.type).typeAt;
  if (letter.kind == DeadLetterKind::Message && typeAt) {
    typeAt = [inside = std::move(typeAt)](const std::string& pointer) {
      constexpr std::string_view kData = "/data";
      const bool ofData = pointer.starts_with(std::string(kData) + '/');
      return ofData ? inside(pointer.substr(kData.size())) : std::string();
    };
  }
  return withEdits(letter.body, set, typeAt);
}

Replay::Edit DeadLetterService::checked(const DeadLetter& letter, const Command& command,
                                        const std::string& body) const {
  CommandRequest request;
  request.type = letter.type;
  request.payload = parseJson("payload", body, kMessageLimits);
  // A key that the caller gave stays; one that comes from the payload follows it.
  if (!command.key.empty() && command.key != derivedKey(command)) request.key = command.key;
  auto accepted = intake_.fromEdit(request);
  return {std::move(accepted.payload), std::move(accepted.key)};
}

/// Nothing: its type has no rule for keys, or the payload does not fit it.
std::optional<std::string> DeadLetterService::derivedKey(const Command& command) const {
  if (!builder_.declares(command.type) || !builder_.settings(command.type).key) return {};
  try {
    return builder_.settings(command.type)
        .key(parseJson("payload", command.payload, kMessageLimits));
  } catch (const std::exception&) {  // a host's own rule may throw anything
    return {};
  }
}

void DeadLetterService::requireEditable(const DeadLetter& letter) const {
  if (letter.kind != DeadLetterKind::Delivery) return;
  throw Error(
      ErrorCode::Unsupported,
      "dead letter " + letter.id + " is an event, and those never change once they are said");
}

void DeadLetterService::checkBody(const DeadLetter& letter, const std::string& body) {
  requireEditable(letter);
  if (letter.kind == DeadLetterKind::Message) {
    return intake_.checkArrival(envelopeOf(arrivalOf(letter, body), letter.queue));
  }
  (void)checked(letter, commandOf(letter), body);
}

std::string DeadLetterService::bodyWith(const std::string& letterId,
                                        const std::vector<PayloadEdit>& set) {
  return canonicalJson(edited(letterOf(letterId), set));
}

void DeadLetterService::check(const LetterEdit& edit) {
  const auto letter = letterOf(edit.letterId);
  if (edit.version && *edit.version != letter.version) {
    throw Error(ErrorCode::Conflict,
                "dead letter " + letter.id + " is of version " + std::to_string(letter.version) +
                    " now, not " + std::to_string(*edit.version) + ": somebody else has edited it");
  }
  checkBody(letter, edit.body);
}

void DeadLetterService::edit(const std::vector<LetterEdit>& edits, const Operator& by) {
  std::vector<DeadLetter> letters;
  for (const auto& edit : edits) {
    check(edit);
    letters.push_back(letterOf(edit.letterId));
  }
  store_.commit(Durability::Durable, [&](Unit& unit) {
    for (std::size_t i = 0; i < edits.size(); ++i) {
      const auto& letter = letters[i];
      unit.edit(letter.id, edits[i].version.value_or(letter.version), edits[i].body);
      auto entry = auditOf(letter, "edited", by, clock_.now());
      entry.detail = json({{"version", edits[i].version.value_or(letter.version) + 1}}).dump();
      unit.audit(entry);
    }
  });
}

// ---- replay ----

void DeadLetterService::requireInWindow(const DeadLetter& letter, bool allowExpired) const {
  const auto window = options_.dedupWindow;
  const bool waits = letter.state() != DeadLetterState::Replayed;
  if (allowExpired || !waits || window <= Duration{0}) return;
  if (letter.failedAt >= clock_.now() - window) return;
  throw Error(ErrorCode::Conflict,
              "dead letter " + letter.id + " failed more than " + toText(window) +
                  " ago: a copy of it on a remote queue may be gone from deduplication",
              Subject::DedupWindow);
}

DeadLetterService::Ready DeadLetterService::readyOf(const DeadLetter& letter,
                                                    const std::vector<PayloadEdit>& set) {
  Ready ready{letter, letter.seq, letter.body, {}, {}};
  if (letter.state() == DeadLetterState::Replayed) return ready;
  try {
    if (!set.empty()) {
      const auto body = edited(letter, set);
      ready.body = canonicalJson(body);
      for (const auto& edit : set)
        ready.set[edit.pointer] = body.at(json::json_pointer(edit.pointer));
    }
    if (letter.kind == DeadLetterKind::Delivery) {
      store_.read([&](Snapshot& snapshot) {
        if (const auto event = snapshot.event(letter.eventId)) ready.order = event->seq;
      });
    }
    if (letter.kind != DeadLetterKind::Command) return ready;
    const auto command = commandOf(letter);
    ready.order = command.seq;
    // What was dead when it was accepted, because its payload is wrong, would run unchecked.
    const bool unchecked = letter.attempts == 0 && letter.generation == 0;
    if (!set.empty() || !letter.editedFrom.empty() || unchecked) {
      ready.edit = checked(letter, command, ready.body);
    }
    return ready;
  } catch (const Error& error) {
    const std::string why = error.what();
    if (why.find(letter.id) != std::string::npos) throw;
    throw Error(error.code(), "dead letter " + letter.id + ": " + why);
  }
}

Receipt DeadLetterService::takeIn(Unit& unit, const Ready& ready) const {
  try {
    const auto& letter = ready.letter;
    const auto delivery = arrivalOf(letter, ready.body);
    return intake_.arrive(unit, envelopeOf(delivery, letter.queue), delivery.key).receipt;
  } catch (const Error& error) {
    const bool undeclared = error.code() == ErrorCode::NotFound;
    throw Error(undeclared ? ErrorCode::Unsupported : error.code(),
                "dead letter " + ready.letter.id + " cannot be taken in: " + error.what());
  }
}

ReplayResult DeadLetterService::replayOne(Unit& unit, const Ready& ready,
                                          const ReplayOptions& options,
                                          const std::string& planId) const {
  const auto& letter = ready.letter;
  const auto now = clock_.now();
  ReplayResult result{letter.id, {}, false};
  auto version = letter.version;
  if (!options.set.empty() && letter.state() != DeadLetterState::Replayed) {
    unit.edit(letter.id, version++, ready.body);  // what it was stays in the letter
  }
  if (letter.kind == DeadLetterKind::Message) {
    result.before = !unit.markReplayed(letter.id, version, now);
    result.receipt = result.before ? takenIn(letter) : takeIn(unit, ready);
  } else {
    const bool mapped = !options_.addressOf(letter.queue).isLocal();
    result.receipt = unit.replay({letter.id, now, version, mapped, ready.edit});
    result.before = result.receipt.duplicate;
  }
  if (result.before) return result;
  auto entry = auditOf(letter, "replayed", options.by, now);
  json detail = json::object();
  if (!ready.set.empty()) detail["set"] = ready.set;
  if (!planId.empty()) detail["plan"] = planId;
  if (!detail.empty()) entry.detail = detail.dump();
  unit.audit(entry);
  return result;
}

std::vector<ReplayResult> DeadLetterService::replay(const std::vector<std::string>& letterIds,
                                                    const ReplayOptions& options) {
  struct Next {
    std::int64_t order;
    std::string letterId;
  };
  std::vector<Next> next;
  std::set<std::string> seen;
  for (const auto& id : letterIds) {
    if (!seen.insert(id).second) continue;
    const auto letter = letterOf(id);
    if (letter.state() == DeadLetterState::Archived) {
      throw Error(ErrorCode::Conflict, "dead letter " + id + " is archived: restore it first",
                  Subject::DeadLetter);
    }
    requireInWindow(letter, options.allowExpired);
    next.push_back({readyOf(letter, options.set).order, id});
  }
  std::ranges::sort(next, {}, &Next::order);
  std::vector<ReplayResult> results;
  inPages(next.size(), [&](std::size_t from, std::size_t to) {
    // Read again, so that only one page of bodies is held.
    std::vector<Ready> ready;
    for (auto at = from; at < to; ++at) {
      ready.push_back(readyOf(letterOf(next[at].letterId), options.set));
    }
    store_.commit(Durability::Durable, [&](Unit& unit) {
      results.resize(from);
      for (const auto& one : ready) results.push_back(replayOne(unit, one, options, {}));
      passSeam(Seam::replay_after_select);
    });
    passSeam(Seam::replay_after_commit);
    listener_.wake();
  });
  return results;
}

PlanItem DeadLetterService::replayPlanned(const ReplayPlan& plan, const ReplayPlan::Letter& planned,
                                          const ApplyOptions& options) {
  PlanItem item{planned.id, {}, {}, {}, clock_.now()};
  const auto note = [&](const char* outcome, Failure error) {
    item.outcome = outcome;
    item.error = std::move(error);
    store_.commit(Durability::Durable, [&](Unit& unit) { unit.recordPlanItem(plan.id, item); });
    return item;
  };
  try {
    const auto letter = letterOf(planned.id);
    const auto state = letter.state();
    const bool edited = state == DeadLetterState::Waiting && letter.version != planned.version;
    if (state == DeadLetterState::Archived || edited) {
      return note("changed", {"changed", "it was edited or archived since the plan was made"});
    }
    try {
      requireInWindow(letter, options.allowExpired);
    } catch (const Error& error) {  // not for good: it may be allowed when the plan is resumed
      item.outcome = "refused";
      item.error = {std::string(toString(error.code())), error.what()};
      return item;
    }
    const auto ready = readyOf(letter, plan.set);
    store_.commit(Durability::Durable, [&](Unit& unit) {
      const auto result = replayOne(unit, ready, {options.by, plan.set, false}, plan.id);
      item.outcome = result.before ? "before" : "replayed";
      item.commandId = letter.kind == DeadLetterKind::Delivery ? "" : result.receipt.commandId;
      unit.recordPlanItem(plan.id, item);
      passSeam(Seam::replay_after_select);
    });
    passSeam(Seam::replay_after_commit);
    listener_.wake();
    return item;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::Unavailable || error.code() == ErrorCode::Internal) throw;
    if (auto done = ledgerItem(plan.id, planned.id)) return *done;  // somebody else applies it too
    const bool gone = error.code() == ErrorCode::NotFound;
    item.commandId.clear();
    return note(gone ? "gone" : "refused", {std::string(toString(error.code())), error.what()});
  } catch (const std::exception& error) {  // a host's own check
    item.commandId.clear();
    return note("refused", {"exception", error.what()});
  }
}

std::optional<PlanItem> DeadLetterService::ledgerItem(const std::string& planId,
                                                      const std::string& letterId) {
  std::optional<PlanItem> found;
  store_.read([&](Snapshot& snapshot) { found = snapshot.planItem(planId, letterId); });
  return found;
}

ReplayPlan DeadLetterService::plan(const Filter& filter, std::vector<PayloadEdit> set,
                                   const Operator& by) {
  std::vector<DeadLetter> letters;
  auto waiting = filter;
  waiting.letters = DeadLetterState::Waiting;
  store_.read([&](Snapshot& snapshot) { letters = snapshot.deadLetters(waiting); });
  std::vector<std::pair<std::int64_t, ReplayPlan::Letter>> ordered;
  for (const auto& letter : letters) {
    ordered.push_back({readyOf(letter, set).order, {letter.id, letter.version}});
  }
  std::ranges::sort(ordered, {}, [](const auto& one) { return one.first; });
  ReplayPlan plan{ids_.next(), clock_.now(), by, std::move(set), {}};
  for (auto& [order, letter] : ordered) plan.letters.push_back(std::move(letter));
  return plan;
}

std::unique_ptr<PlanRun> DeadLetterService::apply(ReplayPlan plan, const ApplyOptions& options) {
  return std::make_unique<StorePlanRun>(*this, store_, std::move(plan), options, clock_);
}

// ---- aside, back, away ----

std::vector<std::string> DeadLetterService::forEach(const std::vector<std::string>& letterIds,
                                                    const Operator& by, const char* action,
                                                    bool (*change)(Unit&, const std::string&,
                                                                   Time)) {
  for (const auto& id : letterIds) (void)letterOf(id);  // one that there is not refuses them all
  std::vector<std::string> changed;
  inPages(letterIds.size(), [&](std::size_t from, std::size_t to) {
    const auto before = changed.size();
    const auto letters = lettersOf({letterIds.begin() + static_cast<std::ptrdiff_t>(from),
                                    letterIds.begin() + static_cast<std::ptrdiff_t>(to)});
    store_.commit(Durability::Durable, [&](Unit& unit) {
      changed.resize(before);
      for (const auto& letter : letters) {
        if (!change(unit, letter.id, clock_.now())) continue;
        unit.audit(auditOf(letter, action, by, clock_.now()));
        changed.push_back(letter.id);
      }
    });
    listener_.wake();  // a key may have waited for one
  });
  return changed;
}

std::vector<std::string> DeadLetterService::archive(const std::vector<std::string>& letterIds,
                                                    const Operator& by) {
  return forEach(letterIds, by, "archived",
                 [](Unit& unit, const std::string& id, Time now) { return unit.archive(id, now); });
}

std::vector<std::string> DeadLetterService::restore(const std::vector<std::string>& letterIds,
                                                    const Operator& by) {
  return forEach(letterIds, by, "restored", [](Unit& unit, const std::string& id, Time) {
    return unit.archive(id, std::nullopt);
  });
}

std::vector<std::string> DeadLetterService::purge(const std::vector<std::string>& letterIds,
                                                  const Operator& by) {
  return forEach(letterIds, by, "purged",
                 [](Unit& unit, const std::string& id, Time) { return unit.purgeLetter(id); });
}

void DeadLetterService::resend(const std::vector<std::string>& eventIds, const std::string& queue,
                               const Operator& by) {
  Destination where{"events", routes_.eventsRemote};
  if (!queue.empty()) {
    where = {queue, !options_.addressOf(queue).isLocal()};
    bool known = options_.queues.contains(queue);
    store_.read([&](Snapshot& snapshot) {
      for (const auto& info : snapshot.queues()) {
        if (info.name != queue) continue;
        known = true;
        if (!info.commands) continue;
        throw Error(ErrorCode::Invalid, "queue " + queue + " carries commands, not events");
      }
    });
    if (!known) throw Error(ErrorCode::NotFound, "no queue " + queue, Subject::Queue);
  }
  const auto refuse = [](const std::string& id) {
    throw Error(ErrorCode::NotFound, "no event " + id, Subject::Event);
  };
  store_.read([&](Snapshot& snapshot) {
    for (const auto& id : eventIds) {
      if (!snapshot.event(id)) refuse(id);
    }
  });
  inPages(eventIds.size(), [&](std::size_t from, std::size_t to) {
    store_.commit(Durability::Durable, [&](Unit& unit) {
      for (auto at = from; at < to; ++at) {
        const auto& id = eventIds[at];
        if (!unit.resend(id, where, clock_.now())) refuse(id);
        auto entry = auditOf("resent", by, clock_.now());
        entry.subjectId = id;
        entry.detail = json({{"queue", where.queue}}).dump();
        unit.audit(entry);
      }
    });
  });
}

}  // namespace tether::flow
