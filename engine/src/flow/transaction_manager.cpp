#include "flow/transaction_manager.hpp"

#include <algorithm>

#include "model/kept_text.hpp"
#include "tether/error.hpp"
#include "tether/ids.hpp"
#include "tether/json.hpp"
#include "tether/seam.hpp"

namespace tether::flow {

namespace {

/// What both contexts answer from the attempt.
template <class Base>
class ContextOf : public Base {
 public:
  ContextOf(AttemptRun& run, const Clock& clock, Time deadline)
      : run_(run), clock_(clock), deadline_(deadline) {}

  const Command& command() const override { return run_.claim.command; }
  const nlohmann::json& payload() const override { return run_.payload; }
  int attempt() const override { return run_.claim.attempt; }
  Time now() const override { return clock_.now(); }
  Time deadline() const override { return deadline_; }
  std::stop_token stopToken() const override { return run_.stop.get_token(); }

 protected:
  AttemptRun& run_;

 private:
  const Clock& clock_;
  Time deadline_;
};

class Preparing final : public ContextOf<PrepareContext> {
 public:
  Preparing(AttemptRun& run, const Clock& clock, Store& store)
      : ContextOf(run, clock, run.startedAt.load() + run.timeout),
        sql_(store, clock, run.steadyDeadline, run.stop.get_token()) {}

  Sql& sql() override { return sql_; }

 private:
  /// Each call is a read of its own: no transaction stays open while prepare waits for something.
  class ReadingSql final : public Sql {
   public:
    ReadingSql(Store& store, const Clock& clock, Duration deadline, std::stop_token stop)
        : store_(store), clock_(clock), deadline_(deadline), stop_(std::move(stop)) {}
    std::int64_t run(std::string_view text, const nlohmann::json& params) override {
      std::int64_t changed = 0;
      read([&](Sql& sql) { changed = sql.run(text, params); });
      return changed;
    }
    nlohmann::json query(std::string_view text, const nlohmann::json& params) override {
      nlohmann::json rows;
      read([&](Sql& sql) { rows = sql.query(text, params); });
      return rows;
    }

   private:
    /// Within the time that prepare has left.
    template <class Use>
    void read(Use use) {
      ScriptScope scope;
      scope.now = clock_.now();
      scope.hold = std::max(deadline_ - clock_.steady(), Duration{1});
      scope.stop = stop_;
      store_.read([&](Snapshot& snapshot) { use(snapshot.sql(scope)); });
    }

    Store& store_;
    const Clock& clock_;
    Duration deadline_;
    std::stop_token stop_;
  };
  ReadingSql sql_;
};

class Executing final : public ContextOf<CommandContext> {
 public:
  Executing(AttemptRun& run, const Clock& clock, Unit& unit, const Intake& intake, Sql& sql,
            EventCollector& events)
      : ContextOf(run, clock, clock.now() + run.hold),
        unit_(unit),
        intake_(intake),
        sql_(sql),
        events_(events) {}

  Sql& sql() override { return sql_; }
  EventCollector& events() override { return events_; }
  std::stop_token stopToken() const override { return run_.cut; }

  Receipt submit(CommandRequest request) override {
    const auto& cause = command();
    if (request.id.empty()) {
      request.id =
          deriveId(cause.id, "submit/" + std::to_string(submitted_++) + '/' + cause.source);
    }
    const auto accepted = intake_.fromRequest(request, &cause);
    const auto acceptance = unit_.accept(accepted);
    run_.submits.push_back(accepted.type);
    run_.reactions = run_.reactions || acceptance.claimable;
    return acceptance.receipt;
  }

