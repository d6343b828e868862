#include "catalog/schema_violation.hpp"

#include <algorithm>
#include <set>
#include <string_view>

#include "catalog/config_value.hpp"
#include "catalog/pattern.hpp"
#include "catalog/schema_check.hpp"
#include "tether/json.hpp"
#include "tether/text.hpp"

namespace tether {
namespace {

using nlohmann::json;

/// What a sentence of the validator means. In the text, "{}" is the keyword's value in the schema
/// and
/// "<>" the part in single quotes.
struct Meaning {
  std::string_view sentence;  // how it begins
  const char* keyword;        // the one that was not met; null: the text has all
  std::string_view text;
  bool aboutMember = false;  // of the member in single quotes
};

constexpr Meaning kMeanings[] = {
    {"Value type not permitted", "type", "must be {}"},
    {"Missing required property", nullptr, "is missing", true},
    {"Missing dependency", nullptr, "is missing; another property needs it", true},
    {"Object contains a property", nullptr, "is not a property that the schema has", true},
    {"Failed to validate against schema associated with property", nullptr,
     "does not match its schema", true},
    {"Expected number greater than or equal to", "minimum", "must be at least {}"},
    {"Expected number greater than", "exclusiveMinimum", "must be more than {}"},
    {"Expected number less than or equal to", "maximum", "must be at most {}"},
    {"Expected number less than", "exclusiveMaximum", "must be less than {}"},
    {"Value should be a multiple of", "multipleOf", "must be a multiple of {}"},
    {"Failed to match against any enum", "enum", "must be one of {}"},
    {"Failed to match expected value", "const", "must be {}"},
    {"Failed to match regex", "pattern", "must match the pattern {}"},
    {"String should be a valid", "format", "must have the format {}"},
    {"String should be no fewer", "minLength", "its length must be at least {}"},
    {"String should be no more", "maxLength", "its length must be at most {}"},
    {"Array should contain no fewer", "minItems", "its number of items must be at least {}"},
    {"Array should contain no more", "maxItems", "its number of items must be at most {}"},
    {"Array contains more items", nullptr, "has more items than the schema allows"},
    {"Elements at indexes", nullptr, "must not have equal items"},
    {"Failed to any values against subschema in 'contains'", nullptr,
     "has no item that matches \"contains\""},
    {"Object should have no fewer", "minProperties",
     "its number of properties must be at least {}"},
    {"Object should have no more", "maxProperties", "its number of properties must be at most {}"},
    {"Target should not validate", nullptr, "must not match the schema in \"not\""},
    {"Failed to validate against exactly one", nullptr,
     "matches more than one schema of \"oneOf\""},
};

std::string quotedPart(std::string_view sentence) {
  constexpr std::string_view kKeywordsBefore = "constraints: ";  // they are in quotes too
  const auto keywords = sentence.find(kKeywordsBefore);
  const auto first = sentence.find('\'', keywords == sentence.npos ? 0 : keywords);
  const auto last = sentence.rfind('\'');
  return first == last ? "" : std::string(sentence.substr(first + 1, last - first - 1));
}

/// The schemas that apply to one value of the document.
class Applicable {
 public:
  explicit Applicable(const json& root) : root_(root) { add(root); }

  void enter(const std::string& token) {
    const auto outer = std::move(schemas_);
    schemas_.clear();
    seen_.clear();
    for (const json* schema : outer) addInner(*schema, token);
  }

  /// The keyword's value; null unless all that have it agree.
  const json* valueOf(const char* keyword) const {
    const json* value = nullptr;
    for (const json* schema : schemas_) {
      const auto found = schema->find(keyword);
      if (found == schema->end()) continue;
      if (value != nullptr && *value != *found) return nullptr;
      value = &*found;
    }
    return value;
  }

  std::vector<std::string> properties() const {
    std::vector<std::string> names;
    for (const json* schema : schemas_) {
      if (!schema->contains("properties")) continue;
      for (const auto& [name, inner] : schema->at("properties").items()) names.push_back(name);
    }
    return names;
  }

 private:
  void add(const json& schema) {
    if (!schema.is_object() || !seen_.insert(&schema).second) return;
    if (schema.contains("$ref")) {
      add(*resolveReference(root_, schema["$ref"].get<std::string>()));
      return;
    }
    schemas_.push_back(&schema);
    for (const char* one : {"then", "else"}) {
      if (schema.contains(one)) add(schema[one]);
    }
    for (const char* many : {"allOf", "anyOf", "oneOf", "dependencies"}) {
      if (!schema.contains(many)) continue;
      for (const json& each : schema[many]) add(each);
    }
  }

