#include "scenario/pool.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <map>
#include <nlohmann/json.hpp>

#include "tether/error.hpp"

namespace tether::cli {
namespace {

using nlohmann::json;
using Steady = std::chrono::steady_clock;

json jsonOf(const FileResults& results) {
  json list = json::array();
  for (const auto& result : results.results) {
    list.push_back({{"file", result.file},
                    {"name", result.name},
                    {"cell", result.cell},
                    {"passed", result.passed()},
                    {"report", result.report}});
  }
  return {{"results", list}, {"problem", results.problem}, {"environment", results.environment}};
}

FileResults fromJson(const json& text) {
  FileResults results;
  results.problem = text.at("problem");
  results.environment = text.at("environment");
  for (const auto& one : text.at("results")) {
    scenario::Result result;
    result.file = one.at("file");
    result.name = one.at("name");
    result.cell = one.at("cell");
    result.report = one.at("report");
    if (!one.at("passed").get<bool>()) result.outcome = scenario::Result::Outcome::Failed;
    results.results.push_back(std::move(result));
  }
  return results;
}

FileResults runOne(const std::string& file, const scenario::RunOptions& options) {
  FileResults results;
  try {
    results.results = scenario::run(file, {}, options);
  } catch (const Error& error) {
    results.problem = error.what();
    results.environment = error.code() == ErrorCode::Unavailable;
  } catch (const std::exception& error) {  // must not unwind into what the parent left here
    scenario::Result result;
    result.file = file;
    result.outcome = scenario::Result::Outcome::Failed;
    result.report = fmt::format("{}: a bug in Tether: {}\n", file, error.what());
    results.results = {result};
  }
  return results;
}

void writeAll(int to, const std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto wrote = ::write(to, text.data() + at, text.size() - at);
    if (wrote < 0 && errno != EINTR) return;
    if (wrote > 0) at += static_cast<std::size_t>(wrote);
  }
}

struct Child {
  pid_t pid = 0;
  int from = -1;
  Steady::time_point until;
  std::string said;
  bool late = false;
};

class Pool {
 public:
  Pool(const std::vector<std::string>& files, const PoolOptions& options)
      : files_(files), options_(options) {}
  ~Pool() {
    for (auto& [index, child] : children_) {
      ::kill(child.pid, SIGKILL);
      (void)reap(child);
    }
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  void run(const std::function<void(const std::string&, const FileResults&)>& done) {
    for (std::size_t told = 0; told < files_.size();) {
      while (children_.size() < options_.jobs && next_ < files_.size()) start(next_++);
      wait();
      for (; ended_.count(told) > 0; ++told) {
        done(files_[told], ended_[told]);
        ended_.erase(told);
      }
    }
  }

 private:
  void start(std::size_t index) {
    int ends[2] = {-1, -1};
    const bool piped = ::pipe(ends) == 0;
    const pid_t pid = piped ? ::fork() : -1;
    if (pid < 0) throw Error(ErrorCode::Unavailable, "cannot start a process for a scenario");
    if (pid == 0) {
      ::close(ends[0]);
      writeAll(ends[1], jsonOf(runTelling(files_[index], ends[1])).dump() + '\n');
      ::_exit(0);  // nothing of the parent's is flushed or destroyed here
    }
    ::close(ends[1]);
    children_[index] = {pid, ends[0], Steady::now() + options_.limit, {}, false};
  }

  /// A line for each step that begins, and the results as the last one.
  FileResults runTelling(const std::string& file, int to) const {
    auto options = options_.run;
    options.onStep = [to](const std::string& name, const std::string& cell,
                          const std::string& step) {
      writeAll(to, json{{"name", name}, {"cell", cell}, {"step", step}}.dump(
                       -1, ' ', true, json::error_handler_t::replace) +
                       '\n');
    };
    return runOne(file, options);
  }

  /// Until a child has said something, ended, or run out of time.
  void wait() {
    std::vector<pollfd> polled;
    auto until = Steady::time_point::max();
    for (auto& [index, child] : children_) {
      polled.push_back({child.from, POLLIN, 0});
      until = std::min(until, child.until);
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Steady::now()).count();
    const auto most = static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
    if (::poll(polled.data(), polled.size(), most) < 0 && errno != EINTR) {
      throw Error(ErrorCode::Unavailable, "cannot wait for a scenario");
    }
    std::size_t at = 0;
    for (auto child = children_.begin(); child != children_.end(); ++at) {
      const bool over = polled[at].revents != 0 && !readSome(child->second);
      if (!over && Steady::now() >= child->second.until && !child->second.late) {
        child->second.late = true;
        ::kill(child->second.pid, SIGKILL);  // its end closes the pipe
      }
      if (!over) {
        ++child;
        continue;
      }
      ended_[child->first] = resultOf(child->first, child->second);
      child = children_.erase(child);
    }
  }

  static bool readSome(Child& child) {
    char buffer[64 * 1024];
    const auto got = ::read(child.from, buffer, sizeof buffer);
    if (got < 0) return errno == EINTR;
    child.said.append(buffer, static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    // Of the whole lines only the last one counts.
    const auto end = child.said.rfind('\n');
    if (end == std::string::npos || end == 0) return got > 0;
    const auto begin = child.said.rfind('\n', end - 1);
    if (begin != std::string::npos) child.said.erase(0, begin + 1);
    return got > 0;
  }

  static int reap(const Child& child) {
    ::close(child.from);
    int status = 0;
    while (::waitpid(child.pid, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
  }

  FileResults resultOf(std::size_t index, const Child& child) const {
    const int status = reap(child);
    if (!child.late && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
      return fromJson(json::parse(child.said));
    }
    FileResults results;
    scenario::Result result;
    result.file = files_[index];
    result.outcome = scenario::Result::Outcome::Failed;
    auto place = result.file;
    const auto line = std::string_view(child.said).substr(0, child.said.find('\n'));
    const auto last = json::parse(line, nullptr, false);
    if (last.is_object() && last.contains("step")) {
      result.name = last.at("name");
      result.cell = last.at("cell");
      place = last.at("step");
    }
    result.report = child.late
                        ? fmt::format("{}: did not end within {}\n", place, toText(options_.limit))
                        : fmt::format("{}: its process died ({} {})\n", place,
                                      WIFSIGNALED(status) ? "signal" : "exit",
                                      WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    results.results.push_back(std::move(result));
    return results;
  }

  const std::vector<std::string>& files_;
  const PoolOptions& options_;
  std::size_t next_ = 0;
  std::map<std::size_t, Child> children_;
  std::map<std::size_t, FileResults> ended_;
};

}  // namespace

void runScenarios(const std::vector<std::string>& files, const PoolOptions& options,
                  const std::function<void(const std::string&, const FileResults&)>& done) {
  Pool(files, options).run(done);
}

}  // namespace tether::cli
