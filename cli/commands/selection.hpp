// The options that choose what a list shows. They mean the same for every noun.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "app.hpp"
#include "tether/store.hpp"

namespace tether::cli {

struct Selection {
  std::string type;
  std::string state;
  std::string error;
  std::string queue;
  std::string correlation;
  std::string since;
  std::string until;
  std::string limit = "50";
};

/// --type --correlation --since --until --limit.
void addSelection(CLI::App& verb, Selection& selection);
void addStateOption(CLI::App& verb, Selection& selection);
void addErrorOption(CLI::App& verb, Selection& selection);
void addQueueOption(CLI::App& verb, Selection& selection);
void addUntilOption(CLI::App& verb, Selection& selection);

/// Throws Invalid that names the option.
Filter filterOf(const Selection& selection, Time now);

/// A past time: RFC 3339, or a duration that counts back from now. Throws Invalid.
Time pastTimeOf(std::string_view option, const std::string& text, Time now);

/// What a list verb found, newest first.
struct Listing {
  const char* schema;  // "command-list"
  const char* noun;    // "commands"
  nlohmann::json data = nlohmann::json::array();
  std::vector<std::string> ids{};  // for --quiet
  Table table{};
};
int answerListing(Session& session, const Listing& listing, const Filter& filter);

/// Ids from arguments, "-" among them stands for those on stdin, one a line. Throws Invalid for
/// none.
std::vector<std::string> idsOf(const std::vector<std::string>& arguments, Session& session);

}  // namespace tether::cli