  void addInner(const json& schema, const std::string& token) {
    bool matched = false;
    const auto take = [&](const json& inner) {
      add(inner);
      matched = true;
    };
    if (schema.contains("properties") && schema["properties"].contains(token)) {
      take(schema["properties"][token]);
    }
    if (schema.contains("patternProperties")) {
      for (const auto& [pattern, inner] : schema["patternProperties"].items()) {
        if (Pattern(pattern).isFoundIn(token)) take(inner);
      }
    }
    if (!matched && schema.contains("additionalProperties")) add(schema["additionalProperties"]);
    if (!schema.contains("items")) return;
    const json& items = schema["items"];
    if (!items.is_array()) return add(items);
    const bool index = token.find_first_not_of("0123456789") == token.npos;
    const bool listed = index && !token.empty() && token.size() < 7;
    const std::size_t at = listed ? std::stoul(token) : items.size();
    if (at < items.size()) {
      add(items[at]);
    } else if (schema.contains("additionalItems")) {
      add(schema["additionalItems"]);
    }
  }

  const json& root_;
  std::vector<const json*> schemas_;
  std::set<const json*> seen_;
};

std::string typeNames(const json& type) {
  std::string text;
  for (const json& name : type.is_array() ? type : json::array({type})) {
    const auto word = name.get<std::string>();
    const bool vowel = word == "array" || word == "integer" || word == "object";
    text += text.empty() ? "" : " or ";
    text += word == "null"      ? word
            : word == "boolean" ? "true or false"
                                : (vowel ? "an " : "a ") + word;
  }
  return text;
}

/// For a message: values of the schema, which its author may show.
std::string shown(const std::string& keyword, const json& value) {
  if (keyword == "type") return typeNames(value);
  if (value.is_string()) return quote(value.get<std::string>());
  if (!value.is_array()) return escapeForTerminal(canonicalJson(value));
  std::string text;
  for (const json& each : value) {
    if (text.size() > 200) return text + ", …";
    text += (text.empty() ? "" : ", ") + shown({}, each);
  }
  return text;
}

const json* valueAt(const json& document, const std::vector<std::string>& path) {
  json::json_pointer pointer;
  for (const std::string& token : path) pointer.push_back(token);
  return document.contains(pointer) ? &document.at(pointer) : nullptr;
}

/// The validator's summary of an anyOf or oneOf around the first finding.
bool isSummaryOf(const SchemaFinding& finding, const SchemaFinding& first) {
  return finding.description.starts_with("Failed to validate against any") &&
         finding.path.size() <= first.path.size() &&
         std::equal(finding.path.begin(), finding.path.end(), first.path.begin());
}

}  // namespace

std::string explainViolation(const json& schema, const json& document,
                             const std::vector<SchemaFinding>& findings) {
  if (findings.empty()) return ": does not match its schema";
  const SchemaFinding& first = findings.front();
  const auto known =
      std::find_if(std::begin(kMeanings), std::end(kMeanings),
                   [&](const Meaning& one) { return first.description.starts_with(one.sentence); });
  const Meaning meaning =
      known == std::end(kMeanings) ? Meaning{"", nullptr, "does not match its schema"} : *known;

  Applicable applicable(schema);
  json::json_pointer pointer;
  for (const std::string& token : first.path) {
    pointer.push_back(token);
    applicable.enter(token);
  }
  std::string problem(meaning.text);
  if (meaning.aboutMember) {
    const std::string member = quotedPart(first.description);
    pointer.push_back(member);
    if (meaning.sentence == "Object contains a property") {
      problem += didYouMean(member, applicable.properties());
    }
  }
  if (meaning.keyword != nullptr) {
    const json* limit = applicable.valueOf(meaning.keyword);
    problem = limit == nullptr
                  ? "does not match " + quote(meaning.keyword)
                  : problem.replace(problem.find("{}"), 2, shown(meaning.keyword, *limit));
    const json* value = valueAt(document, first.path);
    if (std::string_view(meaning.keyword) == "type" && value != nullptr) {
      const bool fraction = value->is_number_float() && problem.find("an integer") != problem.npos;
      problem += ", not " + (fraction ? "a number with a fraction" : describeType(*value));
    }
  }
  if (std::any_of(findings.begin() + 1, findings.end(),
                  [&](const SchemaFinding& finding) { return isSummaryOf(finding, first); })) {
    problem += "; no other alternative of the schema matches either";
  }
  return escapeForTerminal(pointer.to_string()) + ": " + problem;
}

}  // namespace tether
