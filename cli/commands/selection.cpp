#include "selection.hpp"

#include <fmt/format.h>

#include <cctype>
#include <istream>

#include "tether/error.hpp"
#include "tether/text.hpp"

namespace tether::cli {

void addSelection(CLI::App& verb, Selection& selection) {
  verb.add_option("--type", selection.type, "Only of this type")->type_name("TYPE");
  verb.add_option("--correlation", selection.correlation, "Only of this flow")->type_name("ID");
  verb.add_option("--since", selection.since, "Not before; a duration counts back from now")
      ->type_name("TIME");
  addUntilOption(verb, selection);
  verb.add_option("--limit", selection.limit, "At most so many (default 50)")->type_name("N");
}

void addStateOption(CLI::App& verb, Selection& selection) {
  verb.add_option("--state", selection.state, "Only in this state")->type_name("STATE");
}

void addErrorOption(CLI::App& verb, Selection& selection) {
  verb.add_option("--error", selection.error, "Only with this error code")->type_name("CODE");
}

void addQueueOption(CLI::App& verb, Selection& selection) {
  verb.add_option("--queue", selection.queue, "Only from this queue")->type_name("QUEUE");
}

void addUntilOption(CLI::App& verb, Selection& selection) {
  verb.add_option("--until", selection.until, "Before; a duration counts back from now")
      ->type_name("TIME");
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

Filter filterOf(const Selection& selection, Time now) {
  Filter filter;
  filter.type = selection.type;
  filter.state = selection.state;
  filter.error = selection.error;
  filter.queue = selection.queue;
  filter.correlationId = selection.correlation;
  if (!selection.since.empty()) filter.since = pastTimeOf("--since", selection.since, now);
  if (!selection.until.empty()) filter.until = pastTimeOf("--until", selection.until, now);
  filter.limit = countOf("--limit", selection.limit, 1);
  if (!filter.state.empty() && !parseCommandState(filter.state)) {
    throw Error(ErrorCode::Invalid,
                fmt::format("--state: {} is none of accepted, running, retrying, succeeded, "
                            "rejected, dead, cancelled",
                            quote(filter.state)));
  }
  return filter;
}

int answerListing(Session& session, const Listing& listing, const Filter& filter) {
  auto& print = session.print();
  print.answer(listing.schema, listing.data, [&] {
    if (print.quiet()) {
      for (const auto& id : listing.ids) print.line({id});
      return;
    }
    print.table(listing.table);
    if (listing.ids.empty()) print.note(fmt::format("no {}", listing.noun));
    if (listing.ids.size() == filter.limit) print.note("there may be more, see --limit");
  });
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
