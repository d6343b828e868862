#include "batch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <fstream>
#include <istream>
#include <mutex>

#include "app.hpp"
#include "forward.hpp"
#include "lines.hpp"
#include "tether/json.hpp"
#include "tether/text.hpp"
#include "tether/view.hpp"

namespace tether::cli {
namespace {

using nlohmann::json;

// A line is a payload and little else.
constexpr JsonLimits kLineLimits = {.bytesMax = JsonLimits{}.bytesMax + 64 * 1024,
                                    .depthMax = JsonLimits{}.depthMax + 1};
// Lines whose commit is waited for. The writer's batch is what arrived meanwhile, so this bounds
// it.
constexpr std::size_t kInFlightMax = 1024;

const std::vector<std::string> kMembers = {"type",          "payload",        "id",    "key",
                                           "correlationId", "idempotencyKey", "delay", "at"};

/// A member that is there has a value: an empty one is a slip, see refuseEmptyValues in app.cpp.
std::string stringOf(const json& object, const std::string& name) {
  const auto found = object.find(name);
  if (found == object.end()) return "";
  if (!found->is_string()) {
    throw Error(ErrorCode::Invalid, fmt::format("\"{}\" must be a string", name));
  }
  auto text = found->get<std::string>();
  if (text.empty()) {
    throw Error(ErrorCode::Invalid,
                fmt::format("\"{}\" is empty; give it a value or leave it out", name));
  }
  return text;
}

json receiptLine(std::size_t line, const Receipt& receipt) {
  auto record = view::toJson(receipt);
  record["line"] = line;
  return record;
}

/// Takes receipts and bad lines, from the reading thread and from the writer, and prints them.
class Ledger {
 public:
  explicit Ledger(Printer& print) : print_(print) {}

  /// Waits until few enough are on their way. False: it makes no sense to go on.
  bool begin() {
    std::unique_lock lock(mutex_);
    moved_.wait(lock, [&] { return inFlight_ < kInFlightMax || fatal_ || broken_; });
    if (fatal_ || broken_) return false;
    ++inFlight_;
    return true;
  }

  void end(std::size_t line, const SubmitResult& result) {
    const std::scoped_lock lock(mutex_);
    --inFlight_;
    if (result.receipt) {
      accept(receiptLine(line, *result.receipt));
    } else {
      refuse(badLine(line, result.error));
    }
    moved_.notify_all();
  }

  void fail(std::size_t line, const std::exception_ptr& reason) {
    const std::scoped_lock lock(mutex_);
    refuse(badLine(line, reason));
  }

  void waitForAll() {
    std::unique_lock lock(mutex_);
    moved_.wait(lock, [&] { return inFlight_ == 0; });
    if (broken_) std::rethrow_exception(broken_);
  }

  int finish() {
    const int exit = fatal_ ? exitOf(*fatal_) : bad_.empty() ? kDone : kPartial;
    if (print_.form() == Printer::Form::Json) {
      std::vector<Diagnostic> diagnostics;
      for (const auto& bad : bad_) {
        diagnostics.push_back({std::string(toString(bad.code)), bad.message});
      }
      print_.answer(
          "submit-batch", receipts_, [] {}, bad_.empty() ? Verdict::Pass : Verdict::Fail,
          diagnostics);
    } else if (!bad_.empty()) {
      print_.note(fmt::format("{} accepted, {} failed", countText(accepted_, "line"), bad_.size()));
    }
    return exit;
  }

 private:
  void accept(json receipt) {
    ++accepted_;
    if (print_.form() == Printer::Form::Json) {
      receipts_.push_back(std::move(receipt));
      return;
    }
    if (broken_) return;
    try {
      print_.record(receipt);
    } catch (...) {  // stdout is gone: the reading thread ends the verb
      broken_ = std::current_exception();
    }
  }

  void refuse(const BadLine& bad) {
    if (endsAll(bad.code) && !fatal_) fatal_ = bad.code;
    if (print_.form() != Printer::Form::Json) print_.warn(bad.message);
    bad_.push_back(bad);
  }

  Printer& print_;
  std::mutex mutex_;
  std::condition_variable moved_;
  std::size_t inFlight_ = 0;
  std::size_t accepted_ = 0;
  json receipts_ = json::array();
  std::vector<BadLine> bad_;
  std::optional<ErrorCode> fatal_;
  std::exception_ptr broken_;
};

/// The writer thread, so that lines that wait together commit together.
class RunningWriter {
 public:
  explicit RunningWriter(Store& store) : store_(store) { store_.startWriter(); }
  ~RunningWriter() { store_.stopWriter(); }
  RunningWriter(const RunningWriter&) = delete;
  RunningWriter& operator=(const RunningWriter&) = delete;

