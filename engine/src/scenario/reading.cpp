#include "scenario/reading.hpp"

#include <vector>

#include "tether/error.hpp"
#include "tether/ids.hpp"
#include "tether/text.hpp"

namespace tether::scenario {

namespace {

std::vector<std::string> listOf(const std::set<std::string>& names) {
  return {names.begin(), names.end()};
}

}  // namespace

std::string Reading::name(const ConfigValue& value) {
  const auto as = value.find("as");
  if (!as) return {};
  auto text = as->text();
  if (text.find('.') != std::string::npos) as->fail("must have no dot: $ref splits at it");
  try {
    checkId("as", text);
  } catch (const Error& error) {
    as->fail(error.what());
  }
  if (!names.insert(text).second) as->fail(quote(text) + " is a name already");
  return text;
}

void Reading::id(const std::optional<ConfigValue>& value) {
  if (value && value->raw().is_string()) ids.insert(value->anyText());
}

void Reading::checkQueue(const std::string& queue, const ConfigValue& value, bool atKey) const {
  if (!knowsQueues || queues.count(queue) > 0) return;
  if (queue.starts_with("subscribers.")) return;  // of the host
  const auto problem = "there is no queue " + quote(queue) + didYouMean(queue, listOf(queues));
  if (atKey) value.failAtKey(problem);
  value.fail(problem);
}

void Reading::checkAbsent(const std::string& name, const ConfigValue& member) const {
  if (names.count(name) > 0 || ids.count(name) > 0) return;
  member.failAtKey("nothing before is named " + quote(name) + ", so this is never wrong" +
                   didYouMean(name, listOf(names)));
}

}  // namespace tether::scenario
