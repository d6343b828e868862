// The selection language: the options and ids that choose what a list shows, or what a verb
// changes. They mean the same for every noun.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app.hpp"
#include "commands/unknown_names.hpp"
#include "tether/store.hpp"

namespace tether::cli {

struct Selection {
  std::vector<std::string> ids;  // as given: "-" stands for those on stdin
  std::string type;
  std::string state;
  std::string error;
  std::string group;
  std::string queue;
  std::string correlation;
  std::string since;
  std::string until;
  std::string attempts;  // "3", ">3", ">=3", "<3", "<=3"
  std::string limit;     // empty: 50 for a list, none for what changes something
  bool all = false;
  bool yes = false;
};

inline constexpr std::size_t kListMax = 50;

/// --type --correlation --since --until --limit; `max`: the limit when none is given.
void addSelection(const Verb& verb, Selection& selection, std::size_t max = kListMax);
/// The same of a verb that changes what is chosen, with ids, --all and --yes. `noun`: "dead
/// letters".
void addTargets(const Verb& verb, Selection& selection, const std::string& noun);
Option addIds(const Verb& verb, Selection& selection, const std::string& noun);
void addStateOption(const Verb& verb, Selection& selection);
void addErrorOption(const Verb& verb, Selection& selection);
void addGroupOption(const Verb& verb, Selection& selection);
void addQueueOption(const Verb& verb, Selection& selection);
void addAttemptsOption(const Verb& verb, Selection& selection);
void addUntilOption(const Verb& verb, Selection& selection);

/// The options. Throws Invalid that names the one that is wrong.
Filter filterOf(const Selection& selection, Time now, std::size_t max = kListMax);
/// The options, and the ids without repetition. Throws NotFound when ids were to come from stdin
/// and none did: that never means everything.
Filter filterOf(const Selection& selection, Session& session, std::size_t max = kListMax);
/// The same for a verb that changes what is chosen: without --limit there is none. Throws Invalid
/// when neither ids nor an option say what, and --all is missing.
Filter targetsOf(const Selection& selection, Session& session);

/// The group of dead letters that the filter names by its first digits. One that there is not stays
/// as it is; throws Invalid for digits that several begin with.
void completeGroup(Filter& filter, Store& store);

/// More than one of a kind is confirmed: asks, with the first few, on a terminal; elsewhere --yes
/// or exit 8. `what`: "replay 20 dead letters".
void confirmMany(Session& session, const std::string& what, const std::vector<std::string>& ids,
                 bool yes);

/// A past time: RFC 3339, or a duration that counts back from now. Throws Invalid.
Time pastTimeOf(std::string_view option, const std::string& text, Time now);

/// What a list verb found, newest first.
struct Listing {
  const char* schema;  // "command-list"
  const char* noun;    // "commands"
  TypesOf types = TypesOf::Nobody;
  nlohmann::json data = nlohmann::json::array();
  std::vector<std::string> ids{};  // for --quiet
  Table table{};
  std::vector<Diagnostic> diagnostics{};
};
/// Says so when it is cut short, and when it is empty because of a name that nobody knows.
int answerListing(Session& session, const Listing& listing, const Filter& filter);

/// Ids from arguments, "-" among them stands for those on stdin, one a line.
std::vector<std::string> idsOf(const std::vector<std::string>& arguments, Session& session);

}  // namespace tether::cli