 private:
  Store& store_;
};

int submitEach(Session& session, Lines& lines) {
  auto& engine = session.engine(true);
  Ledger ledger(session.print());
  {
    const RunningWriter writing(engine.store());
    while (true) {
      try {
        if (!lines.next()) break;
      } catch (const Error&) {
        ledger.fail(lines.number, std::current_exception());
        continue;
      }
      if (!ledger.begin()) break;
      try {
        engine.api().submitAsync(parseBatchLine(lines.text),
                                 [&ledger, line = lines.number](const SubmitResult& result) {
                                   ledger.end(line, result);
                                 });
      } catch (const std::exception&) {
        ledger.end(lines.number, {{}, std::current_exception()});
      }
    }
    ledger.waitForAll();
  }
  return ledger.finish();
}

/// What a submit would refuse of a payload, found line by line, because a commit of all cannot name
/// the line.
void check(Engine& engine, CommandRequest& request) {
  const auto& settings = engine.commands().settings(request.type);
  auto payload = request.payload;
  if (settings.validate) settings.validate(payload);
}

int submitTogether(Session& session, Lines& lines) {
  auto& engine = session.engine(true);
  std::vector<CommandRequest> requests;
  std::vector<std::size_t> numbers;
  std::vector<BadLine> bad;
  for (bool more = true; more;) {
    try {
      more = lines.next();
      if (!more) break;
      auto request = parseBatchLine(lines.text);
      check(engine, request);
      requests.push_back(std::move(request));
      numbers.push_back(lines.number);
    } catch (const Error&) {
      bad.push_back(badLine(lines.number, std::current_exception()));
    }
  }
  auto& print = session.print();
  if (!bad.empty()) {
    for (const auto& line : bad) print.warn(line.message);
    throw Error(ErrorCode::Invalid,
                fmt::format("nothing was accepted: {} of {} {} bad (first: {})", bad.size(),
                            countText(bad.size() + requests.size(), "line"),
                            bad.size() == 1 ? "is" : "are", bad.front().message));
  }
  const auto receipts = engine.api().submitAll(std::move(requests));
  auto data = json::array();
  for (std::size_t at = 0; at < receipts.size(); ++at) {
    data.push_back(receiptLine(numbers[at], receipts[at]));
  }
  print.answer("submit-batch", data, [&] {
    for (const auto& receipt : data) print.record(receipt);
  });
  return kDone;
}

}  // namespace

CommandRequest parseBatchLine(std::string_view line) {
  const auto object = parseJson("command", line, kLineLimits);
  if (!object.is_object()) throw Error(ErrorCode::Invalid, "must be a JSON object");
  for (const auto& [name, value] : object.items()) {
    if (std::ranges::find(kMembers, name) != kMembers.end()) continue;
    throw Error(ErrorCode::Invalid,
                fmt::format("unknown member {}{}", quote(name), didYouMean(name, kMembers)));
  }
  CommandRequest request;
  request.type = stringOf(object, "type");
  if (request.type.empty()) throw Error(ErrorCode::Invalid, "\"type\" is missing");
  request.payload = object.value("payload", json::object());
  if (!request.payload.is_object())
    throw Error(ErrorCode::Invalid, "\"payload\" must be an object");
  request.id = stringOf(object, "id");
  request.correlationId = stringOf(object, "correlationId");
  request.idempotencyKey = stringOf(object, "idempotencyKey");
  if (object.contains("key")) request.key = stringOf(object, "key");
  const auto delay = stringOf(object, "delay");
  const auto at = stringOf(object, "at");
  if (!delay.empty() && !at.empty()) {
    throw Error(ErrorCode::Invalid, "\"delay\" and \"at\" exclude each other");
  }
  if (!delay.empty()) request.delay = durationOf("\"delay\"", delay);
  if (!at.empty()) request.notBefore = timeOf("\"at\"", at);
  return request;
}

int submitBatch(Session& session, const std::string& source, bool atomic) {
  std::ifstream file;
  if (source != "-") file = session.openFile(source);
  Lines lines(source == "-" ? session.in() : file, kLineLimits.bytesMax);
  const int exit = atomic ? submitTogether(session, lines) : submitEach(session, lines);
  session.print().flush();
  forwardAccepted(session, session.engine(true));
  return exit;
}

}  // namespace tether::cli
