#include "tether/operations.hpp"

#include <algorithm>
#include <map>
#include <span>
#include <utility>

#include "model/audit.hpp"
#include "model/kept_text.hpp"
#include "tether/error.hpp"
#include "tether/text.hpp"

namespace tether {
namespace {

/// So many in one commit: others write between two of them.
constexpr std::size_t kOperationPage = 200;

/// Acts on one page of answers after the other; returns them in the order of the ids.
template <class Answer, class Act>
std::vector<Answer> inPages(const std::vector<std::string>& commandIds, Act act) {
  std::vector<Answer> answers;
  for (const auto& id : commandIds) answers.push_back({.commandId = id});
  const std::span all(answers);
  for (std::size_t from = 0; from < all.size(); from += kOperationPage) {
    act(all.subspan(from, std::min(kOperationPage, all.size() - from)));
  }
  return answers;
}

/// For the audit, of facts that never change. One that is accepted meanwhile has its id alone.
template <class Answer>
std::map<std::string, Command> commandsOf(Store& store, std::span<const Answer> page) {
  std::map<std::string, Command> commands;
  store.read([&](Snapshot& snapshot) {
    for (const auto& answer : page) {
      auto& command = commands[answer.commandId];
      command = snapshot.command(answer.commandId).value_or(Command{});
      command.id = answer.commandId;
    }
  });
  return commands;
}

AuditEntry auditOf(const PauseTarget& target, const char* action, const Operator& by, Time now) {
  auto entry = auditOf(action, by, now);
  entry.subjectId = target.queue;
  entry.type = target.type;
  return entry;
}

}  // namespace

void Operations::changed() const {
  if (options_.changed) options_.changed();
}

std::vector<CancelAnswer> Operations::cancel(const std::vector<std::string>& commandIds,
                                             const CancelOptions& options) {
  return inPages<CancelAnswer>(commandIds,
                               [&](std::span<CancelAnswer> page) { cancelPage(page, options); });
}

void Operations::cancelPage(std::span<CancelAnswer> page, const CancelOptions& options) {
  const auto& by = options.by;
  const auto reason =
      kept(Failure{"cancelled", by.reason.empty() ? "cancelled by " + by.name : by.reason});
  const auto commands = commandsOf<CancelAnswer>(store_, page);
  store_.commit(Durability::Durable, [&](Unit& unit) {
    const auto now = clock_.now();
    for (auto& [id, outcome, state] : page) {
      outcome = options.handedOver ? unit.giveUp(id, reason, now) : unit.cancel(id, reason, now);
      const bool done = outcome == Cancelled::Done;
      if (!done && outcome != Cancelled::Requested) continue;
      const auto* action = done ? "cancelled" : "cancel-requested";
      unit.audit(auditOf(commands.at(id), action, by, now));
    }
  });
  changed();
  store_.read([&](Snapshot& snapshot) {
    for (auto& answer : page) {
      if (const auto command = snapshot.command(answer.commandId)) answer.state = command->state;
    }
  });
}

std::vector<ResendAnswer> Operations::resend(const std::vector<std::string>& commandIds,
                                             const Operator& by) {
  return inPages<ResendAnswer>(commandIds, [&](std::span<ResendAnswer> page) {
    const auto commands = commandsOf<ResendAnswer>(store_, page);
    store_.commit(Durability::Durable, [&](Unit& unit) {
      const auto now = clock_.now();
      for (auto& [id, outcome] : page) {
        outcome = unit.resendCommand(id, now);
        if (outcome == Resent::Done) unit.audit(auditOf(commands.at(id), "resent", by, now));
      }
    });
    changed();
  });
}

/// What is misspelt would pause nothing, and nobody would notice.
void Operations::require(const PauseTarget& target) {
  const auto& name = target.queue;
  bool known =
      name == "events" || std::ranges::find(options_.queues, name) != options_.queues.end();
  bool carriesCommands = name == "commands";
  store_.read([&](Snapshot& snapshot) {
    for (const auto& queue : snapshot.queues()) {
      if (queue.name != name) continue;
      known = true;
      carriesCommands = carriesCommands || queue.commands;
    }
    for (const auto& pause : snapshot.pauses()) known = known || pause.queue == name;
  });
  if (!known && !carriesCommands) {
    throw Error(ErrorCode::NotFound, "no queue " + quote(name), Subject::Queue);
  }
  if (target.type.empty() || carriesCommands) return;
  throw Error(ErrorCode::Invalid, "queue " + name + " carries messages, which have no command type",
              Subject::Queue);
}

bool Operations::pause(const PauseTarget& target, const Operator& by) {
  require(target);
  bool done = false;
  store_.commit(Durability::Durable, [&](Unit& unit) {
    const auto now = clock_.now();
    done = unit.pause(target.queue, target.type, by, now);
    if (done) unit.audit(auditOf(target, "paused", by, now));
  });
  return done;
}

bool Operations::resume(const PauseTarget& target, const Operator& by) {
  require(target);
  bool done = false;
  store_.commit(Durability::Durable, [&](Unit& unit) {
    done = unit.resume(target.queue, target.type);
    if (done) unit.audit(auditOf(target, "resumed", by, clock_.now()));
  });
  changed();
  return done;
}

}  // namespace tether
