#include "host.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <future>
#include <map>
#include <mutex>

#include "exit.hpp"
#include "hints.hpp"
#include "outlet.hpp"
#include "signals.hpp"
#include "views.hpp"

namespace tether::cli {
namespace {

using nlohmann::json;

// A run that ends by itself asks this often whether something was committed, and looks now and then
// although nothing was: retries become due without a commit.
constexpr Duration kAsk = std::chrono::milliseconds{2};
constexpr Duration kLook = std::chrono::milliseconds{250};
constexpr int kLookShare = 8;  // looking may take this part of the time, not more
constexpr Duration kLookForFailure = std::chrono::seconds{1};
// An engine stops within its time and what a commit takes; but whatever hangs, the process ends.
constexpr Duration kLastResort = std::chrono::seconds{4};

std::string listed(const auto& counts, std::string_view form) {
  std::string text;
  for (const auto& [name, count] : counts) {
    if (!text.empty()) text += ", ";
    text += fmt::format(fmt::runtime(form), fmt::arg("name", name), fmt::arg("count", count));
  }
  return text;
}

class Host {
 public:
  Host(Session& session, const Hosting& hosting)
      : clock_(session.clock()), hosting_(hosting), print_(session.print()) {
    auto options = session.engineOptions(hosting.create);
    // Who ends by himself soon asks once more than that, and waits for no answer that is far off.
    if (hosting.until != Until::Signal) options.idlePoll = options.poll;
    options.onEnded = [this](const Command& command) { ended(command); };
    options.takesMore = [this] { return outlet_.hasRoom(); };
    engine_ = session.open(std::move(options));
  }

  int run() {
    engine_->start(hosting_.role);
    if (hosting_.until == Until::Signal) {
      note(fmt::format("{} on {}, until a signal",
                       hosting_.role == Engine::Role::Relay ? "relaying" : "listening",
                       engine_->options().store.text()));
    }
    try {
      hosting_.until == Until::Signal ? waitForSignal() : waitForIdle();
    } catch (...) {
      failure_ = std::current_exception();
      until_ = Steady::now() + kLastResort;
    }
    std::size_t stuck = 0;
    std::map<std::string, std::string> failed;
    if (!failure_) {
      stuck = hosting_.role == Engine::Role::Listener ? 0 : outgoing();
      failed = failures(stuck > 0);
    }
    const auto result = drain();
    finishOutput();
    return end(result, [&] {
      if (failure_) std::rethrow_exception(failure_);
      if (const auto unprinted = outlet_.failure()) std::rethrow_exception(unprinted);
      if (result.givenBack > 0)
        print_.note("given back: " + countText(result.givenBack, "attempt"));
      if (!result.running.empty()) {
        print_.warn(fmt::format("left running: {}", fmt::join(result.running, ", ")));
      }
      answer();
      if (signal_) return !second_ && result.clean ? kDone : exitBySignal();
      for (const auto& [queue, why] : failed) print_.warn(fmt::format("queue {}: {}", queue, why));
      if (stuck > 0) {
        print_.warn(
            fmt::format("{} not handed over yet{}", countText(stuck, "message"),
                        failed.empty() ? "; what failed a moment ago is tried again later" : ""));
      }
      return failed.empty() && stuck == 0 ? kDone : kUnavailable;
    });
  }

 private:
  using Steady = std::chrono::steady_clock;

  void waitForSignal() {
    while (!heedSignal(kLookForFailure)) throwFailure();
  }

  /// Returns when there is nothing left to do, or a signal came.
  void waitForIdle() {
    auto& store = engine_->store();
    while (true) {
      throwFailure();
      const auto seen = store.changeCount();
      const auto began = clock_.steady();
      const auto left = backlog();
      const bool toEnd = hosting_.until == Until::Idle;
      // A queue that cannot be reached is asked again until it can, but --once asks once.
      const bool asked = std::ranges::all_of(engine_->remotes(), [&](const RemoteState& remote) {
        return remote.asked && (!toEnd || !remote.listened || remote.failure.empty());
      });
      if (asked && (toEnd ? left.idle() : left.ready == 0)) return;
      const auto looked = clock_.steady();
      auto pause = std::max(kAsk, (looked - began) * kLookShare);
      do {
        if (heedSignal(pause)) return;
        pause = kAsk;
      } while (store.changeCount() == seen && clock_.steady() < looked + kLook);
    }
  }

  /// A store that takes nothing any more ends the process, so that whoever supervises it sees it.
  void throwFailure() {
    if (const auto failure = engine_->failure()) throw Error(*failure);
  }

  /// The first one lets what runs finish within the time for it, the second one ends it at once.
  bool heedSignal(Duration atMost) {
    const auto signal = signals_.wait(atMost);
    if (!signal) return false;
    const auto now = Steady::now();
    if (signal_) {
      second_ = true;
      until_ = std::min(until_, now);
    } else {
      until_ = now + std::min<Duration>(hosting_.drain, std::chrono::years{1});
      note(fmt::format("stopping; what runs may finish within {} (again: stop at once)",
                       toText(hosting_.drain)));
    }
    signal_ = signal;
    return true;
  }

  int exitBySignal() const { return signal_ == SIGINT ? kInterrupted : kTerminated; }

