#include <cstddef>
#include <new>
#include <string>

#include "catalog/schema_visitor.hpp"

namespace tether {
namespace {

struct BoundKind {
  const char* keyword;
  int allowed;  // sign of value - bound that is accepted
  bool equalAllowed;
  const char* sentence;  // see explainViolation
};

constexpr BoundKind kBoundKinds[] = {
    {"minimum", 1, true, "Expected number greater than or equal to"},
    {"exclusiveMinimum", 1, false, "Expected number greater than"},
    {"maximum", -1, true, "Expected number less than or equal to"},
    {"exclusiveMaximum", -1, false, "Expected number less than"},
};

class Bound : public valijson::constraints::PolyConstraint {
 public:
  Bound(const BoundKind& kind, nlohmann::json bound) : kind_(kind), bound_(std::move(bound)) {}

  bool validate(const valijson::adapters::Adapter& target, const std::vector<std::string>& context,
                valijson::ValidationResults* results) const override {
    const auto* payload = dynamic_cast<const PayloadAdapter*>(&target);
    if (payload == nullptr || !payload->isNumber()) return true;
    const int sign = compareNumbers(payload->json(), bound_);
    if (sign == 0 ? kind_.equalAllowed : sign == kind_.allowed) return true;
    if (results != nullptr) results->pushError(context, kind_.sentence);
    return false;
  }

 private:
  Constraint* cloneInto(void* place) const override { return new (place) Bound(*this); }
  std::size_t sizeOf() const override { return sizeof(Bound); }

  const BoundKind& kind_;
  nlohmann::json bound_;
};

class BoundBuilder : public valijson::ConstraintBuilder {
 public:
  explicit BoundBuilder(const BoundKind& kind) : kind_(kind) {}

  valijson::constraints::Constraint* make(const valijson::adapters::Adapter& value) const override {
    return new Bound(kind_, dynamic_cast<const PayloadAdapter&>(value).json());
  }

 private:
  const BoundKind& kind_;
};

}  // namespace

void addExactBounds(valijson::SchemaParser& parser) {
  for (const auto& kind : kBoundKinds) {
    parser.addConstraintBuilder(kind.keyword, new BoundBuilder(kind));  // the parser deletes it
  }
}

}  // namespace tether
