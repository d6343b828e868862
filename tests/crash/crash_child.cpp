// The process that the crash tests kill. What it acknowledged is in the --receipts file, one line a
// receipt, written after it was given.
//
//   crash_child seams       prints the name of every seam
//   crash_child run         submits, does turns on this thread until idle, then ends
//   crash_child threads     the same on threads: start(), submit, wait for every flow, stop()
//   crash_child submit      only submits
//   crash_child listen      start(), until standard input ends; then stop()
//   crash_child replay      replays every command that is dead, then turns until idle
//   crash_child apply       the same by the plan in --plan, which it makes when there is none
//   crash_child edit        edits every letter of a command that was not edited yet
//   crash_child deliver     sends each line of standard input to the remote queue of --commands
//
// Options (--name=value): see Settings. TETHER_CRASH_AT=seam[:hit] kills it at a seam.
#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "double_transport.hpp"
#include "orders.hpp"
#include "tether/engine.hpp"
#include "tether/error.hpp"
#include "tether/seam.hpp"

namespace crash {
namespace {

using std::chrono::milliseconds;

const tether::Operator kOperator{"crash", "tests", "to see what is left"};

struct Settings {
  std::string store;
  std::string receipts;  // file of what was acknowledged
  std::string starts;    // file of every execute() that began
  std::string prepares;  // file of every prepare() that began
  std::string commands = "local";
  std::string events = "local";
  std::string prefix = "c";    // ids are PREFIX-N
  std::string plan;            // file of a replay plan
  std::string payload;         // of every command, instead of the mix
  std::string type = "Order";  // with `payload`
  std::string declares;        // types that another program runs, with commas
  int from = 0;
  int count = 0;  // how many are submitted; below 0: until killed
  int keys = 3;
  int maxAttempts = 5;
  int prefetch = 256;
  int leaseMs = 30'000;   // of this process, seen from another container
  bool ships = true;      // react to OrderPlaced
  bool blocks = false;    // a dead order holds back its key
  int commitUnknown = 0;  // this commit, and every one so many later, reports an error
  Faults faults;
};

int number(const std::string& option, std::string_view text) {
  int value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) {
    throw std::invalid_argument(option + " needs a number, not " + std::string(text));
  }
  return value;
}

Settings parse(const std::vector<std::string>& arguments) {
  Settings settings;
  const std::map<std::string, std::string*> texts = {
      {"--store", &settings.store},       {"--receipts", &settings.receipts},
      {"--starts", &settings.starts},     {"--prepares", &settings.prepares},
      {"--commands", &settings.commands}, {"--events", &settings.events},
      {"--prefix", &settings.prefix},     {"--payload", &settings.payload},
      {"--type", &settings.type},         {"--declares", &settings.declares},
      {"--plan", &settings.plan}};
  std::map<std::string, std::function<void(int)>> numbers;
  const auto numeric = [&numbers](const std::string& option, auto& target) {
    using Value = std::remove_reference_t<decltype(target)>;
    numbers[option] = [&target](int value) { target = static_cast<Value>(value); };
  };
  numeric("--from", settings.from);
  numeric("--count", settings.count);
  numeric("--keys", settings.keys);
  numeric("--max-attempts", settings.maxAttempts);
  numeric("--prefetch", settings.prefetch);
  numeric("--lease-ms", settings.leaseMs);
  numeric("--ships", settings.ships);
  numeric("--blocks", settings.blocks);
  numeric("--commit-unknown", settings.commitUnknown);
  numeric("--call-fails", settings.faults.callFails);
  numeric("--answer-lost", settings.faults.answerLost);
  numeric("--message-fails", settings.faults.messageFails);
  for (const auto& argument : arguments) {
    const auto equals = argument.find('=');
    const auto option = argument.substr(0, equals);
    const auto value = equals == std::string::npos ? std::string() : argument.substr(equals + 1);
    if (const auto text = texts.find(option); text != texts.end()) {
      *text->second = value;
    } else if (const auto set = numbers.find(option); set != numbers.end()) {
      set->second(number(option, value));
    } else {
      throw std::invalid_argument("unknown option " + argument);
    }
  }
  return settings;
}

tether::EngineOptions engineOptions(const Settings& settings) {
  tether::EngineOptions options{.store = settings.store};
  options.source = "crash";
  options.migrations = migrations();
  options.queues = {{"commands", settings.commands}, {"events", settings.events}};
  options.retry.maxAttempts = settings.maxAttempts;
  options.retry.backoff = tether::RetryPolicy::Backoff::Fixed;
  options.retry.initial = milliseconds{1};
  options.prefetch = static_cast<std::size_t>(settings.prefetch);
  options.ownerLease = milliseconds{settings.leaseMs};
  options.transports = [faults = settings.faults](const std::string& address) {
    return openDouble(address, faults);
  };
  return options;
}

/// The engine with its application, and the file of receipts.
class Child {
 public:
  explicit Child(const Settings& settings)
      : settings_(settings), receipts_(settings.receipts), engine_(engineOptions(settings)) {
    const auto starts = std::make_shared<LineFile>(settings.starts);
    const auto prepares = std::make_shared<LineFile>(settings.prepares);
    add<Order>("Order", starts);
    add<PreparedOrder>("PreparedOrder", starts, prepares);
    add<Ship>("Ship");
    add<Bundle>("Bundle");
    if (settings.ships) engine_.events().on("OrderPlaced", "Ship");
    for (const char* type : {"Order", "PreparedOrder"}) {
      if (!settings.blocks) break;
      auto own = engine_.commands().settings(type);
      own.blocksKeyWhenDead = true;
      engine_.commands().configure(type, std::move(own));
    }
  }

