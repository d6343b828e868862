// Runs a scenario file: its steps once as they are written, then once for each cell of the matrix.
#include <algorithm>
#include <cctype>
#include <fstream>
#include <functional>

#include "base/log.hpp"
#include "scenario/final_state.hpp"
#include "scenario/invariants.hpp"
#include "scenario/project_check.hpp"
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

/// Of what was found only the members that the expectation names, as far as it is a record.
json asNamed(const json& expected, const json& found) {
  if (!matcherName(expected).empty() || expected.type() != found.type()) return found;
  if (expected.is_array()) {
    json list = json::array();
    for (const auto& element : found) {
      const auto like = std::min(list.size() + 1, expected.size());  // the last one, for all more
      list.push_back(like == 0 ? element : asNamed(expected[like - 1], element));
    }
    return list;
  }
  if (!expected.is_object()) return found;
  json record = json::object();
  for (const auto& [name, value] : expected.items()) {
    if (!found.contains(name)) continue;
    record[name] = isValue(name) ? found.at(name) : asNamed(value, found.at(name));
  }
  return record;
}

class Runner {
 public:
  using OnStep = std::function<void(const std::string& step)>;

  /// `relaxed`: a cell of the matrix, where only the end counts.
  Runner(const ScenarioFile& scenario, const Host& host, bool relaxed, OnStep onStep)
      : scenario_(scenario),
        relaxed_(relaxed),
        onStep_(std::move(onStep)),
        world_(scenario.setting, host),
        run_{world_} {
    supervised_ = scenario.setting.supervised || relaxed;
  }

  World& world() { return world_; }
  const Run& run() const { return run_; }

  /// Nothing: it passed.
  std::optional<Defect> play() {
    place_ = scenario_.source.place(json::json_pointer());
    try {
      for (const auto& given : scenario_.given) {
        place_ = given.place;
        begin("given");
        world_.change({given.sql});
      }
      for (const auto& step : scenario_.steps) {
        place_ = step.place;
        begin(step.kind.empty() ? "then" : step.kind);
        if (auto failed = playStep(step)) return failed;
      }
      if (relaxed_) {
        world_.arm({});
        world_.advanceUntilNothingIsDue();
      }
      return broken(true);
    } catch (const Livelock& livelock) {
      return Defect{place_, livelock.what()};
    } catch (const Error& error) {
      if (error.code() == ErrorCode::Unavailable) throw;  // this machine's, not the scenario's
      return Defect{place_, error.what()};
    } catch (const std::exception& error) {  // what SQL functions throw
      return Defect{place_, error.what()};
    }
  }

 private:
  void begin(const std::string& kind) const {
    if (onStep_) onStep_(place_ + " (" + kind + ")");
  }

  std::optional<Defect> playStep(const Step& step) {
    run_.beginStep();
    world_.arm(step.faults);
    if (step.meanwhile) world_.meanwhile([&] { step.meanwhile(run_); });
    act(step);
    const auto unused = world_.disarm();
    const bool idle = world_.meanwhile(nullptr);
    if (relaxed_) return broken();
    if (idle) return Defect{step.place, "no command hung meanwhile"};
    if (!run_.refused.is_null() && !step.expects("refused")) {
      return Defect{step.place,
                    step.kind + " was refused: " + run_.refused.at("message").get<std::string>()};
    }
    if (!unused.empty()) {
      return Defect{unused.front().place, "this fault never happened" + times(unused.front())};
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
        run_.again = crashes > 0;
        run_.receipts = json::array();
        run_.refused = nullptr;
        step.act(run_);
      } while (repair() && asksAgain(step));
    }
    if (!step.settles) return;
    do world_.settle();
    while (repair());
  }

  /// What is done outside of the engine is done.
  static bool asksAgain(const Step& step) {
    return step.kind != "restart" && step.kind != "send" && step.kind != "receive" &&
           step.kind != "sql";
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
                  asNamed(expectation.expected, found)};
  } catch (const Unanswerable& unanswerable) {
    return Defect{scenario_.source.placeOfKey(expectation.at / unanswerable.at),
                  std::string(expectation.kind->name) + ": " + unanswerable.why};
  }

  /// Of what must not be there, nothing can be written down.
  static std::optional<json::json_pointer> updates(const Expectation& expectation) {
    if (std::string_view(expectation.kind->name) == "noEvents") return {};
    return expectation.at;
  }

  std::optional<Defect> broken(bool last = false) {
    const auto lines = invariants_.check(run_, last);
    if (lines.empty()) return {};
    std::string all = "an invariant is broken";
    for (const auto& line : lines) all += "\n    " + line;
    return Defect{place_, all};
  }

  const ScenarioFile& scenario_;
  bool relaxed_;
  OnStep onStep_;
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

