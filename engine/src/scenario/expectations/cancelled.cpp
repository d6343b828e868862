// cancelled: what this step's cancel was answered, by name.
#include "scenario/expectation.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

json findCancelled(const Run& run, const json& expected) {
  json found = json::object();
  for (const auto& [name, wanted] : expected.items()) {
    found[name] = run.cancelled.value(name, json());
  }
  return found;
}

void checkCancelled(const ConfigValue& expected, const Reading& reading) {
  if (reading.kind == "cancel" || reading.meanwhile == "cancel") return;
  expected.failAtKey("only a step with cancel has cancelled");
}

Shape expectedCancelled() {
  return Shape::named(Shape::words({"cancelled", "requested", "handed-over", "ended", "unknown"}));
}

}  // namespace

const ExpectationKind cancelledExpectation{"cancelled", &expectedCancelled, &findCancelled,
                                           &checkCancelled};

}  // namespace tether::scenario
