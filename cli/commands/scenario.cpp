// Scenario files: run, check, new, schema. See man/tether-scenario.1.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>
#include <thread>

#include "all.hpp"
#include "files.hpp"
#include "scenario/new_file.hpp"
#include "scenario/pool.hpp"
#include "scenario/report.hpp"
#include "tether/text.hpp"

namespace tether::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kEnding = ".scenario.json";

struct RunFlags {
  std::vector<std::string> paths;
  std::string jobs;
  std::string name;
  std::string tag;
  std::string shard;
  std::string seed;
  bool crashMatrix = false;
  std::string report;
  std::string keep;
  bool update = false;
  std::string limit = "1m";
};

struct CheckFlags {
  std::vector<std::string> paths;
};

struct NewFlags {
  std::string file;
  std::string type;
};

struct NoFlags {};

/// As one would write it from the folder that the tool works in.
std::string shownPath(const fs::path& path, const Session& session) {
  const auto relative = path.lexically_relative(session.folder());
  return relative.empty() || *relative.begin() == ".." ? path.native() : relative.native();
}

/// The files that the arguments name, each once; of a folder all that end in .scenario.json.
std::vector<std::string> filesOf(const std::vector<std::string>& paths, const Session& session) {
  std::vector<std::string> files;
  std::set<fs::path> known;
  const auto add = [&](const std::string& file) {
    std::error_code ignored;  // then it cannot be read either
    if (known.insert(fs::weakly_canonical(file, ignored)).second) files.push_back(file);
  };
  for (const auto& given : paths) {
    const auto path = session.resolve(given);
    if (!fs::exists(path)) {
      throw Error(ErrorCode::NotFound, fmt::format("there is no {}", quote(given)));
    }
    if (!fs::is_directory(path)) {
      add(shownPath(path, session));
      continue;
    }
    std::vector<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(path)) {
      if (!entry.is_regular_file() || !entry.path().native().ends_with(kEnding)) continue;
      found.push_back(shownPath(entry.path(), session));
    }
    if (found.empty()) {
      throw Error(ErrorCode::NotFound,
                  fmt::format("there is no file *{} in {}", kEnding, quote(given)));
    }
    std::ranges::sort(found);
    std::ranges::for_each(found, add);
  }
  return files;
}

/// Nothing: the file is unusable, and running it tells why.
std::optional<scenario::Title> titleOf(const std::string& file) {
  try {
    return scenario::head(file);
  } catch (const Error&) {
    return {};
  }
}

std::vector<std::string> selected(std::vector<std::string> files, const RunFlags& flags) {
  if (!flags.name.empty() || !flags.tag.empty()) {
    std::erase_if(files, [&](const std::string& file) {
      const auto title = titleOf(file);
      if (!title) return false;
      const bool named = flags.name.empty() || title->name.find(flags.name) != std::string::npos ||
                         file.find(flags.name) != std::string::npos;
      const bool tagged = flags.tag.empty() || std::ranges::count(title->tags, flags.tag) > 0;
      return !named || !tagged;
    });
  }
  if (!flags.shard.empty()) {
    const auto slash = std::min(flags.shard.find('/'), flags.shard.size());
    const auto part = countOf("--shard", flags.shard.substr(0, slash), 1);
    const auto parts =
        countOf("--shard", slash < flags.shard.size() ? flags.shard.substr(slash + 1) : "", 1);
    if (part > parts) {
      throw Error(ErrorCode::Invalid, fmt::format("--shard {} is beyond its last", flags.shard));
    }
    std::vector<std::string> mine;
    for (auto at = part - 1; at < files.size(); at += parts) mine.push_back(files[at]);
    files = std::move(mine);
  }
  return files;
}

using Reports = std::map<std::string, std::string>;  // format to file

/// The second would write over the first.
void refuseSameFile(const Reports& reports, const Session& session) {
  std::map<fs::path, std::string> formats;
  for (const auto& [format, file] : reports) {
    const auto path = file == "-" ? fs::path(file) : fs::weakly_canonical(session.resolve(file));
    const auto [other, added] = formats.emplace(path, format);
    if (added) continue;
    throw Error(ErrorCode::Invalid, file == "-"
                                        ? "--report: only one format can go to standard output"
                                        : fmt::format("--report: {} and {} both go to {}",
                                                      other->second, format, quote(file)));
  }
}

