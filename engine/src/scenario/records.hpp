// Records of the store as JSON, with all their members, so that a scenario can name any of them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tether/command.hpp"
#include "tether/dead_letter.hpp"
#include "tether/event.hpp"
#include "tether/store.hpp"
#include "tether/transport.hpp"

namespace tether::scenario {

nlohmann::json recordOf(const Receipt& receipt);
nlohmann::json recordOf(const Command& command);
nlohmann::json recordOf(const Attempt& attempt);
nlohmann::json recordOf(const Event& event);
nlohmann::json recordOf(const DeadLetter& letter);
nlohmann::json recordOf(const Change& change);
nlohmann::json recordOf(const Delivery& delivery);

/// What recordOf gives of a default value: the names that an expectation can use.
template <class Record>
std::vector<std::string> membersOf() {
  std::vector<std::string> names;
  const auto record = recordOf(Record{});
  for (const auto& [name, value] : record.items()) names.push_back(name);
  return names;
}

/// A failure on a line: "rejected: out_of_stock: no tea left", or only the state.
std::string stateLine(const Command& command);

/// The tree of a flow, a line for each command and event.
std::vector<std::string> treeLines(const Flow& flow, bool withIds);

}  // namespace tether::scenario
