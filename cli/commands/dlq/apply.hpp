// A plan being applied in front of an operator: progress, signals, and what came of each letter.
#pragma once

#include <atomic>
#include <cstddef>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "session.hpp"
#include "signals.hpp"
#include "tether/dead_letters.hpp"

namespace tether::cli {

class Application {
 public:
  struct About {
    std::string file;
    std::string planId;
    bool listening = false;     // this process runs the commands
    bool allowExpired = false;  // see ApplyOptions
  };

  /// `signals`: made before the engine's threads.
  Application(Session& session, Engine& engine, PlanRun& run, Signals& signals, About about);

  /// Until it is done, has stopped, or a signal ends it: the first one cleanly, with --listen after
  /// what runs has ended, a second one at once. Returns the exit code.
  int run();

 private:
  using Counts = std::map<PlanRun::Outcome, std::size_t>;

  PlanRun::State stepUntilEnd();
  void watchSignals();
  void showProgress();
  Counts counts() const;
  std::size_t failures() const;
  int exitAfter(PlanRun::State state) const;
  void answer(PlanRun::State state, int exit);

  Session& session_;
  Engine& engine_;
  PlanRun& run_;
  Signals& signals_;
  About about_;
  std::atomic<int> signal_ = 0;
  std::atomic<bool> ended_ = false;
  Duration shownAt_{0};
};

}  // namespace tether::cli
