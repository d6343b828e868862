#include "tether/event_collector.hpp"

#include "tether/error.hpp"
#include "tether/json.hpp"

namespace tether {

void EventCollector::add(std::string type, const nlohmann::json& data,
                         std::optional<std::string> key) {
  if (type.empty()) throw Error(ErrorCode::Invalid, "an event needs a type");
  events_.push_back({std::move(type), canonicalJson(data), std::move(key)});
}

}  // namespace tether