/// As a shell takes it for one word.
std::string shellWord(const std::string& word) {
  const auto plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("/._-+=:@%").find(c) != std::string_view::npos;
  };
  if (std::ranges::all_of(word, plain)) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
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
  text += "  again: tether scenario run " + shellWord(file) + " --seed " + std::to_string(seed) +
          (matrix ? " --crash-matrix" : "") + "\n";
  return text;
}

void keep(World& world, const fs::path& folder, const std::string& file, const std::string& cell) {
  if (folder.empty()) return;
  auto name = fs::path(file).relative_path().native() + (cell.empty() ? "" : " " + cell);
  std::ranges::replace(name, '/', '.');
  std::error_code error;
  fs::remove_all(folder / name, error);  // of a run before
  if (!error) fs::create_directories(folder / name, error);
  world.crash();  // its files, as they are
  if (!error) fs::copy(world.folder(), folder / name, fs::copy_options::recursive, error);
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
    Runner reference(scenario_, host_, true, hearer("no crash"));
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
      Runner runner(scenario_, host_, false, hearer(""));
      const auto failed = runner.play();
      if (!failed || !options_.update || !failed->at) return judged("", runner, failed);
      const auto text = scenario_.source.replaced(*failed->at, failed->actual);
      if (text == scenario_.source.text()) return judged("", runner, failed);
      try {
        scenario_ = ScenarioFile::parse(SourceText(file_, text), file_);
      } catch (const Error&) {  // what was found is no expectation: a name that nobody gave
        return judged("", runner, failed);
      }
      if (options_.seed) scenario_.setting.seed = *options_.seed;
      std::ofstream out(file_, std::ios::trunc);
      out << text;
      out.close();
      if (!out) throw Error(ErrorCode::Invalid, "cannot write " + file_);
    }
  }

  Result runCell(Seam seam, const json& final) {
    const auto cell = "crash at " + std::string(toString(seam));
    Runner runner(scenario_, host_, true, hearer(cell));
    runner.world().crashAt(seam);
    auto failed = runner.play();
    if (!failed)
      failed = sameState(final, finalStateOf(runner.run()),
                         scenario_.source.place(json::json_pointer()));
    return judged(cell, runner, failed);
  }

  Runner::OnStep hearer(const std::string& cell) const {
    if (!options_.onStep) return {};
    return [this, cell](const std::string& step) {
      options_.onStep(scenario_.title.name, cell, step);
    };
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

/// What is wrong may be in another file; of which scenario, must be said too.
template <class Work>
auto naming(const fs::path& file, Work work) {
  try {
    return work();
  } catch (const Error& error) {
    const std::string problem = error.what();
    if (problem.starts_with(file.native())) throw;
    throw Error(error.code(), escapeForTerminal(file.native()) + ": " + problem);
  }
}

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
  return naming(file, [&] { return FileRun(file, host, options).run(); });
}

Title head(const fs::path& file) {
  return naming(file, [&] { return ScenarioFile::read(file).title; });
}

Title check(const fs::path& file) {
  const Silence silence;
  return naming(file, [&] {
    const auto scenario = ScenarioFile::read(file);
    checkAgainstProject(scenario);
    return scenario.title;
  });
}

}  // namespace tether::scenario
