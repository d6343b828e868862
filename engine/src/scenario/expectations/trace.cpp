// trace: the shape of a flow's causation tree, a line for each command ("Type state") and event
// ("Type"), two spaces deeper than its cause.
#include "scenario/expectation.hpp"
#include "scenario/records.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

json findTrace(const Run& run, const json& expected) {
  json found = json::object();
  for (const auto& [name, wanted] : expected.items()) {
    const auto flow = run.flowOf(name);
    found[name] = flow ? json(treeLines(*flow, false)) : json();
  }
  return found;
}

Shape expectedTrace() { return Shape::named(Shape::list(Shape::text()).orNull()); }

}  // namespace

const ExpectationKind traceExpectation{"trace", &expectedTrace, &findTrace, &checkAbsences};

}  // namespace tether::scenario
