#include "catalog/schema_check.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "catalog/config_value.hpp"
#include "catalog/pattern.hpp"
#include "tether/error.hpp"
#include "tether/text.hpp"

namespace tether {
namespace {

using nlohmann::json;
using Pointer = json::json_pointer;

enum class Form {
  Anything,
  Text,
  Identifier,  // of the root only
  Dialect,
  Flag,
  Number,
  Count,
  Divisor,
  Regex,
  Format,
  TypeNames,
  Values,
  Names,
  Schema,
  Schemas,
  Items,
  SchemaMap,
  RegexMap,
  Dependencies,
};

struct Keyword {
  Form form;
  bool annotation = false;  // means nothing to a validator, so it may stand beside $ref
};

const std::map<std::string, Keyword>& keywords() {
  static const std::map<std::string, Keyword> kKeywords = {
      {"$comment", {Form::Text, true}},
      {"$defs", {Form::SchemaMap, true}},
      {"$id", {Form::Identifier, true}},
      {"$schema", {Form::Dialect, true}},
      {"default", {Form::Anything, true}},
      {"definitions", {Form::SchemaMap, true}},
      {"description", {Form::Text, true}},
      {"examples", {Form::Anything, true}},
      {"title", {Form::Text, true}},
      {"additionalItems", {Form::Schema}},
      {"additionalProperties", {Form::Schema}},
      {"allOf", {Form::Schemas}},
      {"anyOf", {Form::Schemas}},
      {"const", {Form::Anything}},
      {"contains", {Form::Schema}},
      {"dependencies", {Form::Dependencies}},
      {"else", {Form::Schema}},
      {"enum", {Form::Values}},
      {"exclusiveMaximum", {Form::Number}},
      {"exclusiveMinimum", {Form::Number}},
      {"format", {Form::Format}},
      {"if", {Form::Schema}},
      {"items", {Form::Items}},
      {"maxItems", {Form::Count}},
      {"maxLength", {Form::Count}},
      {"maxProperties", {Form::Count}},
      {"maximum", {Form::Number}},
      {"minItems", {Form::Count}},
      {"minLength", {Form::Count}},
      {"minProperties", {Form::Count}},
      {"minimum", {Form::Number}},
      {"multipleOf", {Form::Divisor}},
      {"not", {Form::Schema}},
      {"oneOf", {Form::Schemas}},
      {"pattern", {Form::Regex}},
      {"patternProperties", {Form::RegexMap}},
      {"properties", {Form::SchemaMap}},
      {"propertyNames", {Form::Schema}},
      {"required", {Form::Names}},
      {"then", {Form::Schema}},
      {"type", {Form::TypeNames}},
      {"uniqueItems", {Form::Flag}},
  };
  return kKeywords;
}

const std::vector<std::string> kTypeNames = {"array",  "boolean", "integer", "null",
                                             "number", "object",  "string"};
const std::vector<std::string> kFormats = {"date", "date-time", "time"};

bool isOneOf(const json& value, const std::vector<std::string>& words) {
  const auto* text = value.get_ptr<const std::string*>();
  return text != nullptr && std::find(words.begin(), words.end(), *text) != words.end();
}

class Checker {
 public:
  explicit Checker(const SourceText& source) : source_(source), root_(source.json()) {}

  SchemaTraits run() {
    checkSchemaAt(Pointer(), root_);
    while (!referenced_.empty()) {  // checking may find more
      const Pointer target(referenced_.back().substr(1));
      referenced_.pop_back();
      checkSchemaAt(target, root_.at(target));
    }
    return traits_;
  }

 private:
  void checkSchemaAt(const Pointer& at, const json& schema) {
    if (!checked_.insert(&schema).second) return;
    if (schema.is_boolean()) return;
    if (!schema.is_object()) fail(at, "must be a schema, so an object, true or false", schema);
    const auto reference = schema.find("$ref");
    for (const auto& [name, value] : schema.items()) {
      if (name == "$ref") continue;
      const auto keyword = keywords().find(name);
      if (keyword == keywords().end()) failUnknown(at / name, name);
      if (reference != schema.end() && !keyword->second.annotation) {
        failKey(at / name, quote(name) + " is ignored beside \"$ref\"; put both into \"allOf\"");
      }
      checkKeyword(at / name, value, keyword->second.form, schema);
    }
    if (reference != schema.end()) checkReference(at / "$ref", *reference);
    checkEffect(at, schema);
    checkProgress(at, schema);
  }

