#include "tether/event_collector.hpp"

#include "tether/envelope.hpp"
#include "tether/json.hpp"

namespace tether {

void EventCollector::add(std::string type, const nlohmann::json& data,
                         std::optional<std::string> key) {
  checkAttribute("event type", type);
  if (key && !key->empty()) checkAttribute("event key", *key);
  checkJson("data of event " + type, data);
  CollectedEvent event{std::move(type), canonicalJson(data), std::move(key)};
  if (check_) check_(event);
  events_.push_back(std::move(event));
}

}  // namespace tether
