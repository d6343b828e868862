// One attempt of one command: what travels between the manager's steps.
#pragma once

#include <atomic>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "tether/event_collector.hpp"
#include "tether/store.hpp"
#include "tether/transaction_command.hpp"

namespace tether::flow {

struct AttemptRun {
  ClaimedCommand claim;
  nlohmann::json payload;
  std::unique_ptr<TransactionCommand> command;
  std::stop_source stop;  // of prepare
  std::stop_token cut;    // of execute: the listener stops at once
  std::atomic<Time> startedAt{};
  std::optional<Time> endedAt{};  // of the last execute, once it has returned or thrown
  Duration timeout{0};            // of prepare
  std::atomic<Duration> steadyDeadline{Duration::max()};  // of a prepare that has begun
  Duration hold{0};
  bool prepares = false;

  /// Who ends the preparing: prepare itself, its timeout, a shutdown or a cancel. The first one
  /// wins.
  enum class Phase { Waiting, Preparing, Prepared, TimedOut, Interrupted, Cancelled };
  std::atomic<Phase> phase{Phase::Waiting};  // for a worker
  bool pass(Phase from, Phase to) { return phase.compare_exchange_strong(from, to); }
  bool endPreparing(Phase how) { return pass(Phase::Preparing, how) || pass(Phase::Waiting, how); }
  /// A shutdown asked it to stop: what it brings when it returns is not used.
  std::atomic<bool> interrupted{false};

  bool entered = false;                // the closure began: a failure before that is the store's
  bool applied = false;                // it ran to its end: a failure after that is the commit's
  bool alone = false;                  // the store failed it once: nobody is beside it
  bool reactions = false;              // commands were accepted in its commit
  bool cancelled = false;              // it was asked for before execute began
  bool paused = false;                 // its type was paused before it began: given back
  std::vector<std::string> submits{};  // types of commands that it submitted by itself
};

}  // namespace tether::flow
