// flows: how whole flows stand: "open", or their outcome when they are resolved.
#include "scenario/expectation.hpp"
#include "scenario/records.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

json findFlows(const Run& run, const json& expected) {
  json found = json::object();
  for (const auto& [name, wanted] : expected.items()) {
    const auto flow = run.flowOf(name);
    found[name] = !flow               ? json()
                  : !flow->resolved() ? json("open")
                                      : json(toString(flow->outcome()));
  }
  return found;
}

Shape expectedFlows() { return Shape::named(flowShape()); }

}  // namespace

const ExpectationKind flowsExpectation{"flows", &expectedFlows, &findFlows, &checkAbsences};

}  // namespace tether::scenario
