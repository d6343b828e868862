// Runs a scenario file: its steps once as they are written, then once for each cell of the matrix.
#include <algorithm>
#include <fstream>

#include "base/log.hpp"
#include "scenario/final_state.hpp"
#include "scenario/invariants.hpp"
#include "scenario/records.hpp"
#include "scenario/scenario_file.hpp"
#include "tether/error.hpp"
#include "tether/scenario.hpp"
#include "tether/text.hpp"

namespace tether::scenario {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kLinesMax = 40;  // of the flows so far, in a report
constexpr int kCrashesMax = 100;       // of one step, before nobody restarts it any more

/// What ends a run: where, and what was wrong.
struct Defect {
  std::string place;
  std::string problem;
  std::string expected{};
  std::string found{};
  std::optional<json::json_pointer> at{};  // of what --update replaces
  json actual{};
};

class Runner {
 public:
  /// `relaxed`: a cell of the matrix, where only the end counts.
  Runner(const ScenarioFile& scenario, const Setting& setting, const Host& host, bool relaxed)
      : scenario_(scenario), relaxed_(relaxed), world_(setting, host), run_{world_} {
    supervised_ = setting.supervised || relaxed;
  }

  World& world() { return world_; }
  const Run& run() const { return run_; }

  /// Nothing: it passed.
  std::optional<Defect> play() {
    place_ = scenario_.source.place(json::json_pointer());
    try {
      for (const auto& given : scenario_.given) {
        place_ = given.place;
        world_.change(given.sql);
      }
      for (const auto& step : scenario_.steps) {
        place_ = step.place;
        if (auto failed = playStep(step)) return failed;
      }
      if (relaxed_) {
        world_.arm({});
        world_.advanceUntilNothingIsDue();
      }
      return broken();
    } catch (const Livelock& livelock) {
      return Defect{place_, livelock.what()};
    } catch (const Error& error) {
      return Defect{place_, error.what()};
    } catch (const json::exception& error) {  // what $ref led to is of another type
      return Defect{place_, std::string("a value does not fit: ") + error.what()};
    }
  }

 private:
  std::optional<Defect> playStep(const Step& step) {
    run_.receipts = json::array();
    run_.refused = nullptr;
    run_.received = json::array();
    run_.advanceUntil.reset();
    run_.seqBefore = run_.look([](Snapshot& snapshot) { return snapshot.info().lastSeq; });
    world_.arm(step.faults);
    act(step);
    const auto unused = world_.disarm();
    if (relaxed_) return broken();
    if (!unused.empty()) {
      return Defect{unused.front().place, "this fault never happened" + times(unused.front())};
    }
    if (!run_.refused.is_null() && !step.expects("refused")) {
      return Defect{step.place,
                    step.kind + " was refused: " + run_.refused.at("message").get<std::string>()};
    }
    for (const auto& expectation : step.then) {
      if (auto failed = judge(expectation)) return failed;
    }
    return broken();
  }

  static std::string times(const Fault& fault) {
    if (fault.used == 0) return {};
    return " as often as it should: " + std::to_string(fault.used) + " of " +
           std::to_string(fault.times) + " times";
  }

  void act(const Step& step) {
    int crashes = 0;
    const auto repair = [&] {
      if (!supervised_ || !world_.down()) return false;
      if (++crashes > kCrashesMax) {
        throw Livelock("the engine died more than " + std::to_string(kCrashesMax) +
                       " times in this step");
      }
      world_.restart();
      return true;
    };
    if (step.act) {
      do {  // whoever got no answer asks again
        run_.receipts = json::array();
        run_.refused = nullptr;
        step.act(run_);
      } while (repair() && asksAgain(step));
    }
    if (!step.settles) return;
    do world_.settle();
    while (repair());
  }

  static bool asksAgain(const Step& step) {
    return step.kind == "submit" || step.kind == "batch" || step.kind == "replay" ||
           step.kind == "advance";
  }

  std::optional<Defect> judge(const Expectation& expectation) try {
    const auto found = expectation.kind->find(run_, expectation.expected);
    const auto difference = compare(expectation.expected, found, run_.answers);
    if (!difference) return {};
    std::string where = expectation.kind->name;
    if (!difference->at.empty()) where += " " + difference->at.to_string();
    return Defect{scenario_.source.place(expectation.at / difference->at),
                  where,
                  difference->expected,
                  difference->found,
                  updates(expectation),
                  found};
  } catch (const Unanswerable& unanswerable) {
    return Defect{scenario_.source.placeOfKey(expectation.at / unanswerable.at),
                  std::string(expectation.kind->name) + ": " + unanswerable.why};
  }

  /// Of what must not be there, nothing can be written down.
  static std::optional<json::json_pointer> updates(const Expectation& expectation) {
    if (std::string_view(expectation.kind->name) == "noEvents") return {};
    return expectation.at;
  }

  std::optional<Defect> broken() {
    const auto lines = invariants_.check(run_);
    if (lines.empty()) return {};
    std::string all = "an invariant is broken";
    for (const auto& line : lines) all += "\n    " + line;
    return Defect{place_, all};
  }

