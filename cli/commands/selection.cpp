#include "selection.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <istream>
#include <iterator>
#include <set>

#include "tether/error.hpp"
#include "tether/text.hpp"

namespace tether::cli {

namespace {

/// "3", ">3", ">=3", "<3", "<=3".
void putAttempts(Filter& filter, const std::string& text) {
  constexpr std::string_view kOption = "--attempts";
  const auto digits = text.find_first_not_of("<>=");
  const auto relation = text.substr(0, digits);
  const auto number = digits == std::string::npos ? "" : text.substr(digits);
  const bool known = relation.empty() || relation == ">" || relation == ">=" || relation == "<" ||
                     relation == "<=";
  const bool whole = !number.empty() && number.size() < 9 &&
                     number.find_first_not_of("0123456789") == std::string::npos;
  if (!known || !whole) {
    throw Error(ErrorCode::Invalid, fmt::format("{} must be a number, such as 3, or >3, >=3, <3, "
                                                "<=3 (quote it in a shell), not {}",
                                                kOption, quote(text)));
  }
  const int count = std::stoi(number);
  if (relation.empty() || relation.front() == '>') {
    filter.attemptsMin = relation == ">" ? count + 1 : count;
  }
  if (relation.empty() || relation.front() == '<') {
    filter.attemptsMax = relation == "<" ? count - 1 : count;
  }
}

bool choosesByOption(const Selection& selection) {
  for (const auto* option :
       {&selection.type, &selection.state, &selection.error, &selection.group, &selection.queue,
        &selection.correlation, &selection.since, &selection.until, &selection.attempts}) {
    if (!option->empty()) return true;
  }
  return false;
}

}  // namespace

void addSelection(const Verb& verb, Selection& selection, std::size_t max) {
  verb.option("--type", selection.type, "Only of this type").value("TYPE");
  verb.option("--correlation", selection.correlation, "Only of this flow").value("ID");
  verb.option("--since", selection.since, "Not before; a duration counts back from now")
      .value("TIME");
  addUntilOption(verb, selection);
  const auto limit = max == kNoLimit ? "no limit" : std::to_string(max);
  verb.option("--limit", selection.limit,
              fmt::format("At most so many, the newest (default: {})", limit))
      .value("N");
}

void addTargets(const Verb& verb, Selection& selection, const std::string& noun) {
  addIds(verb, selection, noun);
  addSelection(verb, selection, kNoLimit);
  verb.flag("--all", selection.all, "Everything, when nothing else says what");
  verb.flag("--yes", selection.yes, "Do not ask");
}

Option addIds(const Verb& verb, Selection& selection, const std::string& noun) {
  return verb.argument("ID", selection.ids,
                       fmt::format("Only these {}; - reads ids from stdin", noun));
}

void addStateOption(const Verb& verb, Selection& selection) {
  verb.option("--state", selection.state, "Only in this state").value("STATE");
}

void addErrorOption(const Verb& verb, Selection& selection) {
  verb.option("--error", selection.error, "Only with this error code").value("CODE");
}

void addGroupOption(const Verb& verb, Selection& selection) {
  verb.option("--group", selection.group, "Only that failed alike; its first digits do")
      .value("GROUP");
}

void addQueueOption(const Verb& verb, Selection& selection) {
  verb.option("--queue", selection.queue, "Only from this queue").value("QUEUE");
}

void addAttemptsOption(const Verb& verb, Selection& selection) {
  verb.option("--attempts", selection.attempts, "Only after 3 attempts; '>3', '<=3' and so on")
      .value("N");
}

void addUntilOption(const Verb& verb, Selection& selection) {
  verb.option("--until", selection.until, "Before; a duration counts back from now").value("TIME");
}

Time pastTimeOf(std::string_view option, const std::string& text, Time now) {
  try {
    // A time starts with four digits and a dash, which no duration has.
    if (text.find('-') == std::string::npos) return now - parseDuration(text);
    return parseTime(text);
  } catch (const Error&) {
    throw Error(
        ErrorCode::Invalid,
        fmt::format("{}: {} is neither a duration, such as 30m or 7d, nor an RFC 3339 time, "
                    "such as 2026-01-31T12:00:00Z",
                    option, quote(text)));
  }
}

Filter filterOf(const Selection& selection, Time now, std::size_t max) {
  Filter filter;
  filter.type = selection.type;
  filter.state = selection.state;
  filter.error = selection.error;
  filter.group = selection.group;
  filter.queue = selection.queue;
  filter.correlationId = selection.correlation;
  if (!selection.since.empty()) filter.since = pastTimeOf("--since", selection.since, now);
  if (!selection.until.empty()) filter.until = pastTimeOf("--until", selection.until, now);
  if (!selection.attempts.empty()) putAttempts(filter, selection.attempts);
  filter.limit = selection.limit.empty() ? max : countOf("--limit", selection.limit, 1);
  if (!filter.state.empty() && !parseCommandState(filter.state)) {
    throw Error(ErrorCode::Invalid,
                fmt::format("--state: {} is none of accepted, running, retrying, succeeded, "
                            "rejected, dead, cancelled",
                            quote(filter.state)));
  }
  return filter;
}

Filter filterOf(const Selection& selection, Session& session, std::size_t max) {
  auto filter = filterOf(selection, session.clock().now(), max);
  std::set<std::string> seen;
  for (auto& id : idsOf(selection.ids, session)) {
    if (seen.insert(id).second) filter.ids.push_back(std::move(id));
  }
  if (filter.ids.empty() && !selection.ids.empty()) {
    throw Error(ErrorCode::NotFound, "no ids on standard input");
  }
  return filter;
}

Filter targetsOf(const Selection& selection, Session& session) {
  if (selection.all && !selection.ids.empty()) {
    throw Error(ErrorCode::Invalid, "--all and ids exclude each other");
  }
  if (!selection.all && selection.ids.empty() && !choosesByOption(selection)) {
    throw Error(ErrorCode::Invalid,
                "which ones? name ids, choose by an option such as --type or --since, or say "
                "--all");
  }
  return filterOf(selection, session, kNoLimit);
}

void completeGroup(Filter& filter, Store& store) {
  if (filter.group.empty()) return;
  Filter any;
  any.letters.reset();
  any.limit = kNoLimit;
  std::set<std::string> groups;
  store.read([&](Snapshot& snapshot) {
    for (const auto& known : snapshot.deadLetterGroups(any)) {
      if (known.group.starts_with(filter.group)) groups.insert(known.group);
    }
  });
  if (groups.size() > 1) {
    throw Error(ErrorCode::Invalid,
                fmt::format("--group: {} groups begin with {} ({}); give more of it", groups.size(),
                            quote(filter.group), fmt::join(groups, ", ")));
  }
  if (!groups.empty()) filter.group = *groups.begin();
}

void confirmMany(Session& session, const std::string& what, const std::vector<std::string>& ids,
                 bool yes) {
  constexpr std::size_t kShown = 3;
  if (ids.size() < 2) return;
  const auto shown = std::min(kShown, ids.size());
  session.confirm(fmt::format("{} ({}{})?", what, fmt::join(ids.begin(), ids.begin() + shown, ", "),
                              shown < ids.size() ? ", ..." : ""),
                  yes);
}

int answerListing(Session& session, const Listing& listing, const Filter& filter) {
  auto& print = session.print();
  // Whoever hands a list on must know that it is cut short, whatever its form.
  auto diagnostics = listing.diagnostics;
  if (listing.ids.size() == filter.limit) {
    diagnostics.push_back({"limited", "there may be more, see --limit"});
  }
  if (listing.ids.empty() && listing.types != TypesOf::Nobody) {
    std::ranges::move(unknownNames(session, session.store(), filter, listing.types),
                      std::back_inserter(diagnostics));
  }
  const auto people = [&] {
    if (print.quiet()) {
      for (const auto& id : listing.ids) print.line({id});
      return;
    }
    print.table(listing.table);
    if (listing.ids.empty()) print.note(fmt::format("no {}", listing.noun));
  };
  print.answer(listing.schema, listing.data, people, Verdict::Pass, diagnostics);
  return kDone;
}

std::vector<std::string> idsOf(const std::vector<std::string>& arguments, Session& session) {
  std::vector<std::string> ids;
  for (const auto& argument : arguments) {
    if (argument != "-") {
      ids.push_back(argument);
      continue;
    }
    for (std::string line; std::getline(session.in(), line);) {
      while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back())) != 0) {
        line.pop_back();
      }
      if (!line.empty()) ids.push_back(line);
    }
  }
  return ids;
}

}  // namespace tether::cli
