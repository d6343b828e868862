// How fast this machine accepts and runs commands. See man/tether-store.1.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "all.hpp"
#include "files.hpp"
#include "tether/text.hpp"

namespace tether::cli {
namespace {

namespace fs = std::filesystem;

// One row inserted, one row updated, one event: the work of a small order.
constexpr const char* kTables = R"sql(
CREATE TABLE orders (id TEXT PRIMARY KEY, customer INTEGER NOT NULL, amount INTEGER NOT NULL,
                     note TEXT NOT NULL);
CREATE TABLE account (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL, version INTEGER NOT NULL);
WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 1000)
INSERT INTO account SELECT x, 1000000, 0 FROM c;
)sql";
constexpr const char* kScript = R"sql(
INSERT INTO orders (id, customer, amount, note) VALUES (:id, :customer, :amount, :note);
UPDATE account SET balance = balance - :amount, version = version + 1 WHERE id = :customer;
SELECT emit('OrderPlaced', json_object('id', :id, 'customer', :customer, 'amount', :amount));
)sql";
constexpr std::size_t kAccounts = 1000;
constexpr int kMeasureShare = 20;  // of the time that a look takes, before the next

struct BenchOptions {
  std::string count = "20000";
  std::string window = "256";
  std::string payload = "300";
  std::string folder;
  std::string queue;
};

class PlaceOrder : public TransactionCommand {
 public:
  void execute(CommandContext& context) override { context.sql().run(kScript, context.payload()); }
};