Reports reportsOf(const std::string& text, const Session& session) {
  Reports reports;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find(',', begin), text.size());
    const auto one = text.substr(begin, end - begin);
    const auto equals = std::min(one.find('='), one.size());
    const auto format = one.substr(0, equals);
    const std::vector<std::string> known = {"junit", "tap", "json"};
    if (std::ranges::count(known, format) == 0 || equals + 1 >= one.size()) {
      throw Error(
          ErrorCode::Invalid,
          fmt::format("--report takes junit=FILE, tap=FILE or json=FILE, not {}", quote(one)));
    }
    if (!reports.emplace(format, one.substr(equals + 1)).second) {
      throw Error(ErrorCode::Invalid, fmt::format("--report: {} is there twice", format));
    }
    begin = end + 1;
  }
  refuseSameFile(reports, session);
  return reports;
}

std::string renderedAs(const std::string& format, const AllResults& all) {
  if (format == "junit") return junitOf(all);
  if (format == "tap") return tapOf(all);
  return jsonOf(all).dump(2) + '\n';
}

class Telling {
 public:
  Telling(Session& session, Reports reports)
      : session_(session), print_(session.print()), reports_(std::move(reports)) {
    for (const auto& [format, file] : reports_) {
      if (file != "-") continue;
      quiet_ = true;
      if (print_.forPeople()) continue;
      throw Error(ErrorCode::Invalid,
                  fmt::format("--report {}=- and --json both write to standard output: give the "
                              "report a file",
                              format));
    }
    quiet_ = quiet_ || !print_.forPeople();
  }

  void file(const std::string& file, const FileResults& results) {
    all_.emplace_back(file, results);
    if (results.problem.empty()) {
      tell(results);
      return;
    }
    (results.environment ? environment_ : unusable_) = true;
    ++failed_;
    if (!quiet_) print_.line({{"ERROR ", Style::Bad}, results.problem});
  }

  int end() {
    for (const auto& [format, file] : reports_) write(format, file);
    if (!quiet_ && !print_.quiet()) {
      print_.line({fmt::format("{}: {} passed, {} failed", countText(all_.size(), "scenario"),
                               all_.size() - failed_, failed_)});
    }
    const int exit = environment_ ? kUnavailable : unusable_ ? kUsage : failed_ > 0 ? kNo : kDone;
    if (!print_.forPeople()) {
      print_.answer(
          "scenario-run", jsonOf(all_), [] {}, exit == kDone ? Verdict::Pass : Verdict::Fail);
    }
    return exit;
  }

 private:
  void tell(const FileResults& results) {
    const auto& first = results.results.front();
    const auto bad =
        std::ranges::count_if(results.results, [](const auto& result) { return !result.passed(); });
    failed_ += bad > 0 ? 1 : 0;
    if (quiet_) return;
    if (bad == 0) {
      const auto cells = results.results.size() - 1;
      print_.line(
          {{"ok    ", Style::Good},
           first.file,
           ": ",
           first.name,
           {cells == 0 ? "" : fmt::format(" (and {} {})", cells, cells == 1 ? "crash" : "crashes"),
            Style::Dim}});
      return;
    }
    for (const auto& result : results.results) {
      if (result.passed()) continue;
      print_.line({{"FAIL  ", Style::Bad}, result.file, ": ", caseName(result)});
      print_.text(result.report);
    }
  }

  void write(const std::string& format, const std::string& file) {
    const auto text = renderedAs(format, all_);
    if (file == "-") {
      print_.text(text);
      return;
    }
    const auto path = session_.resolve(file);
    writeFile(path, file, text, {.over = true});
  }

  Session& session_;
  Printer& print_;
  Reports reports_;
  bool quiet_ = false;
  AllResults all_;
  std::size_t failed_ = 0;
  bool unusable_ = false;
  bool environment_ = false;
};

int runRun(const RunFlags& flags, Session& session) {
  PoolOptions options;
  options.jobs = flags.jobs.empty() ? std::max(1U, std::thread::hardware_concurrency())
                                    : countOf("--jobs", flags.jobs, 1);
  options.limit = durationOf("--timeout", flags.limit);
  options.run.crashMatrix = flags.crashMatrix;
  options.run.update = flags.update;
  if (!flags.seed.empty()) options.run.seed = countOf("--seed", flags.seed, 0);
  if (!flags.keep.empty()) options.run.keepOnFailure = session.resolve(flags.keep);
  Telling telling(session, reportsOf(flags.report, session));
  // Files are named as from there, in reports too.
  fs::current_path(session.folder());
  const auto files = selected(filesOf(flags.paths, session), flags);
  if (files.empty()) throw Error(ErrorCode::NotFound, "no scenario is selected");
  runScenarios(files, options,
               [&](const auto& file, const auto& results) { telling.file(file, results); });
  return telling.end();
}