  tether::Engine& engine() { return engine_; }

  /// Submits the commands that this process was asked for; returns their ids.
  std::vector<std::string> submit() {
    std::vector<std::string> ids;
    const int end = settings_.from + settings_.count;
    for (int n = settings_.from; settings_.count < 0 || n < end; ++n) {
      const auto request = settings_.payload.empty() ? mixed(n) : uniform(n);
      const auto receipt = engine_.api().submit(request);
      acknowledge(request, receipt);
      ids.push_back(receipt.commandId);
    }
    return ids;
  }

  /// The mix delays for a few milliseconds only.
  void runUntilNothingIsDelayed() {
    while (engine_.runUntilIdle().delayed > 0) {
    }
  }

  void replayAll() {
    for (const auto& letter : deadCommands()) {
      engine_.deadLetters().replay({letter.id}, {.by = kOperator});
    }
  }

  /// One commit for each, so that it can be cut short.
  void editAll() {
    auto& deadLetters = engine_.deadLetters();
    for (const auto& letter : deadCommands()) {
      if (letter.version > 1) continue;
      const auto body = deadLetters.bodyWith(letter.id, {{"/edited", true}});
      deadLetters.edit({{letter.id, letter.version, body}}, kOperator);
    }
  }

  void applyPlan() {
    if (!std::filesystem::exists(settings_.plan)) writePlan();
    const auto text = nlohmann::json::parse(std::ifstream(settings_.plan));
    tether::ReplayPlan plan{text.at("id"), {}, kOperator, {}, {}};
    for (const auto& letter : text.at("letters")) {
      plan.letters.push_back({letter.at("id"), letter.at("version")});
    }
    bool begun = false;
    engine_.store().read(
        [&](tether::Snapshot& snapshot) { begun = !snapshot.planItems(plan.id).empty(); });
    const auto run = engine_.deadLetters().apply(plan, {.by = kOperator, .resume = begun});
    while (run->step() == tether::PlanRun::State::Waiting) engine_.runUntilIdle();
  }

 private:
  template <class Command, class... Dependencies>
  void add(const std::string& type, const Dependencies&... dependencies) {
    if (("," + settings_.declares + ",").find("," + type + ",") != std::string::npos) {
      engine_.commands().declare(type);
    } else {
      engine_.commands().add<Command>(type, dependencies...);
    }
  }

  /// Oldest first.
  std::vector<tether::DeadLetter> deadCommands() {
    std::vector<tether::DeadLetter> letters;
    engine_.store().read([&letters](tether::Snapshot& snapshot) {
      tether::Filter filter;
      filter.limit = 1'000'000;
      letters = snapshot.deadLetters(filter);
    });
    std::erase_if(
        letters, [](const auto& letter) { return letter.kind != tether::DeadLetterKind::Command; });
    std::reverse(letters.begin(), letters.end());
    return letters;
  }

  /// There whole or not at all: a kill may come between any two lines.
  void writePlan() {
    tether::Filter filter;
    filter.limit = 1'000'000;
    const auto plan = engine_.deadLetters().plan(filter, {}, kOperator);
    nlohmann::json text = {{"id", plan.id}, {"letters", nlohmann::json::array()}};
    for (const auto& letter : plan.letters) {
      text["letters"].push_back({{"id", letter.id}, {"version", letter.version}});
    }
    std::ofstream(settings_.plan + ".new") << text;
    std::filesystem::rename(settings_.plan + ".new", settings_.plan);
  }

