// Accepts commands and says so only when they are durable. See man/tether-submit.1.
#include <fmt/format.h>

#include "all.hpp"
#include "batch.hpp"
#include "forward.hpp"
#include "tether/json.hpp"
#include "tether/text.hpp"
#include "views.hpp"
#include "waiting.hpp"

namespace tether::cli {
namespace {

struct SubmitOptions {
  std::string type;
  std::string payload;
  bool hasPayload = false;
  CommandRequest request;
  std::string key;
  std::string delay;
  std::string at;
  std::string wait;  // empty: no
  std::string batch;
  bool atomic = false;
};

std::string payloadText(const SubmitOptions& options, Session& session) {
  if (!options.hasPayload) return "{}";
  const std::string& argument = options.payload;
  const std::size_t limit = JsonLimits{}.bytesMax;
  if (argument == "-") return session.read("-", limit);
  if (argument.starts_with('@')) return session.read(argument.substr(1), limit);
  return argument;
}

CommandRequest requestOf(const SubmitOptions& options, Session& session) {
  auto request = options.request;
  request.type = options.type;
  if (!options.key.empty()) request.key = options.key;
  if (!options.delay.empty()) request.delay = durationOf("--delay", options.delay);
  if (!options.at.empty()) request.notBefore = timeOf("--at", options.at);
  request.payload = parseJson("payload", payloadText(options, session));
  return request;
}

void showReceipt(Printer& print, const std::string& type, const Receipt& receipt) {
  if (print.quiet()) {
    print.line({receipt.correlationId});
  } else if (receipt.duplicate) {
    print.line({"accepted before: ",
                {type, Style::Strong},
                " ",
                receipt.correlationId,
                isOpen(receipt.state) ? ", still in progress: " : ", it has ended: ",
                cellOf(receipt.state)});
  } else {
    print.line({"accepted ", {type, Style::Strong}, " ", receipt.correlationId});
  }
}

int submitOne(const SubmitOptions& options, Session& session) {
  const auto atMost = options.wait.empty() ? Duration{0} : durationOf("--wait", options.wait);
  const auto request = requestOf(options, session);
  auto& engine = session.engine(true);
  const auto receipt = engine.api().submit(request);

  auto& print = session.print();
  auto data = view::toJson(receipt);
  if (options.wait.empty()) {
    print.answer("submit", data, [&] { showReceipt(print, options.type, receipt); });
    print.flush();
    forwardAccepted(session, engine);
    return kDone;
  }

  if (print.forPeople()) {  // accepted is worth knowing while the outcome is open
    showReceipt(print, options.type, receipt);
    print.flush();
  }
  forwardAccepted(session, engine);
  const auto waited = waitFor(session, engine.store(), receipt.correlationId, {}, atMost);
  std::vector<Diagnostic> diagnostics;
  if (waited.exit == kTimedOut) {
    diagnostics.push_back(
        {"timed_out",
         fmt::format("the wait of {} ended first; the outcome is open", toText(atMost))});
  }
  if (waited.flow) data["flow"] = flowJson(session, engine.store(), *waited.flow);
  print.answer(
      "submit", data,
      [&] {
        if (!print.quiet()) showOutcome(session, engine.store(), waited);
      },
      waited.exit == kDone ? Verdict::Pass : Verdict::Fail, diagnostics);
  return waited.exit;
}

int runSubmit(const SubmitOptions& options, Session& session) {
  if (options.batch.empty()) {
    if (options.type.empty()) {
      throw Error(ErrorCode::Invalid, "TYPE is required; see 'tether submit --help'");
    }
    if (options.atomic) throw Error(ErrorCode::Invalid, "--atomic goes with --batch");
    return submitOne(options, session);
  }
  if (!options.type.empty()) {
    throw Error(ErrorCode::Invalid,
                fmt::format("--batch takes the type from each line, not from the argument {}",
                            quote(options.type)));
  }
  return submitBatch(session, options.batch, options.atomic);
}

}  // namespace

void addSubmit(const Verb& tool, Action& chosen) {
  auto options = std::make_shared<SubmitOptions>();
  auto& request = options->request;
  const auto verb = addVerb(tool, "submit", "Accept a command; print its correlationId",
                            "tether submit CreateOrder '{\"id\": \"o-1\"}' --wait");
  verb.argument("TYPE", options->type, "The command's type, as tether.json has it");
  const auto payload =
      verb.argument("PAYLOAD", options->payload, "JSON, @FILE, or - for standard input ({})");
  std::vector<Option> single = {payload};  // these make no sense with --batch
  const auto add = [&](const std::string& name, std::string& target, const std::string& help,
                       const std::string& value) {
    const auto option = verb.option(name, target, help).value(value);
    single.push_back(option);
    return option;
  };
  add("--id", request.id, "The command's id; the same again gives the first receipt", "ID");
  add("--correlation", request.correlationId, "Join this flow, or name a new one", "ID");
  add("--idempotency-key", request.idempotencyKey,
      "The same key and payload give the first receipt again", "KEY");
  add("--key", options->key, "Commands with the same key run in order", "KEY");
  const auto delay = add("--delay", options->delay, "Run it this much later", "DURATION");
  add("--at", options->at, "Run it at this time (RFC 3339)", "TIME").excludes(delay);
  single.push_back(
      verb.flag("--wait{30s}", options->wait, "Wait for the outcome, at most =DURATION (30s)"));

  const auto batch =
      verb.option("--batch", options->batch, "One command a line, as NDJSON; - for standard input");
  batch.value("FILE");
  verb.flag("--atomic", options->atomic, "With --batch: all lines or none");
  for (const auto& option : single) option.excludes(batch);

  verb.onParsed([&chosen, options, payload] {
    options->hasPayload = payload.given();
    chosen = [options](Session& session) { return runSubmit(*options, session); };
  });
}

}  // namespace tether::cli