 private:
  Unit& unit_;
  const Intake& intake_;
  Sql& sql_;
  EventCollector& events_;
  int submitted_ = 0;
};

/// The largest times mean something else to a store.
constexpr Time kLatestRetry = std::chrono::sys_days{std::chrono::December / 31 / 9999};

std::string codeOf(ErrorCode code) { return std::string(toString(code)); }

}  // namespace

std::shared_ptr<AttemptRun> TransactionManager::begin(ClaimedCommand&& claim,
                                                      std::optional<nlohmann::json> payload,
                                                      std::exception_ptr& failure) const {
  auto run = std::make_shared<AttemptRun>();
  run->startedAt = clock_.now();
  run->claim = std::move(claim);
  const auto& type = run->claim.command.type;
  try {
    const auto& settings = builder_.settings(type);
    run->timeout = settings.timeout.value_or(options_.timeout);
    run->hold = settings.hold.value_or(options_.hold);
    run->prepares = builder_.prepares(type);
    run->payload = payload ? std::move(*payload)
                           : parseJson("payload", run->claim.command.payload, kMessageLimits);
    run->command = builder_.build(type);
  } catch (...) {
    failure = std::current_exception();
  }
  return run;
}

void TransactionManager::prepare(AttemptRun& run) const {
  run.startedAt = clock_.now();
  run.steadyDeadline = clock_.steady() + run.timeout;
  Preparing context(run, clock_, store_);
  run.command->prepare(context);
}

EventCollector TransactionManager::perform(Unit& unit, AttemptRun& run,
                                           std::map<std::string, TableChanges>* changes) const {
  run.entered = true;
  run.applied = false;
  run.submits.clear();
  passSeam(Seam::tx_after_begin);
  const auto& command = run.claim.command;
  run.reactions = false;
  const auto now = clock_.now();
  if (!run.prepares) run.startedAt = now;  // what it waited for its turn is not its own time
  struct End {
    AttemptRun& run;
    const Clock& clock;
    ~End() { run.endedAt = clock.now(); }
  };
  const End end{run, clock_};
  EventCollector collected(
      [this, &command, now](const CollectedEvent& said) { intake_.checkSize(said, command, now); });
  ScriptScope scope;
  scope.command = &command;
  scope.events = &collected;
  scope.attempt = run.claim.attempt;
  scope.now = now;
  scope.hold = run.hold;
  scope.stop = run.cut;
  scope.changes = changes;
  Executing context(run, clock_, unit, intake_, unit.sql(scope), collected);
  const auto begun = clock_.steady();
  run.command->execute(context);
  unit.checkEffects();
  if (clock_.steady() - begun > run.hold) {
    throw Error(ErrorCode::TimedOut, "execute took longer than its hold of " + toText(run.hold));
  }
  passSeam(Seam::tx_after_effects);

  int index = 0;
  for (const auto& said : collected.events()) {
    const auto event = intake_.eventOf(said, index++, command, now);
    run.reactions = intake_.emit(unit, event) || run.reactions;
  }
  return collected;
}

std::vector<CollectedEvent> TransactionManager::tryOut(
    Unit& unit, AttemptRun& run, std::map<std::string, TableChanges>& changes) const {
  changes.clear();  // a closure may run twice
  const auto collected = perform(unit, run, &changes);
  run.applied = true;
  return collected.events();
}

void TransactionManager::execute(Unit& unit, AttemptRun& run) const {
  std::string failure = "the store failed a statement, and the command went on";
  try {
    succeed(unit, run);
  } catch (const std::exception& error) {
    if (!unit.storeFailed()) throw;
    failure = error.what();
  } catch (...) {
    if (!unit.storeFailed()) throw;
  }
  if (!unit.storeFailed()) return;
  run.applied = false;
  throw StoreFailed(failure);
}

void TransactionManager::succeed(Unit& unit, AttemptRun& run) const {
  (void)perform(unit, run, nullptr);
  Settlement succeeded;
  succeeded.outcome = "succeeded";
  succeeded.startedAt = run.startedAt;
  succeeded.endedAt = clock_.now();
  if (!unit.settle(run.claim, succeeded)) throw ClaimLost();
  passSeam(Seam::tx_before_commit);
  run.applied = true;
}

bool TransactionManager::mayBeTheStores(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const StoreFailed&) {
    return true;
  } catch (...) {
    return false;
  }
}

