// The engine under test and what surrounds it: a store that survives its crashes, a clock that is
// moved, seeded randomness, and queues elsewhere. One thread.
//
// A crash is taken literally: at that moment the store's files are copied, and the engine that
// passed the point goes on in the old ones, where nobody looks. So no handler can catch it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "scenario/fault.hpp"
#include "scenario/remote_queue.hpp"
#include "scenario/stub_command.hpp"
#include "tether/catalog.hpp"
#include "tether/engine.hpp"
#include "tether/ids.hpp"
#include "tether/scenario.hpp"
#include "tether/waits_for.hpp"

namespace tether::scenario {

/// What every run of a scenario has in common.
struct Setting {
  std::shared_ptr<const Catalog> catalog;  // null: the host's options
  std::map<std::string, std::shared_ptr<const Stub>> stubs;
  Time clock;
  std::uint64_t seed = 1;
  int budget = 100'000;     // what one step may do: more is a livelock
  bool supervised = false;  // somebody restarts it at once when it dies
};

/// The flow did not come to rest.
class Livelock : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class World {
 public:
  World(const Setting& setting, const Host& host);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  bool down() const { return down_; }
  /// Throws Unavailable while it is down.
  Engine& engine();
  /// To look at, also while the engine is down.
  Store& store();
  ManualClock& clock() { return clock_; }
  view::Here here() const;
  const std::filesystem::path& folder() const { return folder_; }
  std::map<std::string, std::unique_ptr<RemoteQueue>>& remotes() { return remotes_; }
  /// Where a queue is mapped to; nothing: local.
  RemoteQueue* remote(const std::string& queue);
  /// Whether there is such a queue, even if it was never used.
  bool hasQueue(const std::string& queue) const;

  /// Opens the store again, as a new process would. Nothing when it is up.
  void restart();
  /// Turns until nothing is ready.
  void settle();
  /// Moves the clock from one due time to the next, and settles at each.
  void advance(Time until);
  /// Moves it as far as something is due.
  void advanceUntilNothingIsDue();
  /// Moves it to when the next thing is due, which may be `other`. False: there is none.
  bool advanceToNext(std::optional<Time> other);
  /// Business SQL of the scenario itself, in a transaction of its own.
  void change(const std::vector<std::string>& sql);

  // ---- faults ----
  /// A step begins: so much may it do, and this goes wrong.
  void arm(std::vector<Fault> faults);
  /// What was not used up since.
  std::vector<Fault> disarm();
  /// One injected crash more: at the first pass of this seam. Its attempt is forgiven.
  void crashAt(Seam seam) { crashAt_ = seam; }
  /// Which seams were passed.
  const std::set<Seam>& passed() const { return passed_; }
  void crash();
  /// Counts what the step does. Throws Livelock when that is too much.
  void spend();
  void stall(Duration by) { clock_.advance(by); }
  /// What is done once, while a command hangs; null: nothing. True: the last one was not done.
  bool meanwhile(std::function<void()> act);
  /// A command hangs.
  void hang();

  /// How many attempts of the command ended before, forgiven ones aside.
  std::size_t attemptsBefore(const Command& command);

 private:
  static bool onSeam(Seam seam);
  bool pass(Seam seam);
  void open();
  void install();
  void forgive();
  void loseLeases();
  std::optional<Time> nextDue();
  std::filesystem::path storeFile() const;

  const Setting& setting_;
  const Host& host_;
  std::filesystem::path folder_;
  int life_ = 0;
  ManualClock clock_;
  SeededRandom random_;
  std::map<std::string, std::unique_ptr<RemoteQueue>> remotes_;  // by address
  std::map<std::string, QueueAddress> queues_;                   // name to address
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Store> reader_;
  bool down_ = false;
  bool armed_ = true;
  std::vector<Fault> faults_;
  std::map<Seam, int> hits_;  // since arm()
  int spent_ = 0;             // of the budget, since arm()
  bool commits_ = false;      // the next commit is one of a step of the flow
  std::optional<Seam> crashAt_;
  bool forgives_ = false;  // the last crash was not the scenario's own
  std::map<std::string, std::map<int, std::size_t>> forgiven_;  // attempts, by id and generation
  std::set<Seam> passed_;
  std::function<void()> meanwhile_;
};

}  // namespace tether::scenario