/// A folder of its own, removed at the end.
class WorkingFolder {
 public:
  explicit WorkingFolder(const fs::path& parent) {
    std::string name = (parent / "tether-bench-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
      const int reason = errno;
      throw Error(codeOfWriting(reason),
                  fmt::format("cannot make a folder in {}: {}", quote(parent.string()),
                              std::strerror(reason)));
    }
    path_ = name;
  }
  ~WorkingFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  WorkingFolder(const WorkingFolder&) = delete;
  WorkingFolder& operator=(const WorkingFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// Keeps `window` commands in flight and notes when each was accepted and resolved. Its event has
/// left with the commit that ends the command, so ended is resolved.
class Run {
 public:
  Run(Clock& clock, std::size_t window) : clock_(clock), window_(window) {}

  Duration submitAll(Engine& engine, std::size_t count, std::size_t payloadBytes) {
    const auto start = clock_.steady();
    for (std::size_t number = 0; number < count; ++number) {
      auto request = requestOf(number, payloadBytes);
      {
        std::unique_lock lock(mutex_);
        moved_.wait(lock, [&] { return inFlight_ < window_ || failure_; });
        if (failure_) break;
        ++inFlight_;
      }
      const auto submitted = clock_.steady();
      engine.api().submitAsync(std::move(request), [this, submitted](const SubmitResult& result) {
        accepted(submitted, result);
      });
    }
    std::unique_lock lock(mutex_);
    moved_.wait(lock, [&] { return inFlight_ == 0 || failure_; });
    if (failure_) std::rethrow_exception(failure_);
    return clock_.steady() - start;
  }

  void ended(const Command& command) {
    const std::scoped_lock lock(mutex_);
    if (command.state != CommandState::Succeeded && !failure_) {
      failure_ = std::make_exception_ptr(
          Error(ErrorCode::Internal,
                fmt::format("command {} of the bench is {}: {}: {}", command.id,
                            toString(command.state), command.error.code, command.error.message)));
    }
    const auto found = submitted_.find(command.id);
    if (found != submitted_.end()) {
      resolved_.push_back(clock_.steady() - found->second);
      submitted_.erase(found);
    }
    --inFlight_;
    moved_.notify_one();
  }

  std::vector<Duration>& accepted() { return accepted_; }
  std::vector<Duration>& resolved() { return resolved_; }

 private:
  static CommandRequest requestOf(std::size_t number, std::size_t payloadBytes) {
    CommandRequest request;
    request.type = "PlaceOrder";
    request.payload = {{"id", fmt::format("order-{:012}", number)},
                       {"customer", number % kAccounts + 1},
                       {"amount", number % 97 + 1},
                       {"note", ""}};
    const auto bytes = request.payload.dump().size();
    if (bytes < payloadBytes) request.payload["note"] = std::string(payloadBytes - bytes, 'x');
    return request;
  }

  void accepted(Duration submitted, const SubmitResult& result) {
    const auto now = clock_.steady();
    const std::scoped_lock lock(mutex_);
    if (result.receipt) {
      accepted_.push_back(now - submitted);
      submitted_.emplace(result.receipt->commandId, submitted);
    } else {
      failure_ = result.error;
      moved_.notify_one();
    }
  }

  Clock& clock_;
  const std::size_t window_;
  std::mutex mutex_;
  std::condition_variable moved_;
  std::size_t inFlight_ = 0;
  std::unordered_map<std::string, Duration> submitted_;
  std::vector<Duration> accepted_;
  std::vector<Duration> resolved_;
  std::exception_ptr failure_;
};

double millis(Duration duration) { return static_cast<double>(duration.count()) / 1000; }

double quantile(std::vector<Duration>& times, double share) {
  if (times.empty()) return 0;
  const auto at = static_cast<std::ptrdiff_t>(share * static_cast<double>(times.size() - 1));
  std::ranges::nth_element(times, times.begin() + at);
  return millis(times[static_cast<std::size_t>(at)]);
}

/// Every order, its account and its event are there once: a fast wrong answer is no figure.
void checkEffects(Engine& engine, std::size_t count) {
  engine.store().read([&](Snapshot& snapshot) {
    const auto rows = snapshot.sql().query(
        "SELECT (SELECT count(*) FROM orders) AS orders, "
        "(SELECT sum(version) FROM account) AS updates");
    const auto expected = static_cast<std::int64_t>(count);
    const auto& row = rows.at(0);
    if (row.at("orders") != expected || row.at("updates") != expected ||
        snapshot.info().events != expected) {
      throw Error(ErrorCode::Internal, fmt::format("{} commands left {}", count, row.dump()));
    }
  });
}

/// "events=sqs://…". Throws Invalid.
void mapQueue(const std::string& text, EngineOptions& options) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || text.substr(0, equals) != "events") {
    throw Error(ErrorCode::Invalid,
                fmt::format("--queue must be events=ADDRESS, not {}", quote(text)));
  }
  options.queues["events"] = text.substr(equals + 1);
}

/// How long a relay takes to hand over all that waits. Throws Unavailable.
Duration relayAll(Engine& engine, Clock& clock) {
  const auto start = clock.steady();
  engine.start(Engine::Role::Relay);
  auto& store = engine.store();
  while (true) {
    const auto looked = clock.steady();
    Backlog left;
    store.read([&](Snapshot& snapshot) { left = snapshot.backlog({}, {}, true); });
    if (left.idle()) break;
    for (const auto& remote : engine.remotes()) {
      if (remote.failure.empty()) continue;
      throw Error(ErrorCode::Unavailable, fmt::format("the relay of the bench cannot reach queue "
                                                      "{}: {}",
                                                      remote.queue, remote.failure));
    }
    // A look reads all that waits: as often as the relay commits, it would measure itself.
    const auto next = clock.steady() + (clock.steady() - looked) * kMeasureShare;
    do {
      store.waitForChange(store.changeCount(), std::chrono::milliseconds{10});
    } while (clock.steady() < next);
  }
  const auto took = clock.steady() - start;
  engine.stop();
  return took;
}

double perSecond(std::size_t count, Duration took) {
  return static_cast<double>(count) * 1e6 / static_cast<double>(took.count());
}