  void checkKeyword(const Pointer& at, const json& value, Form form, const json& schema) {
    switch (form) {
      case Form::Anything:
        return;
      case Form::Text:
        if (!value.is_string()) fail(at, "must be a string", value);
        return;
      case Form::Identifier:
        if (&schema != &root_) failKey(at, "\"$id\" is supported at the top of a schema only");
        if (!value.is_string()) fail(at, "must be a string", value);
        return;
      case Form::Dialect:
        return checkDialect(at, value, schema);
      case Form::Flag:
        if (!value.is_boolean()) fail(at, "must be true or false", value);
        traits_.usesUniqueItems = traits_.usesUniqueItems || value == true;
        return;
      case Form::Number:
        if (!value.is_number()) fail(at, "must be a number", value);
        return;
      case Form::Count:
        if (!value.is_number_integer() || value < 0) {
          fail(at, "must be a whole number from 0", value);
        }
        return;
      case Form::Divisor:
        if (!value.is_number_integer() || value < 1 || schema.value("type", json()) != "integer") {
          source_.fail(at,
                       "is checked exactly only as a whole number beside \"type\": \"integer\"; "
                       "count in the smallest unit (cents)");
        }
        return;
      case Form::Regex:
        if (!value.is_string()) fail(at, "must be a string", value);
        return checkRegex(at, value.get<std::string>());
      case Form::Format:
        traits_.usesRegex = true;
        if (!isOneOf(value, kFormats)) {
          source_.fail(at,
                       "only the formats date, time and date-time are checked; use \"pattern\"");
        }
        return;
      case Form::TypeNames:
        return checkTypeNames(at, value);
      case Form::Values:
        if (!value.is_array() || value.empty()) fail(at, "must be a list that is not empty", value);
        return;
      case Form::Names:
        return checkNames(at, value);
      case Form::Schema:
        return checkSchemaAt(at, value);
      case Form::Items:
        return value.is_array() ? checkSchemas(at, value) : checkSchemaAt(at, value);
      case Form::Schemas:
        return checkSchemas(at, value);
      case Form::RegexMap:
        checkMap(at, value);
        for (const auto& [name, inner] : value.items()) checkRegex(at / name, name);
        return;
      case Form::SchemaMap:
        return checkMap(at, value);
      case Form::Dependencies:
        if (!value.is_object()) fail(at, "must be an object", value);
        for (const auto& [name, inner] : value.items()) {
          inner.is_array() ? checkNames(at / name, inner) : checkSchemaAt(at / name, inner);
        }
        return;
    }
  }

  void checkDialect(const Pointer& at, const json& value, const json& schema) {
    static const std::vector<std::string> kDraft7 = {
        "http://json-schema.org/draft-07/schema#", "http://json-schema.org/draft-07/schema",
        "https://json-schema.org/draft-07/schema#", "https://json-schema.org/draft-07/schema"};
    if (&schema != &root_) failKey(at, "\"$schema\" belongs at the top of a schema");
    if (!isOneOf(value, kDraft7)) {
      source_.fail(at, "only draft-07 is supported: \"" + kDraft7.front() + "\"");
    }
  }

  void checkRegex(const Pointer& at, const std::string& pattern) {
    traits_.usesRegex = true;
    try {
      static_cast<void>(Pattern(pattern));
      traits_.patterns.insert(pattern);
    } catch (const Error& error) {
      source_.fail(at, error.what());
    }
  }

  void checkTypeNames(const Pointer& at, const json& value) {
    if (value.is_array() && value.empty()) source_.fail(at, "must not be empty");
    for (const json& name : value.is_array() ? value : json::array({value})) {
      if (isOneOf(name, kTypeNames)) continue;
      const auto* text = name.get_ptr<const std::string*>();
      if (text == nullptr) fail(at, "must be the name of a type", name);
      source_.fail(at, quote(*text) + " is not a type" + didYouMean(*text, kTypeNames));
    }
  }

