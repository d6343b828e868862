// rows: what queries of the application's tables return, by the query.
#include <exception>

#include "scenario/expectation.hpp"
#include "tether/sql.hpp"

namespace tether::scenario {

namespace {

using nlohmann::json;

json findRows(const Run& run, const json& expected) {
  json found = json::object();
  for (const auto& [query, wanted] : expected.items()) {
    try {
      found[query] =
          run.look([&](Snapshot& snapshot) { return snapshot.sql().query(query, json::object()); });
    } catch (const NotReading&) {
      throw Unanswerable{json::json_pointer() / query, "takes a query that only reads"};
    } catch (const std::exception& error) {  // also what reject() throws
      throw Unanswerable{json::json_pointer() / query, error.what()};
    }
  }
  return found;
}

Shape expectedRows() { return Shape::named(Shape::list(Shape::named(Shape::any()))); }

}  // namespace

const ExpectationKind rowsExpectation{"rows", &expectedRows, &findRows};

}  // namespace tether::scenario