void showBench(Printer& print, const nlohmann::json& data, bool relayed) {
  print.line({fmt::format("{}, {} in flight, {} byte payload: ",
                          countText(data.at("commands").get<std::size_t>(), "command"),
                          data.at("window").get<std::size_t>(),
                          data.at("payloadBytes").get<std::size_t>()),
              {fmt::format("{:.0f} commands/s", data.at("commandsPerSecond").get<double>()),
               Style::Strong}});
  for (const auto* stage : {"accepted", "resolved"}) {
    const auto& times = data.at(fmt::format("{}Millis", stage));
    print.line({fmt::format("submit to {}: p50 {:.2f} ms, p99 {:.2f} ms", stage,
                            times.at("p50").get<double>(), times.at("p99").get<double>())});
  }
  if (!relayed) return;
  const auto rate = data.at("relay").at("messagesPerSecond").get<double>();
  print.line({"handed over: ", {fmt::format("{:.0f} messages/s", rate), Style::Strong}});
}

int runBench(const BenchOptions& options, Session& session) {
  const auto count = countOf("--count", options.count, 1);
  const auto window = countOf("--window", options.window, 1);
  const auto payload = countOf("--payload", options.payload, 1);
  const auto parent = session.resolve(options.folder);
  if (!fs::is_directory(parent)) {
    throw Error(ErrorCode::Invalid, fmt::format("--dir: {} is no folder", quote(options.folder)));
  }

  const WorkingFolder folder(parent);
  Run bench(session.clock(), window);
  EngineOptions engineOptions;
  engineOptions.store = (folder.path() / "bench.db").string();
  engineOptions.migrations = {{"tables", kTables}};
  engineOptions.onEnded = [&](const Command& command) { bench.ended(command); };
  if (!options.queue.empty()) mapQueue(options.queue, engineOptions);
  Duration took{0};
  std::optional<Duration> relayed;
  {
    Engine engine(std::move(engineOptions));
    engine.commands().add<PlaceOrder>("PlaceOrder");
    // One after the other: each is measured alone.
    engine.start(options.queue.empty() ? Engine::Role::ListenerAndRelay : Engine::Role::Listener);
    took = bench.submitAll(engine, count, payload);
    engine.stop();
    checkEffects(engine, count);
    if (!options.queue.empty()) relayed = relayAll(engine, session.clock());
  }

  nlohmann::json data = {
      {"commands", count},
      {"window", window},
      {"payloadBytes", payload},
      {"tookMillis", millis(took)},
      {"commandsPerSecond", perSecond(count, took)},
      {"acceptedMillis",
       {{"p50", quantile(bench.accepted(), 0.5)}, {"p99", quantile(bench.accepted(), 0.99)}}},
      {"resolvedMillis",
       {{"p50", quantile(bench.resolved(), 0.5)}, {"p99", quantile(bench.resolved(), 0.99)}}}};
  if (relayed) {
    data["relay"] = {{"queue", options.queue},
                     {"tookMillis", millis(*relayed)},
                     {"messagesPerSecond", perSecond(count, *relayed)}};
  }
  session.print().answer("bench", data,
                         [&] { showBench(session.print(), data, relayed.has_value()); });
  return kDone;
}

}  // namespace

void addBench(const Verb& tool, Action& chosen) {
  auto options = std::make_shared<BenchOptions>();
  const auto verb = addVerb(tool, "bench", "Measure how fast commands are accepted and run here",
                            "tether bench --count 20000 --window 256");
  verb.option("--count", options->count, "How many commands (20000)").value("N");
  verb.option("--window", options->window, "How many are in flight (256)").value("N");
  verb.option("--payload", options->payload, "About how large each payload is (300)")
      .value("BYTES");
  verb.option("--queue", options->queue, "Hand the events over to this queue, and measure that too")
      .value("events=ADDRESS");
  verb.option("--dir", options->folder,
              "Where to make the working folder; it is removed at the end (here)")
      .value("DIR");
  onChosen(verb, chosen, std::move(options), &runBench);
}

}  // namespace tether::cli