  void checkNames(const Pointer& at, const json& value) {
    if (!value.is_array()) fail(at, "must be a list of property names", value);
    for (std::size_t index = 0; index < value.size(); ++index) {
      if (!value[index].is_string()) fail(at / index, "must be a property name", value[index]);
    }
  }

  void checkSchemas(const Pointer& at, const json& value) {
    if (!value.is_array() || value.empty()) {
      fail(at, "must be a list of schemas that is not empty", value);
    }
    for (std::size_t index = 0; index < value.size(); ++index) {
      checkSchemaAt(at / index, value[index]);
    }
  }

  void checkMap(const Pointer& at, const json& value) {
    if (!value.is_object()) fail(at, "must be an object", value);
    for (const auto& [name, schema] : value.items()) checkSchemaAt(at / name, schema);
  }

  void checkReference(const Pointer& at, const json& value) {
    if (!value.is_string()) fail(at, "must be a string", value);
    const auto reference = value.get<std::string>();
    const json* target = resolveReference(root_, reference);
    if (target == nullptr) {
      source_.fail(at,
                   quote(reference) + " is not a place in this file; write \"#/definitions/…\"");
    }
    if (target->contains("propertyNames")) {
      source_.fail(at,
                   "names a schema with \"propertyNames\", which would not be checked; there, "
                   "put it into \"allOf\"");
    }
    referenced_.push_back(reference);
  }

  /// Keywords that draft-07 ignores unless another one is there.
  void checkEffect(const Pointer& at, const json& schema) {
    for (const char* branch : {"then", "else"}) {
      if (schema.contains(branch) && !schema.contains("if")) {
        failKey(at / branch, quote(branch) + " has no effect without \"if\"");
      }
    }
    if (schema.contains("additionalItems") && !schema.value("items", json()).is_array()) {
      failKey(at / "additionalItems",
              "\"additionalItems\" has no effect unless \"items\" is a list");
    }
  }

  /// A schema that applies itself to the same value again would be followed for ever.
  void checkProgress(const Pointer& at, const json& schema) {
    std::set<const json*> seen;
    std::vector<const json*> open;
    const auto follow = [&](const json& next) {
      if (seen.insert(&next).second) open.push_back(&next);
      if (&next == &schema) source_.fail(at, "refers to itself without a step into the value");
    };
    open.push_back(&schema);
    while (!open.empty()) {
      const json& current = *open.back();
      open.pop_back();
      if (!current.is_object()) continue;
      if (const auto reference = current.find("$ref"); reference != current.end()) {
        const json* target = reference->is_string()
                                 ? resolveReference(root_, reference->get<std::string>())
                                 : nullptr;
        if (target != nullptr) follow(*target);
        continue;
      }
      for (const char* one : {"not", "if", "then", "else"}) {
        if (current.contains(one)) follow(current[one]);
      }
      for (const char* many : {"allOf", "anyOf", "oneOf", "dependencies"}) {
        if (!current.contains(many)) continue;
        for (const json& next : current[many]) follow(next);
      }
    }
  }

  [[noreturn]] void fail(const Pointer& at, const std::string& problem, const json& value) const {
    source_.fail(at, problem + ", not " + describeType(value));
  }
  [[noreturn]] void failKey(const Pointer& at, const std::string& problem) const {
    source_.failAtKey(at, problem);
  }
  [[noreturn]] void failUnknown(const Pointer& at, const std::string& name) const {
    std::vector<std::string> known;
    for (const auto& [keyword, form] : keywords()) known.push_back(keyword);
    failKey(at, "keyword " + quote(name) + " is not checked in draft-07 here" +
                    didYouMean(name, known));
  }

  const SourceText& source_;
  const json& root_;
  SchemaTraits traits_;
  std::set<const json*> checked_;
  std::vector<std::string> referenced_;
};

}  // namespace

SchemaTraits checkSchema(const SourceText& source) { return Checker(source).run(); }

const json* resolveReference(const json& root, const std::string& reference) {
  // Percent signs would have to be decoded.
  if (!reference.starts_with('#') || reference.find('%') != reference.npos) return nullptr;
  try {
    const Pointer pointer(reference.substr(1));
    return root.contains(pointer) ? &root.at(pointer) : nullptr;
  } catch (const json::exception&) {  // not a pointer
    return nullptr;
  }
}

}  // namespace tether
