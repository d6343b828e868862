#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <thread>

#include "apply.hpp"
#include "exit.hpp"
#include "letters.hpp"
#include "tether/change_feed.hpp"
#include "views.hpp"

namespace tether::cli {
namespace {

using nlohmann::json;
using Outcome = PlanRun::Outcome;

// More often than this nobody sees.
constexpr Duration kShow = std::chrono::milliseconds{100};
constexpr Duration kDrain = std::chrono::seconds{30};

Style styleOf(Outcome outcome) {
  if (isFailure(outcome)) return Style::Bad;
  return outcome == Outcome::Succeeded ? Style::Good : Style::Plain;
}

std::string countsText(const std::map<Outcome, std::size_t>& counts) {
  std::string text;
  for (const auto& [outcome, count] : counts) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, toString(outcome));
  }
  return text;
}

std::string barText(std::size_t done, std::size_t all) {
  constexpr std::size_t kWidth = 24;
  const auto full = all == 0 ? kWidth : done * kWidth / all;
  return fmt::format("[{}{}] {}/{}", std::string(full, '#'), std::string(kWidth - full, '.'), done,
                     all);
}

}  // namespace

Application::Application(Session& session, Engine& engine, PlanRun& run, Signals& signals,
                         About about)
    : session_(session), engine_(engine), run_(run), signals_(signals), about_(std::move(about)) {}

int Application::run() {
  std::jthread watcher([this] { watchSignals(); });
  const auto end = [&] {
    if (about_.listening) engine_.stop(kDrain);
    ended_ = true;
    signals_.cancel();
    watcher.join();
  };
  auto state = PlanRun::State::Waiting;
  try {
    state = stepUntilEnd();
  } catch (...) {
    end();
    throw;
  }
  end();
  const int exit = exitAfter(state);
  answer(state, exit);
  return exit;
}

int Application::exitAfter(PlanRun::State state) const {
  if (state == PlanRun::State::Waiting) return signal_ == SIGINT ? kInterrupted : kTerminated;
  return failures() > 0 ? kPartial : kDone;
}

/// Runs beside step(), which may be waiting for a commit.
void Application::watchSignals() {
  while (!ended_) {
    const auto signal = signals_.wait();
    if (!signal) continue;
    const bool again = signal_.exchange(*signal) != 0;
    engine_.store().interruptWaits();
    if (again && about_.listening) engine_.stop(Duration{0});
  }
}

PlanRun::State Application::stepUntilEnd() {
  auto& clock = session_.clock();
  CommitWatch commits(engine_.store());
  while (true) {
    const auto state = run_.step();
    showProgress();
    if (state != PlanRun::State::Waiting || signal_ != 0) return state;
    const auto next = run_.nextAt();
    (void)commits.wait(next ? std::max(*next - clock.now(), Duration{0}) : Duration::max());
    if (signal_ != 0) return state;
  }
}

Application::Counts Application::counts() const {
  Counts counts;
  for (const auto& item : run_.items()) ++counts[item.outcome];
  return counts;
}

std::size_t Application::failures() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      run_.items(), [](const PlanRun::Item& item) { return isFailure(item.outcome); }));
}

void Application::showProgress() {
  const auto now = session_.clock().steady();
  if (now < shownAt_ + kShow) return;
  shownAt_ = now;
  auto left = counts();
  const auto all = run_.items().size();
  const auto open = left[Outcome::Pending] + left[Outcome::Open];
  left.erase(Outcome::Pending);
  std::erase_if(left, [](const auto& entry) { return entry.second == 0; });
  session_.print().progress(fmt::format("{}  {}", barText(all - open, all), countsText(left)));
}

void Application::answer(PlanRun::State state, int exit) {
  auto& print = session_.print();
  const auto& items = run_.items();
  const auto summary = counts();
  json counted = json::object();
  for (const auto& [outcome, count] : summary) counted[std::string(toString(outcome))] = count;
  const bool cut = state == PlanRun::State::Waiting;
  const char* ended = cut ? "interrupted" : state == PlanRun::State::Stopped ? "stopped" : "done";
  auto records = json::array();
  for (const auto& item : items) records.push_back(view::toJson(item));
  json data = {{"plan", about_.planId}, {"ended", ended}, {"summary", counted}};

  if (print.form() == Printer::Form::Ndjson) {
    for (const auto& record : records) print.record(record);
    data["kind"] = "summary";
    print.record(data);
  } else {
    data["items"] = std::move(records);
    print.answer(
        "dlq-apply", data,
        [&] {
          Table table{{"LETTER", "OUTCOME", "COMMAND", "ERROR"}, {}};
          for (const auto& item : items) {
            if (item.outcome == Outcome::Pending) continue;
            if (print.quiet()) print.line({item.letterId});
            table.rows.push_back({item.letterId,
                                  {std::string(toString(item.outcome)), styleOf(item.outcome)},
                                  item.commandId,
                                  shortErrorText(item.error)});
          }
          if (print.quiet()) return;
          print.table(table);
          print.line({countText(items.size()), ": ", countsText(summary)});
        },
        exit == kDone ? Verdict::Pass : Verdict::Fail);
  }
  const auto expired = [](const PlanRun::Item& item) {
    return item.outcome == Outcome::Refused && item.error.code == toString(ErrorCode::Conflict);
  };
  if (!about_.allowExpired && std::ranges::any_of(items, expired)) {
    print.note("--allow-expired-dedup replays what failed too long ago all the same");
  }
  const auto goOn = fmt::format("go on with: tether dlq apply {} --resume", about_.file);
  if (cut) {
    print.warn(fmt::format("interrupted; nothing is lost, what was replayed {}; {}",
                           about_.listening ? "and is open waits for a listener" : "runs on",
                           goOn));
  } else if (state == PlanRun::State::Stopped) {
    print.warn(fmt::format("stopped: {} failed; {}", failures(), goOn));
  }
}

}  // namespace tether::cli
