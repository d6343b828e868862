// Collects the events that a command says; nothing leaves before the commit.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tether {

struct CollectedEvent {
  std::string type;
  std::string data;                // canonical JSON text
  std::optional<std::string> key;  // absent: the command's key
};

class EventCollector {
 public:
  /// Throws Invalid for an event that its queue cannot carry.
  using Check = std::function<void(const CollectedEvent&)>;

  EventCollector() = default;
  explicit EventCollector(Check check) : check_(std::move(check)) {}

  /// Throws Invalid for a type or key that no envelope can carry, see checkAttribute, for data that
  /// no JSON text from outside may have, see checkJson, and for an event over the limit of the
  /// queue that it would leave by.
  void add(std::string type, const nlohmann::json& data, std::optional<std::string> key = {});

  const std::vector<CollectedEvent>& events() const noexcept { return events_; }

 private:
  Check check_;
  std::vector<CollectedEvent> events_;
};

}  // namespace tether
