// Trying a dead letter: its command runs in its real transaction, which is rolled back.
#include "flow/dead_letter_service.hpp"
#include "tether/error.hpp"

namespace tether::flow {

TryReport DeadLetterService::tryOut(const std::string& letterId,
                                    const std::vector<PayloadEdit>& set) {
  const auto letter = letterOf(letterId);
  if (letter.kind != DeadLetterKind::Command) {
    throw Error(ErrorCode::Unsupported, "dead letter " + letterId + " is a " +
                                            std::string(toString(letter.kind)) +
                                            ": only a command can be tried");
  }
  if (!builder_.builds(letter.type)) {
    throw Error(ErrorCode::Unsupported,
                "this program does not run " + letter.type + ": try it where that runs");
  }
  if (builder_.prepares(letter.type)) {
    throw Error(ErrorCode::Unsupported, letter.type +
                                            " has a prepare(), which may have effects that no "
                                            "rollback undoes");
  }
  ClaimedCommand claim;
  claim.command = commandOf(letter);
  const auto ready = readyOf(letter, set);
  claim.command.payload = ready.edit ? ready.edit->payload : letter.body;
  if (ready.edit) claim.command.key = ready.edit->key;
  claim.command.state = CommandState::Running;
  ++claim.command.generation;
  claim.command.attempts = 1;

  std::exception_ptr failure;
  const auto run = manager_.begin(std::move(claim), {}, failure);
  TryReport report;
  if (!failure) {
    try {
      Work work;
      work.durability = Durability::Deferred;
      work.rollBack = true;
      work.apply = [&](Unit& unit) { report.events = manager_.tryOut(unit, *run, report.tables); };
      store_.commit(std::move(work));
    } catch (const Error& error) {
      if (error.code() == ErrorCode::Unavailable) throw;  // the store's, not the command's
      failure = std::current_exception();
    } catch (...) {
      failure = std::current_exception();
    }
  }
  if (failure) {
    const auto settlement = manager_.judge(*run, failure);
    report = {};
    report.state = settlement.state;
    report.error = settlement.error;
    return report;
  }
  report.commands = run->submits;
  for (const auto& event : report.events) {
    for (const auto& type : events_.reactionsTo(event.type)) report.commands.push_back(type);
  }
  return report;
}

}  // namespace tether::flow