  std::string id(int n) const { return settings_.prefix + "-" + std::to_string(n); }

  tether::CommandRequest uniform(int n) const {
    return {.type = settings_.type,
            .payload = nlohmann::json::parse(settings_.payload),
            .id = id(n),
            .key = key(n)};
  }

  /// The same n always gives the same command, so that a killed submitter can simply try again.
  tether::CommandRequest mixed(int n) const {
    tether::CommandRequest request{
        .type = "Order", .payload = {{"account", n % 4}}, .id = id(n), .key = key(n)};
    auto& payload = request.payload;
    switch (n % 10) {
      case 1:
        payload["failAttempts"] = 2;
        break;
      case 2:
        payload["reject"] = true;
        break;
      case 3:
        payload["failGenerations"] = 1;
        break;
      case 4:
        request.type = "PreparedOrder";
        break;
      case 5:
        request.type = "Bundle";
        break;
      case 6:
        request.type = "Bundle";
        payload["reject"] = true;
        break;
      case 7:
        payload["delayed"] = true;
        request.notBefore = tether::systemClock().now() + milliseconds{5};
        break;
      case 8:
        request.idempotencyKey = "once-" + request.id;
        request.id = "";
        break;
      default:
        break;
    }
    return request;
  }

  std::optional<std::string> key(int n) const {
    if (settings_.keys == 0 || n % 3 == 2) return std::nullopt;
    return "key-" + std::to_string(n % settings_.keys);
  }

  void acknowledge(const tether::CommandRequest& request, const tether::Receipt& receipt) {
    nlohmann::json line = {{"commandId", receipt.commandId},
                           {"correlationId", receipt.correlationId},
                           {"type", request.type},
                           {"key", request.key.value_or("")},
                           {"duplicate", receipt.duplicate}};
    if (!request.idempotencyKey.empty()) line["idempotencyKey"] = request.idempotencyKey;
    receipts_.add(line);
  }

  Settings settings_;
  LineFile receipts_;
  tether::Engine engine_;
};

void armFromEnvironment(const Settings& settings) {
  if (const char* at = std::getenv("TETHER_CRASH_AT"); at != nullptr) {
    tether::armCrash(at);
  } else if (settings.commitUnknown > 0) {
    static int every = 0;
    every = settings.commitUnknown;
    tether::setSeamHook([](tether::Seam seam) {
      static std::atomic<int> commits{0};
      return seam == tether::Seam::tx_commit_unknown && ++commits % every == 0;
    });
  }
}

void untilInputEnds() {
  std::string line;
  while (std::getline(std::cin, line)) {
  }
}

void deliver(const Settings& settings) {
  const auto queue = openDouble(settings.commands, {});
  std::string line;
  for (int n = 0; std::getline(std::cin, line); ++n) {
    tether::OutgoingMessage message;
    message.id = "outside-" + std::to_string(n);
    message.body = line;
    queue->send({&message, 1});
  }
}

int run(const std::string& mode, const Settings& settings) {
  if (mode == "seams") {
#define PRINT_SEAM(name) std::cout << tether::toString(tether::Seam::name) << '\n';
    TETHER_SEAMS(PRINT_SEAM)
#undef PRINT_SEAM
    return 0;
  }
  armFromEnvironment(settings);
  if (mode == "deliver") {
    deliver(settings);
    return 0;
  }
  Child child(settings);
  auto& engine = child.engine();
  if (mode == "run") {
    child.submit();
    child.runUntilNothingIsDelayed();
  } else if (mode == "threads") {
    engine.start();
    for (const auto& id : child.submit()) engine.api().wait(id, std::chrono::minutes{1});
    engine.stop();
  } else if (mode == "submit") {
    child.submit();
  } else if (mode == "listen") {
    engine.start();
    std::cout << "listening" << std::endl;
    untilInputEnds();
    engine.stop();
  } else if (mode == "replay") {
    child.replayAll();
    child.runUntilNothingIsDelayed();
  } else if (mode == "apply") {
    child.applyPlan();
  } else if (mode == "edit") {
    child.editAll();
  } else {
    throw std::invalid_argument("unknown mode " + mode);
  }
  return 0;
}

}  // namespace
}  // namespace crash

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    if (arguments.empty()) throw std::invalid_argument("which mode?");
    return crash::run(arguments.front(), crash::parse({arguments.begin() + 1, arguments.end()}));
  } catch (const std::exception& error) {
    std::cerr << "crash_child: " << error.what() << '\n';
    return 1;
  }
}