  const ScenarioFile& scenario_;
  bool relaxed_;
  bool supervised_ = false;
  World world_;
  Run run_;
  Invariants invariants_;
  std::string place_;
};

std::string soFar(const Run& run) {
  std::string text;
  Filter all;
  all.limit = 1000;
  std::vector<Flow> flows;
  run.world.store().read([&](Snapshot& snapshot) {
    std::set<std::string> seen;
    auto commands = snapshot.commands(all);
    std::ranges::sort(commands, {}, &Command::seq);
    for (const auto& command : commands) {
      if (!seen.insert(command.correlationId).second) continue;
      if (auto flow = snapshot.flow(command.correlationId)) flows.push_back(std::move(*flow));
    }
  });
  std::vector<std::string> lines;
  for (const auto& flow : flows) {
    for (auto& line : treeLines(flow, true)) lines.push_back(std::move(line));
  }
  const auto left = lines.size() > kLinesMax ? lines.size() - kLinesMax : 0;
  for (std::size_t at = 0; at < lines.size(); ++at) {
    if (left > 0 && at == kLinesMax / 2) {  // how it began, and how it ended
      text += "    (" + std::to_string(left) + " lines more)\n";
      at += left;
    }
    text += "    " + escapeForTerminal(lines[at]) + "\n";
  }
  if (run.world.down()) text += "    (the engine is down)\n";
  return text;
}

std::string reportOf(const Defect& failed, const Run& run, const std::string& file,
                     std::uint64_t seed, bool matrix) {
  std::string text = failed.place + ": " + failed.problem + "\n";
  if (!failed.expected.empty() || !failed.found.empty()) {
    text += "  expected " + escapeForTerminal(failed.expected) + "\n";
    text += "  found    " + escapeForTerminal(failed.found) + "\n";
  }
  const auto tree = soFar(run);
  if (!tree.empty()) text += "  so far:\n" + tree;
  text += "  again: tether scenario run " + file + " --seed " + std::to_string(seed) +
          (matrix ? " --crash-matrix" : "") + "\n";
  return text;
}

void keep(World& world, const fs::path& folder, const std::string& file, const std::string& cell) {
  if (folder.empty()) return;
  auto name = fs::path(file).relative_path().native() + (cell.empty() ? "" : " " + cell);
  std::ranges::replace(name, '/', '.');
  fs::create_directories(folder / name);
  std::error_code error;
  world.crash();  // its files, as they are
  fs::copy(world.folder(), folder / name,
           fs::copy_options::recursive | fs::copy_options::overwrite_existing, error);
  if (error) {
    throw Error(ErrorCode::Unavailable,
                "cannot keep the store in " + folder.native() + ": " + error.message());
  }
}

/// The first difference of two final states, as a text.
std::optional<Defect> sameState(const json& expected, const json& found, const std::string& place) {
  if (expected == found) return {};
  const auto patch = json::diff(expected, found);
  const auto at = json::json_pointer(patch.at(0).at("path").get<std::string>());
  const auto shown = [&](const json& state) {
    return state.contains(at) ? state.at(at).dump() : std::string("nothing");
  };
  return Defect{place, "another final state than without the crash, at " + at.to_string(),
                shown(expected), shown(found)};
}

class FileRun {
 public:
  FileRun(const fs::path& file, const Host& host, const RunOptions& options)
      : file_(file.native()), host_(host), options_(options), scenario_(ScenarioFile::read(file)) {
    if (options.seed) scenario_.setting.seed = *options.seed;
  }

  std::vector<Result> run() {
    std::vector<Result> results = {runAsWritten()};
    if (!options_.crashMatrix || !results.front().passed()) return results;
    Runner reference(scenario_, scenario_.setting, host_, true);
    if (const auto failed = reference.play()) {
      results.push_back(judged("no crash", reference, failed));
      return results;
    }
    const auto final = finalStateOf(reference.run());
    for (const auto seam : reference.world().passed()) {
      results.push_back(runCell(seam, final));
    }
    return results;
  }

 private:
  Result runAsWritten() {
    for (;;) {
      Runner runner(scenario_, scenario_.setting, host_, false);
      const auto failed = runner.play();
      if (!failed || !options_.update || !failed->at) return judged("", runner, failed);
      const auto text = scenario_.source.replaced(*failed->at, failed->actual);
      if (text == scenario_.source.text()) return judged("", runner, failed);
      std::ofstream(file_, std::ios::trunc) << text;
      scenario_ = ScenarioFile::read(file_);
    }
  }

  Result runCell(Seam seam, const json& final) {
    Runner runner(scenario_, scenario_.setting, host_, true);
    runner.world().crashAt(seam);
    auto failed = runner.play();
    if (!failed)
      failed = sameState(final, finalStateOf(runner.run()),
                         scenario_.source.place(json::json_pointer()));
    return judged("crash at " + std::string(toString(seam)), runner, failed);
  }

  Result judged(const std::string& cell, Runner& runner, const std::optional<Defect>& failed) {
    Result result;
    result.file = file_;
    result.name = scenario_.title.name;
    result.cell = cell;
    if (!failed) return result;
    result.outcome = Result::Outcome::Failed;
    result.report = reportOf(*failed, runner.run(), file_, scenario_.setting.seed, !cell.empty());
    keep(runner.world(), options_.keepOnFailure, file_, cell);
    return result;
  }

  std::string file_;
  const Host& host_;
  const RunOptions& options_;
  ScenarioFile scenario_;
};

/// What goes wrong in a scenario is meant to; the results say what was not.
class Silence {
 public:
  Silence() { log::setLevel(log::Level::Off); }
  ~Silence() { log::setLevel(log::Level::Warn); }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;
};

}  // namespace

std::vector<Result> run(const fs::path& file, const Host& host, const RunOptions& options) {
  const Silence silence;
  return FileRun(file, host, options).run();
}

Title check(const fs::path& file) { return ScenarioFile::read(file).title; }

}  // namespace tether::scenario