int runCheck(const CheckFlags& flags, Session& session) {
  fs::current_path(session.folder());
  std::size_t bad = 0;
  json data = json::array();
  const auto files = filesOf(flags.paths, session);
  std::vector<std::string> problems;
  for (const auto& file : files) {
    json one = {{"file", file}, {"problem", nullptr}};
    try {
      one["name"] = scenario::check(file).name;
    } catch (const Error& error) {
      ++bad;
      one["problem"] = error.what();
      problems.emplace_back(error.what());
    }
    data.push_back(std::move(one));
  }
  auto& print = session.print();
  print.answer(
      "scenario-check", data,
      [&] {
        for (const auto& problem : problems) print.line({{"ERROR ", Style::Bad}, problem});
        if (!print.quiet()) {
          print.line({fmt::format("{}: {} well formed, {} not", countText(files.size(), "scenario"),
                                  files.size() - bad, bad)});
        }
      },
      bad == 0 ? Verdict::Pass : Verdict::Fail);
  return bad == 0 ? kDone : kUsage;
}

int runNew(const NewFlags& flags, Session& session) {
  const auto path = session.resolve(flags.file);
  if (fs::exists(path)) {
    throw Error(ErrorCode::Conflict, fmt::format("{} is there already", quote(flags.file)));
  }
  const auto text = newScenario(session.catalog(), path, flags.type);
  std::error_code ignored;  // then the file cannot be written either, and that says why
  fs::create_directories(path.parent_path(), ignored);
  writeFile(path, flags.file, text);
  auto& print = session.print();
  print.answer("scenario-new", {{"file", path.native()}}, [&] {
    if (print.quiet()) return;
    print.line({"wrote ", {flags.file, Style::Strong}});
    print.line({"now: tether scenario run ", flags.file});
  });
  return kDone;
}

int runSchema(const NoFlags& /*flags*/, Session& session) {
  const auto schema = scenario::formatSchema();
  auto& print = session.print();
  print.answer("scenario-schema", schema, [&] { print.text(schema.dump(2) + '\n'); });
  return kDone;
}

}  // namespace

void addScenario(const Verb& tool, Action& chosen) {
  const auto noun = addNoun(tool, "scenario", "Run files that say: given, when, then");

  auto run = std::make_shared<RunFlags>();
  const auto verb =
      addVerb(noun, "run", "Run scenarios: exit 0 passed, 1 failed, 2 bad file",
              "tether scenario run scenarios/ --crash-matrix --report junit=report.xml");
  verb.argument("PATH", run->paths, "Files, and folders with files *.scenario.json").required();
  verb.option("--jobs", run->jobs, "So many files at once (the processors)").value("N");
  verb.option("--filter", run->name, "Only those with this in their name or path").value("TEXT");
  verb.option("--tag", run->tag, "Only those with this tag").value("TAG");
  verb.option("--shard", run->shard, "Only this part of the files").value("I/N");
  verb.option("--seed", run->seed, "For ids and jitter, instead of the file's").value("N");
  verb.flag("--crash-matrix", run->crashMatrix,
            "Again with a crash at each seam: the end must be the same");
  verb.option("--report", run->report, "junit=FILE, tap=FILE, json=FILE; - for stdout")
      .value("LIST");
  verb.option("--keep-on-failure", run->keep, "Keep the stores of what failed here").value("DIR");
  verb.flag("--update", run->update, "Write what was found into the files");
  verb.option("--timeout", run->limit, "Real time that a file may take (1m)").value("DURATION");
  onChosen(verb, chosen, std::move(run), &runRun);

  auto check = std::make_shared<CheckFlags>();
  const auto checkVerb =
      addVerb(noun, "check", "Read scenarios and look for mistakes, without running them",
              "tether scenario check scenarios/");
  checkVerb.argument("PATH", check->paths, "Files, and folders with files *.scenario.json")
      .required();
  onChosen(checkVerb, chosen, std::move(check), &runCheck);

  auto fresh = std::make_shared<NewFlags>();
  const auto newVerb =
      addVerb(noun, "new", "Write a scenario to begin with",
              "tether scenario new scenarios/late.scenario.json --type CreateOrder");
  newVerb.argument("FILE", fresh->file, "The file to write").required();
  newVerb.option("--type", fresh->type, "The command that it submits (the first)").value("TYPE");
  onChosen(newVerb, chosen, std::move(fresh), &runNew);

  const auto schemaVerb =
      addVerb(noun, "schema", "Print the JSON Schema of the format, for editors",
              "tether scenario schema > scenario.schema.json");
  onChosen(schemaVerb, chosen, std::make_shared<NoFlags>(), &runSchema);
}

}  // namespace tether::cli
