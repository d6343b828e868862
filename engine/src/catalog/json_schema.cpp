#include "catalog/json_schema.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include "catalog/schema_check.hpp"
#include "catalog/schema_type.hpp"
#include "catalog/schema_violation.hpp"
#include "catalog/schema_visitor.hpp"
#include "tether/error.hpp"
#include "tether/text.hpp"

namespace tether {
namespace {

using nlohmann::json;

constexpr std::size_t kRegexBytesMax = 4096;
constexpr std::size_t kUniqueItemsMax = 512;
/// The library collects every violation, not only the first: beyond this many values none is
/// sought.
constexpr std::size_t kExplainedValuesMax = 10000;

[[noreturn]] void refuse(const json::json_pointer& pointer, const std::string& problem) {
  throw Error(ErrorCode::Invalid,
              "payload" + escapeForTerminal(pointer.to_string()) + ": " + problem);
}

/// Depth is bounded by the parser of payloads. `pointer` is where `value` is, and is left as it
/// was.
void checkSizes(const json& value, const SchemaTraits& traits, json::json_pointer& pointer) {
  const auto checkText = [&](const std::string& text, const char* what) {
    if (!traits.usesRegex || text.size() <= kRegexBytesMax) return;
    refuse(pointer, what + std::to_string(text.size()) + " bytes, but at most " +
                        std::to_string(kRegexBytesMax) +
                        " are checked against a pattern or format");
  };
  const auto descend = [&](const std::string& token, const json& inner) {
    pointer.push_back(token);
    checkSizes(inner, traits, pointer);
    pointer.pop_back();
  };
  if (const auto* text = value.get_ptr<const std::string*>()) {
    checkText(*text, "has ");
  } else if (value.is_object()) {
    for (const auto& [name, member] : value.items()) {
      checkText(name, "has a property whose name has ");
      descend(name, member);
    }
  } else if (value.is_array()) {
    if (traits.usesUniqueItems && value.size() > kUniqueItemsMax) {
      refuse(pointer, "has " + std::to_string(value.size()) + " items, but at most " +
                          std::to_string(kUniqueItemsMax) + " are checked for equal ones");
    }
    for (std::size_t index = 0; index < value.size(); ++index) {
      descend(std::to_string(index), value[index]);
    }
  }
}

std::size_t countValues(const json& value) {
  std::size_t count = 1;
  if (value.is_structured()) {
    for (const json& inner : value) count += countValues(inner);
  }
  return count;
}

/// Follows references from one schema of `root` to the schema that is meant.
json::json_pointer resolved(const json& root, json::json_pointer at) {
  while (root.at(at).is_object() && root.at(at).contains("$ref")) {
    at = json::json_pointer(root.at(at).at("$ref").get<std::string>().substr(1));
  }
  return at;
}

}  // namespace

class JsonSchema::Validator {
 public:
  Validator(json schema, SchemaTraits traits)
      : schema_(std::move(schema)), traits_(std::move(traits)) {
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    addExactBounds(parser);
    parser.populateSchema(PayloadAdapter(schema_), compiled_);
    for (const auto& pattern : traits_.patterns) patterns_.compiled.emplace(pattern, pattern);
  }

  void validate(const json& payload) {
    json::json_pointer pointer;
    if (traits_.usesRegex || traits_.usesUniqueItems) checkSizes(payload, traits_, pointer);
    const std::lock_guard lock(mutex_);
    if (holds(payload, nullptr)) return;
    if (const auto values = countValues(payload); values > kExplainedValuesMax) {
      refuse(pointer, "does not match its schema; it has " + std::to_string(values) +
                          " values, which is too much to say where");
    }
    valijson::ValidationResults results;
    holds(payload, &results);
    std::vector<SchemaFinding> findings;
    for (const auto& error : results) {
      SchemaFinding finding{{}, error.description};
      // "<root>", then "[name]" or "[index]".
      for (auto step = error.context.begin() + 1; step != error.context.end(); ++step) {
        finding.path.push_back(step->substr(1, step->size() - 2));
      }
      findings.push_back(std::move(finding));
    }
    throw Error(ErrorCode::Invalid, "payload" + explainViolation(schema_, payload, findings));
  }

  const json& schema() const { return schema_; }

 private:
  bool holds(const json& payload, valijson::ValidationResults* results) {
    constexpr bool kStrictTypes = true;
    const PayloadAdapter target(payload);
    return valijson::ValidationVisitor<PayloadAdapter>(target, {"<root>"}, kStrictTypes, results,
                                                       patterns_)
        .validateSchema(compiled_);
  }

  const json schema_;
  const SchemaTraits traits_;
  std::mutex mutex_;
  valijson::Schema compiled_;
  PatternCache patterns_;
};

JsonSchema::JsonSchema(const SourceText& source) {
  const SchemaTraits traits = checkSchema(source);
  try {
    validator_ = std::make_unique<Validator>(source.json(), traits);
  } catch (const std::exception& error) {
    source.fail(json::json_pointer(), std::string("the schema cannot be used: ") + error.what());
  }

  readProperties(source.json());
  if (!defaults_.empty()) checkDefaults(source, traits);
}

void JsonSchema::readProperties(const json& root) {
  const auto top = resolved(root, json::json_pointer());
  const json& schema = root.at(top);
  if (!schema.is_object() || !schema.contains("properties")) return;
  const json required = schema.value("required", json::array());
  for (const auto& [name, property] : schema["properties"].items()) {
    properties_.push_back(name);
    if (std::find(required.begin(), required.end(), name) != required.end()) continue;
    optional_[name] = nullptr;
    const json& meant = root.at(resolved(root, top / "properties" / name));
    for (const json* described : {&property, &meant}) {
      if (!described->is_object() || !described->contains("default")) continue;
      optional_[name] = defaults_[name] = described->at("default");
      break;
    }
  }
  closed_ = schema.value("additionalProperties", json()) == false &&
            !schema.contains("patternProperties");
}

/// A wrong default would be reported to callers who never sent it.
void JsonSchema::checkDefaults(const SourceText& source, const SchemaTraits& traits) const {
  const auto top = resolved(source.json(), json::json_pointer());
  json loose = source.json();
  for (const char* keyword : {"required", "minProperties", "allOf", "anyOf", "oneOf", "not", "if",
                              "then", "else", "dependencies"}) {
    loose.at(top).erase(keyword);
  }
  std::unique_ptr<Validator> validator;
  try {
    validator = std::make_unique<Validator>(loose, traits);
  } catch (const std::exception&) {
    return;  // a reference leads into what was taken out
  }
  try {
    validator->validate(defaults_);
  } catch (const Error& error) {
    source.fail(top / "properties", std::string("a default is refused: ") + error.what());
  }
}

JsonSchema::~JsonSchema() = default;

std::string JsonSchema::typeAt(const std::string& pointer) const {
  return tether::typeAt(validator_->schema(), pointer);
}

void JsonSchema::validate(json& payload) const {
  validator_->validate(payload);
  if (!payload.is_object()) return;
  for (const auto& [name, value] : defaults_) {
    if (!payload.contains(name)) payload[name] = value;
  }
}

}  // namespace tether
