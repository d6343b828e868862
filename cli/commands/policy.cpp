// Show what follows failed attempts. See man/tether-policy.1.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "all.hpp"
#include "tether/error.hpp"
#include "tether/retry_timetable.hpp"
#include "tether/text.hpp"
#include "tether/view.hpp"

namespace tether::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kHeadRows = 12;  // of a long timetable, for people
constexpr std::size_t kTailRows = 3;

/// Who says what holds for these errors; an empty pattern: for those that no class is for.
std::string_view origin(const Catalog::CommandType& type, std::string_view pattern) {
  if (pattern.empty()) return type.ownRetry ? "command" : "defaults";
  return std::ranges::find(type.ownErrors, pattern) != type.ownErrors.end() ? "command"
                                                                            : "defaults";
}

// ---- list

struct ListPoliciesOptions {};

std::string backoffText(const RetryPolicy& policy) {
  std::string text{view::wordOf(policy.backoff)};
  if (policy.backoff != RetryPolicy::Backoff::None) text += " " + toText(policy.initial);
  if (policy.backoff == RetryPolicy::Backoff::Exponential) {
    text += fmt::format(" x{}", policy.multiplier);
  }
  return text;
}

std::vector<Cell> rowOf(Cell type, const std::string& errors, const RetryPolicy& policy) {
  const bool waits = policy.backoff != RetryPolicy::Backoff::None;
  return {std::move(type),
          errors,
          std::to_string(policy.maxAttempts),
          backoffText(policy),
          waits ? toText(policy.max) : "",
          waits ? view::wordOf(policy.jitter) : "",
          policy.retryFor > Duration{0} ? toText(policy.retryFor) : "",
          view::stateAfter(policy.onExhausted)};
}

int listPolicies(const ListPoliciesOptions&, Session& session) {
  auto data = json::array();
  Table table{.header = {"TYPE", "ERRORS", "ATTEMPTS", "BACKOFF", "MAX", "JITTER", "FOR", "THEN",
                         "TIMEOUT", "HOLD"},
              .rows = {}};
  const auto types = session.catalog().commandTypes();
  for (const auto& type : types) {
    auto record = view::toJson(type.retry);
    record.update({{"name", type.name},
                   {"handler", type.handler},
                   {"from", origin(type, "")},
                   {"timeout", toText(type.timeout)},
                   {"hold", toText(type.hold)},
                   {"errors", json::array()}});
    auto row = rowOf({type.name, Style::Strong}, "", type.retry);
    row.emplace_back(toText(type.timeout));
    row.emplace_back(toText(type.hold));
    table.rows.push_back(std::move(row));
    for (const auto& [pattern, policy] : type.retry.errors) {
      auto rule = view::toJson(policy);
      rule.update({{"class", pattern}, {"from", origin(type, pattern)}});
      record["errors"].push_back(std::move(rule));
      table.rows.push_back(rowOf("", pattern, policy));
    }
    data.push_back(std::move(record));
  }
  auto& print = session.print();
  print.answer("policy-list", data, [&] {
    if (!print.quiet()) return print.table(table);
    for (const auto& type : types) print.line({type.name});
  });
  return kDone;
}

// ---- explain

struct ExplainOptions {
  std::string type;
  std::string error;
  std::string attempt = "1";
  std::string retryAfter;
};

const Catalog::CommandType& find(const std::vector<Catalog::CommandType>& types,
                                 const std::string& name) {
  std::vector<std::string> names;
  for (const auto& type : types) {
    if (type.name == name) return type;
    names.push_back(type.name);
  }
  throw Error(ErrorCode::Invalid, fmt::format("--type: unknown command type {}{}", quote(name),
                                              didYouMean(name, names)));
}

std::string text(const RetryPolicy::Window& window) {
  auto least = window.least == Duration{0} ? "0 s" : tookText(window.least);
  if (window.least == window.most) return least;
  return fmt::format("{} to {}", least, tookText(window.most));
}

/// What is to be explained, worked out.
struct Explained {
  const Catalog::CommandType& type;
  std::string error;
  std::string pattern;  // of the class that decides
  RetryPolicy policy;
  int attempt;
  view::Timetable timetable;
  const view::Timetable::Row* next;  // after this attempt; null: the command ends
};

json jsonOf(const Explained& told) {
  json decision = {
      {"kind", told.next != nullptr ? "retry" : view::wordOf(told.policy.onExhausted)}};
  if (told.next != nullptr) {
    decision["after"] = view::toJson(told.next->after);
    decision["certain"] = told.next->certain;
  }
  json rule = {{"class", nullptr}, {"from", origin(told.type, told.pattern)}};
  if (!told.pattern.empty()) rule["class"] = told.pattern;
  return {{"type", told.type.name},
          {"handler", told.type.handler},
          {"error", told.error},
          {"rule", std::move(rule)},
          {"policy", view::toJson(told.policy)},
          {"attempt", told.attempt},
          {"decision", std::move(decision)},
          {"timetable", view::toJson(told.timetable)},
          {"end", view::stateAfter(told.policy.onExhausted)}};
}

