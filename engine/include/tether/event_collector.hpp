// Collects the events that a command says; nothing leaves before the commit.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace tether {

struct CollectedEvent {
  std::string type;
  std::string data;                // canonical JSON text
  std::optional<std::string> key;  // absent: the command's key
};

class EventCollector {
 public:
  /// Throws Invalid for a type or key that no envelope can carry, see checkAttribute.
  void add(std::string type, const nlohmann::json& data, std::optional<std::string> key = {});

  const std::vector<CollectedEvent>& events() const noexcept { return events_; }

 private:
  std::vector<CollectedEvent> events_;
};

}  // namespace tether