  /// Queues elsewhere that did not let themselves be reached, and why.
  std::map<std::string, std::string> failures(bool relaysToo) {
    std::map<std::string, std::string> failed;
    for (const auto& remote : engine_->remotes()) {
      if (remote.failure.empty() || (!remote.listened && !relaysToo)) continue;
      failed[remote.queue] = remote.failure;
    }
    return failed;
  }

  /// What a relay tried in vain, and will try again.
  std::size_t outgoing() {
    Backlog left;
    engine_->store().read([&](Snapshot& snapshot) { left = snapshot.backlog({}, {}, true); });
    return static_cast<std::size_t>(left.ready + left.retrying);
  }

  /// Without a signal nothing is left to run, except what --once leaves to finish. This thread only
  /// watches, so that nothing that hangs keeps the process.
  DrainResult drain() {
    const auto allowed = failure_ ? Duration{0} : hosting_.drain;
    auto drained = std::async(std::launch::async, [this, allowed] {
      const auto result = engine_->stop(allowed);
      signals_.cancel();
      return result;
    });
    std::future<DrainResult> again;
    auto last = Steady::now() + std::min<Duration>(allowed, std::chrono::years{1}) + kLastResort;
    while (drained.wait_for(Duration{0}) != std::future_status::ready) {
      if (heedSignal(kLook) && second_ && !again.valid()) {
        again = std::async(std::launch::async, [this] { return engine_->stop(Duration{0}); });
        last = std::min(last, Steady::now() + kLastResort);
      }
      if (Steady::now() > last) std::_Exit(signal_ ? exitBySignal() : kUnavailable);
    }
    if (again.valid()) again.wait();
    return drained.get();
  }

  /// Nobody need read it any more once the time after a signal is over.
  void finishOutput() {
    while (!outlet_.finish(kAsk)) {
      heedSignal(kAsk);
      if (Steady::now() > until_ + kLook) std::_Exit(signal_ ? exitBySignal() : kUnavailable);
    }
  }

  /// What goes on although it was told to stop ends with the process.
  template <class Say>
  int end(const DrainResult& result, Say say) {
    if (result.ended) return say();
    int exit = kBug;
    try {
      exit = say();
    } catch (const Error& error) {
      print_.warn(withHint(error));
      exit = exitOf(error.code());
    } catch (const std::exception& error) {
      print_.warn(error.what());
    }
    std::_Exit(exit);
  }

  Backlog backlog() {
    const auto& options = engine_->options();
    std::vector<std::string> types;
    std::vector<std::string> queues;
    if (hosting_.role != Engine::Role::Relay) {
      for (const auto& type : engine_->commands().types()) {
        if (engine_->commands().builds(type)) types.push_back(type);
      }
      std::ranges::copy_if(options.listen, std::back_inserter(queues), [&](const auto& queue) {
        return queue != "commands" && options.addressOf(queue).isLocal();
      });
    }
    Backlog backlog;
    engine_->store().read([&](Snapshot& snapshot) {
      backlog = snapshot.backlog(types, queues, hosting_.role != Engine::Role::Listener);
    });
    return backlog;
  }

  /// On the writer thread.
  void ended(const Command& command) {
    {
      const std::scoped_lock lock(statesMutex_);
      ++states_[std::string(toString(command.state))];
    }
    const bool stream = print_.form() == Printer::Form::Ndjson;
    if (!stream && !print_.verbose()) return;
    constexpr std::size_t kAbout = 1024;  // besides the payload
    const auto tell = [command, stream](Printer& print) {
      if (stream) print.record(view::toJson(command));
      if (!print.verbose()) return;
      const auto error = shortErrorText(command.error);
      print.warn(fmt::format("{} {} {}{}{}", toString(command.state), command.type, command.id,
                             error.empty() ? "" : ", ", error));
    };
    outlet_.say(tell, command.payload.size() + kAbout);
  }

  void note(const std::string& text) {
    outlet_.say([text](Printer& print) { print.note(text); }, text.size());
  }

  /// What was done, and what stays on purpose.
  void answer() {
    if (print_.form() == Printer::Form::Ndjson) return;  // the ended ones were the stream
    const auto left = backlog();
    std::map<std::string, std::int64_t> open;
    engine_->store().read([&](Snapshot& snapshot) { open = snapshot.openByType(); });
    const json data = {
        {"ended", states_}, {"delayed", left.delayed}, {"blocked", left.blocked}, {"open", open}};
    print_.answer(hosting_.role == Engine::Role::Relay ? "relay" : "listen", data, [&] {
      if (print_.quiet()) return;
      if (!states_.empty()) print_.line({"ended: ", listed(states_, "{count} {name}")});
      if (left.delayed + left.blocked == 0) return;
      print_.line({fmt::format("stays: {} delayed, {} blocked{}", left.delayed, left.blocked,
                               open.empty() ? "" : " (" + listed(open, "{name} {count}") + ")")});
    });
  }

  Clock& clock_;
  const Hosting& hosting_;
  Printer& print_;
  std::mutex statesMutex_;
  std::map<std::string, std::size_t> states_;
  Signals signals_;  // before all threads
  Outlet outlet_{print_};
  std::optional<int> signal_;  // the last one
  bool second_ = false;
  Steady::time_point until_ = Steady::time_point::max() - kLook;  // what runs may finish
  std::exception_ptr failure_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace

int host(Session& session, const Hosting& hosting) { return Host(session, hosting).run(); }

}  // namespace tether::cli