std::string decisionText(const Explained& told) {
  const auto end = view::stateAfter(told.policy.onExhausted);
  if (told.next == nullptr) {
    const bool counted = told.attempt >= told.policy.maxAttempts;
    return fmt::format("{}, {}", end,
                       counted ? fmt::format("maxAttempts is {}", told.policy.maxAttempts)
                               : fmt::format("retryFor is {}", toText(told.policy.retryFor)));
  }
  auto text = "retried after " + cli::text(told.next->after);
  if (!told.next->certain) {
    text += fmt::format(" if that is within {} of the first, else {}", toText(told.policy.retryFor),
                        end);
  }
  return text;
}

void tellPeople(const Explained& told, Session& session) {
  auto& print = session.print();
  if (print.quiet()) {
    return print.line({told.next != nullptr ? "retry" : view::stateAfter(told.policy.onExhausted)});
  }
  const auto from = origin(told.type, told.pattern);
  const std::string whose = from == "command" ? told.type.name : "the defaults";
  print.line({{told.error, Style::Strong},
              told.pattern.empty() ? ": no class is for it, the retry of " + whose + " decides"
                                   : fmt::format(": class {} of {} decides", told.pattern, whose)});
  print.line({fmt::format("attempt {} fails: ", told.attempt), decisionText(told)});

  Table table{.header = {"ATTEMPT", "AFTER", "SINCE THE FIRST"}, .rows = {}};
  const auto& rows = told.timetable.rows;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows.size() > kHeadRows + kTailRows + 1 && i == kHeadRows) {
      i = rows.size() - kTailRows;
      table.rows.push_back({fmt::format("... {}", i - kHeadRows)});
    }
    const auto& row = rows[i];
    std::vector<Cell> cells = {std::to_string(row.attempt)};
    if (i > 0) {
      cells.emplace_back(text(row.after));
      cells.emplace_back(text(row.since));
    }
    if (!row.certain) cells.emplace_back("perhaps", Style::Dim);
    table.rows.push_back(std::move(cells));
  }
  print.table(table);
  const bool rejects = told.policy.onExhausted == RetryPolicy::OnExhausted::Reject;
  print.line({"then ",
              {std::string(view::stateAfter(told.policy.onExhausted)), Style::Bad},
              rejects ? ", without a dead letter" : ", with a dead letter"});
  if (told.type.handler == "host") {
    print.note(told.type.name + " is run by a program, which may bring rules of its own");
  }
}

int runExplain(const ExplainOptions& options, Session& session) {
  const auto types = session.catalog().commandTypes();
  const auto& type = find(types, options.type);
  std::optional<Duration> retryAfter;
  if (!options.retryAfter.empty()) retryAfter = durationOf("--retry-after", options.retryAfter);
  const auto attempt = std::min<std::size_t>(countOf("--attempt", options.attempt, 1),
                                             std::numeric_limits<int>::max());

  const auto [pattern, policy] = type.retry.ruleFor(options.error);
  Explained told{.type = type,
                 .error = options.error,
                 .pattern = std::string(pattern),
                 .policy = policy,
                 .attempt = static_cast<int>(attempt),
                 .timetable = view::timetableOf(policy, retryAfter),
                 .next = nullptr};
  told.next = told.timetable.next(told.attempt);
  session.print().answer("policy", jsonOf(told), [&] { tellPeople(told, session); });
  return kDone;
}

}  // namespace

void addPolicy(const Verb& tool, Action& chosen) {
  const auto noun = addNoun(tool, "policy", "Look at what follows failed attempts");

  const auto list =
      addVerb(noun, "list", "List the retry policy of each command type", "tether policy list");
  onChosen(list, chosen, std::make_shared<ListPoliciesOptions>(), &listPolicies);

  auto options = std::make_shared<ExplainOptions>();
  const auto explain = addVerb(noun, "explain", "Say what follows an error, and when",
                               "tether policy explain --type CreateOrder --error timed_out");
  explain.option("--type", options->type, "The command type").required().value("TYPE");
  explain.option("--error", options->error, "The code of the error").required().value("CODE");
  explain.option("--attempt", options->attempt, "The attempt that fails (default 1)").value("N");
  explain.option("--retry-after", options->retryAfter, "Each failure asks for this delay at least")
      .value("DURATION");
  onChosen(explain, chosen, std::move(options), &runExplain);
}

}  // namespace tether::cli
