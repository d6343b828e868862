// How what was claimed leaves a listener: its end is recorded, or it is given back.
#include "flow/thrown_error.hpp"
#include "flow/transaction_listener.hpp"
#include "tether/error.hpp"
#include "tether/seam.hpp"

namespace tether::flow {

void TransactionListener::end(const ClaimedCommand& claim, Settlement settlement) {
  record(std::make_shared<Ending>(claim, std::move(settlement)));
}

void TransactionListener::record(const std::shared_ptr<Ending>& ending) {
  ending->refused = false;
  Work work;
  work.apply = [ending](Unit& unit) {
    ending->refused = true;
    passSeam(Seam::failure_before_record);
    if (!unit.settle(ending->claim, ending->settlement)) throw ClaimLost();
    ending->refused = false;
  };
  work.done = [this, ending](const std::exception_ptr& error) {
    const auto& command = ending->claim.command;
    if (error) {
      try {
        std::rethrow_exception(error);
      } catch (const ClaimLost&) {
        return finish(command);
      } catch (...) {
        cannotRecord_.failed("of " + command.id + ": " + messageOf(error));
      }
      if (!ending->refused || mayPass(error)) {
        return laterAgain(command, [this, ending] { record(ending); });
      }
      if (ending->simplify(messageOf(error))) return record(ending);
      // A crashed one is held by nobody.
      if (!ending->claim.crashed) return putOff(ending->claim, clock_.now() + Ending::kLookAgain);
      return laterAgain(command, [this, ending] { finish(ending->claim.command); });
    }
    cannotRecord_.passed();
    recorded(ending->claim, ending->settlement);
    finish(command);
  };
  store_.post(std::move(work));
}

/// Nothing of its end can be recorded: it runs again later, unless somebody cancels it before.
void TransactionListener::putOff(const ClaimedCommand& claim, Time until) {
  Work work;
  work.durability = Durability::Deferred;
  work.apply = [claim, until](Unit& unit) { (void)unit.giveBack(claim.ref, until); };
  work.done = [this, claim, until](const std::exception_ptr& error) {
    if (error && mayPass(error)) {
      return laterAgain(claim.command, [this, claim, until] { putOff(claim, until); });
    }
    if (!error) expect(until, true);
    finish(claim.command);
  };
  store_.post(std::move(work));
}

void TransactionListener::recorded(const ClaimedCommand& claim, const Settlement& settlement) {
  passSeam(Seam::failure_after_record);
  if (settlement.retryAt) expect(settlement.retryAt, true);
  if (claim.probe) wake();
  if (!isOpen(settlement.state)) tell(claim, settlement);
}

void TransactionListener::giveBack(const ClaimedCommand& claim) {
  Work work;
  work.durability = Durability::Deferred;
  work.apply = [claim](Unit& unit) { unit.unclaim({claim}); };
  work.done = [this, claim](const std::exception_ptr& error) {
    if (!error) return finish(claim.command);
    laterAgain(claim.command, [this, claim] { giveBack(claim); });
  };
  store_.post(std::move(work));
}

void TransactionListener::finish(const Command& command) {
  ++progress_;
  const auto running = --inFlight_;
  const auto bytes = bytesInFlight_ -= command.payload.size();
  const bool room = running <= options_.prefetch / 2 && bytes <= kBytesMost / 2;
  const bool nextOfKey = !command.key.empty();  // it may have let the next one go
  if ((running == 0 && suspectWaits_) || (backlog_ && room) || nextOfKey) wake();
}

void TransactionListener::tell(const ClaimedCommand& claim, const Settlement& settlement) {
  if (!options_.onEnded) return;
  auto command = claim.command;
  command.state = settlement.state;
  command.error = settlement.error;
  command.attempts = claim.attempt;
  command.endedAt = settlement.endedAt;
  try {
    options_.onEnded(command);
    observerThrew_.passed();
  } catch (...) {
    observerThrew_.failed(messageOf(std::current_exception()));
  }
}

}  // namespace tether::flow