Settlement TransactionManager::judge(const AttemptRun& run, std::exception_ptr failure) const {
  const auto now = run.endedAt.value_or(clock_.now());
  try {
    std::rethrow_exception(failure);
  } catch (const Rejected& rejected) {
    Settlement settlement;
    settlement.state = CommandState::Rejected;
    settlement.outcome = "rejected";
    settlement.error = kept(rejected.failure());
    settlement.startedAt = run.startedAt;
    settlement.endedAt = now;
    return settlement;
  } catch (const Failed& failed) {
    return decide(run.claim, "failed", failed.failure(), run.startedAt, now, failed.retryAfter());
  } catch (const Error& error) {
    const bool late = error.code() == ErrorCode::TimedOut;
    return decide(run.claim, late ? "timeout" : "failed", {codeOf(error.code()), error.what()},
                  run.startedAt, now);
  } catch (const std::exception& error) {
    return decide(run.claim, "failed", {"exception", error.what()}, run.startedAt, now);
  } catch (...) {
    return decide(run.claim, "failed", {"exception", "something that is no std::exception"},
                  run.startedAt, now);
  }
}

Settlement TransactionManager::judgeCrash(const ClaimedCommand& claim) const {
  return decide(claim, "crashed", claim.command.error,
                claim.command.startedAt.value_or(clock_.now()), clock_.now());
}

Settlement TransactionManager::timedOut(const AttemptRun& run) const {
  return decide(run.claim, "timeout",
                {"timed_out", "prepare took longer than its timeout of " + toText(run.timeout)},
                run.startedAt, clock_.now());
}

Settlement TransactionManager::interrupted(const AttemptRun& run) const {
  Settlement settlement;
  settlement.state = CommandState::Retrying;
  settlement.outcome = "interrupted";
  settlement.error = {"interrupted", "the listener was stopped"};
  settlement.counted = false;
  settlement.startedAt = run.startedAt;
  settlement.endedAt = clock_.now();
  return settlement;
}

Settlement TransactionManager::cancelled(const AttemptRun& run) const {
  auto settlement = interrupted(run);
  settlement.state = CommandState::Cancelled;
  settlement.outcome = "cancelled";
  settlement.error = {"cancelled", "cancelled while it ran"};
  return settlement;
}

Breaker TransactionManager::breakerOf(const std::string& type) const {
  if (!builder_.declares(type)) return options_.breaker;
  return builder_.settings(type).breaker.value_or(options_.breaker);
}

Settlement TransactionManager::decide(const ClaimedCommand& claim, std::string outcome,
                                      Failure failure, Time startedAt, Time now,
                                      std::optional<Duration> retryAfter) const {
  failure = kept(failure);
  const auto decision = [&]() -> Decision {
    const FailedAttempt attempt{
        .command = claim.command,
        .error = failure,
        .attempt = claim.attempt,
        .now = now,
        .random = random_.unit(),
        .firstStartedAt = claim.command.firstStartedAt.value_or(startedAt),
        .retryAfter = retryAfter,
    };
    const auto& type = claim.command.type;
    if (!builder_.declares(type)) return RetryErrorHandler(options_.retry).decide(attempt);
    const auto& settings = builder_.settings(type);
    if (!settings.errorHandler) {
      return RetryErrorHandler(settings.retry.value_or(options_.retry)).decide(attempt);
    }
    try {
      return settings.errorHandler->decide(attempt);
    } catch (...) {  // a handler that cannot decide must not leave the command open for ever
      failure = kept(Failure{failure.code, "its error handler threw, after: " + failure.message});
      return {};
    }
  }();
  Settlement settlement;
  const auto& type = claim.command.type;
  settlement.breaker = breakerOf(type);
  settlement.blocksKey = builder_.declares(type) && builder_.settings(type).blocksKeyWhenDead;
  settlement.outcome = std::move(outcome);
  settlement.error = std::move(failure);
  settlement.startedAt = startedAt;
  settlement.endedAt = now;
  switch (decision.kind) {
    case Decision::Kind::Retry:
      settlement.state = CommandState::Retrying;
      settlement.retryAt = std::min(decision.retryAt, kLatestRetry);
      break;
    case Decision::Kind::Reject:
      settlement.state = CommandState::Rejected;
      break;
    case Decision::Kind::Dead:
      settlement.state = CommandState::Dead;
      break;
  }
  return settlement;
}

}  // namespace tether::flow
