#include "host.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <future>
#include <map>
#include <mutex>

#include "exit.hpp"
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
    engine_ = session.open(std::move(options));
  }

  int run() {
    engine_->start(hosting_.role);
    if (hosting_.until == Until::Signal) {
      note(fmt::format("{} on {}, until a signal",
                       hosting_.role == Engine::Role::Relay ? "relaying" : "listening",
                       engine_->options().store));
    }
    const auto signal = hosting_.until == Until::Signal ? waitForSignal() : waitForIdle();
    const auto stuck = hosting_.role == Engine::Role::Listener ? 0 : outgoing();
    const auto failed = failures(stuck > 0);
    const int exit = drain(signal);
    answer();
    if (signal) return exit;
    for (const auto& [queue, why] : failed) print_.warn(fmt::format("queue {}: {}", queue, why));
    if (stuck > 0) {
      print_.warn(
          fmt::format("{} not handed over yet{}", countText(stuck, "message"),
                      failed.empty() ? "; what failed a moment ago is tried again later" : ""));
    }
    return failed.empty() && stuck == 0 ? exit : kUnavailable;
  }

 private:
  std::optional<int> waitForSignal() {
    while (true) {
      if (const auto signal = signals_.wait()) return signal;
    }
  }

  /// Nothing: there is nothing left to do.
  std::optional<int> waitForIdle() {
    auto& store = engine_->store();
    while (true) {
      const auto seen = store.changeCount();
      const auto began = clock_.steady();
      const auto left = backlog();
      const bool toEnd = hosting_.until == Until::Idle;
      // A queue that cannot be reached is asked again until it can, but --once asks once.
      const bool asked = std::ranges::all_of(engine_->remotes(), [&](const RemoteState& remote) {
        return remote.asked && (!toEnd || !remote.listened || remote.failure.empty());
      });
      if (asked && (toEnd ? left.idle() : left.ready == 0)) return {};
      const auto looked = clock_.steady();
      auto pause = std::max(kAsk, (looked - began) * kLookShare);
      do {
        if (const auto signal = signals_.wait(pause)) return signal;
        pause = kAsk;
      } while (store.changeCount() == seen && clock_.steady() < looked + kLook);
    }
  }

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

  /// Without a signal nothing is left to run, except what --once leaves to finish.
  int drain(std::optional<int> first) {
    if (first) {
      note(fmt::format("stopping; what runs may finish within {} (again: stop at once)",
                       toText(hosting_.drain)));
    }
    auto drained = std::async(std::launch::async, [this] {
      const auto result = engine_->stop(hosting_.drain);
      signals_.cancel();
      return result;
    });
    std::optional<int> second;
    while (const auto signal = signals_.wait()) {  // until it has drained
      second = signal;
      engine_->stop(Duration{0});
    }
    const auto result = drained.get();
    if (result.givenBack > 0) note("given back: " + countText(result.givenBack, "attempt"));
    const auto by = second ? second : first;
    if (!by || (!second && result.clean)) return kDone;
    return *by == SIGINT ? kInterrupted : kTerminated;
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
        const auto mapped = options.queues.find(queue);
        return queue != "commands" && (mapped == options.queues.end() || mapped->second == "local");
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
    const std::scoped_lock lock(output_);
    ++states_[std::string(toString(command.state))];
    if (closed_) return;
    try {
      if (print_.form() == Printer::Form::Ndjson) print_.record(toJson(command));
      if (!print_.verbose()) return;
      const auto error = shortErrorText(command.error);
      print_.warn(fmt::format("{} {} {}{}{}", toString(command.state), command.type, command.id,
                              error.empty() ? "" : ", ", error));
    } catch (const OutputClosed&) {
      closed_ = true;  // work goes on: nobody looks any more
    }
  }

  void note(const std::string& text) {
    const std::scoped_lock lock(output_);
    print_.note(text);
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
  std::mutex output_;
  std::map<std::string, std::size_t> states_;
  bool closed_ = false;
  Signals signals_;  // before the engine's threads
  std::unique_ptr<Engine> engine_;
};

}  // namespace

int host(Session& session, const Hosting& hosting) { return Host(session, hosting).run(); }

}  // namespace tether::cli
