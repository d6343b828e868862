#include "tether/operations.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "model/audit.hpp"
#include "model/kept_text.hpp"
#include "tether/error.hpp"
#include "tether/text.hpp"

namespace tether {
namespace {

/// So many in one commit: others write between two of them.
constexpr std::size_t kOperationPage = 200;

/// For the audit, of facts that never change. One that is accepted meanwhile has its id alone.
std::map<std::string, Command> commandsOf(Store& store, const std::vector<std::string>& ids) {
  std::map<std::string, Command> commands;
  store.read([&](Snapshot& snapshot) {
    for (const auto& id : ids) {
      auto& command = commands[id];
      command = snapshot.command(id).value_or(Command{});
      command.id = id;
    }
  });
  return commands;
}

template <class Answer>
std::vector<std::string> idsOf(const std::vector<Answer>& answers, std::size_t from,
                               std::size_t to) {
  std::vector<std::string> ids;
  for (auto at = from; at < to; ++at) ids.push_back(answers[at].commandId);
  return ids;
}

template <class Answer>
std::vector<Answer> unanswered(const std::vector<std::string>& commandIds) {
  std::vector<Answer> answers;
  for (const auto& id : commandIds) answers.push_back({.commandId = id});
  return answers;
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
  auto answers = unanswered<CancelAnswer>(commandIds);
  for (std::size_t from = 0; from < answers.size(); from += kOperationPage) {
    cancelPage(answers, from, std::min(answers.size(), from + kOperationPage), options);
  }
  return answers;
}

void Operations::cancelPage(std::vector<CancelAnswer>& answers, std::size_t from, std::size_t to,
                            const CancelOptions& options) {
  const auto& by = options.by;
  const auto reason =
      kept(Failure{"cancelled", by.reason.empty() ? "cancelled by " + by.name : by.reason});
  const auto commands = commandsOf(store_, idsOf(answers, from, to));
  store_.commit(Durability::Durable, [&](Unit& unit) {
    const auto now = clock_.now();
    for (auto at = from; at < to; ++at) {
      auto& [id, outcome, state] = answers[at];
      outcome = options.handedOver ? unit.giveUp(id, reason, now) : unit.cancel(id, reason, now);
      const bool done = outcome == Cancelled::Done;
      if (!done && outcome != Cancelled::Requested) continue;
      const auto* action = done ? "cancelled" : "cancel-requested";
      unit.audit(auditOf(commands.at(id), action, by, now));
    }
  });
  changed();
  store_.read([&](Snapshot& snapshot) {
    for (auto at = from; at < to; ++at) {
      if (const auto command = snapshot.command(answers[at].commandId)) {
        answers[at].state = command->state;
      }
    }
  });
}

std::vector<ResendAnswer> Operations::resend(const std::vector<std::string>& commandIds,
                                             const Operator& by) {
  auto answers = unanswered<ResendAnswer>(commandIds);
  for (std::size_t from = 0; from < answers.size(); from += kOperationPage) {
    const auto to = std::min(answers.size(), from + kOperationPage);
    const auto commands = commandsOf(store_, idsOf(answers, from, to));
    store_.commit(Durability::Durable, [&](Unit& unit) {
      const auto now = clock_.now();
      for (auto at = from; at < to; ++at) {
        auto& [id, outcome] = answers[at];
        outcome = unit.resendCommand(id, now);
        if (outcome == Resent::Done) unit.audit(auditOf(commands.at(id), "resent", by, now));
      }
    });
    changed();
  }
  return answers;
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
  throw Error(ErrorCode::Invalid,
              "queue " + name + " carries messages, which have no command type");
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
