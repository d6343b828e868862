#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "catalog/json_schema.hpp"
#include "unit/thrown.hpp"

namespace tether {
namespace {

using nlohmann::json;

JsonSchema compile(const std::string& text) { return JsonSchema(SourceText("s.json", text)); }

std::string refusal(const std::string& schema) {
  return thrown([&] { compile(schema); });
}

/// "nothing" when the schema accepts the payload.
std::string verdict(const std::string& schema, json payload) {
  const JsonSchema compiled = compile(schema);
  return thrown([&] { compiled.validate(payload); });
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a violation names the place and what must be there") {
  struct Case {
    const char* schema;
    const char* payload;
    const char* problem;
  };
  const Case cases[] = {
      {R"({"type": "object"})", "[]", "payload: must be an object, not an array"},
      {R"({"properties": {"n": {"minimum": 1}}})", R"({"n": 0})", "payload/n: must be at least 1"},
      {R"({"properties": {"n": {"exclusiveMinimum": 0.5}}})", R"({"n": 0})",
       "payload/n: must be more than 0.5"},
      {R"({"properties": {"n": {"maximum": 0.001}}})", R"({"n": 1})",
       "payload/n: must be at most 0.001"},
      {R"({"properties": {"n": {"exclusiveMaximum": 9}}})", R"({"n": 9})",
       "payload/n: must be less than 9"},
      {R"({"properties": {"n": {"type": "integer", "multipleOf": 5}}})", R"({"n": 7})",
       "payload/n: must be a multiple of 5"},
      {R"({"properties": {"n": {"type": "integer"}}})", R"({"n": "7"})",
       "payload/n: must be an integer, not a string"},
      {R"({"properties": {"n": {"type": "integer"}}})", R"({"n": 1.5})",
       "payload/n: must be an integer, not a number with a fraction"},
      {R"({"properties": {"n": {"type": ["string", "null"]}}})", R"({"n": true})",
       "payload/n: must be a string or null, not true"},
      {R"({"required": ["id"]})", "{}", "payload/id: is missing"},
      {R"({"additionalProperties": false, "properties": {"quantity": {}}})", R"({"quantty": 1})",
       "payload/quantty: is not a property that the schema has, did you mean \"quantity\"?"},
      {R"({"properties": {"c": {"enum": ["EUR", "USD", 1, null]}}})", R"({"c": "eur"})",
       "payload/c: must be one of \"EUR\", \"USD\", 1, null"},
      {R"({"properties": {"c": {"const": "EUR"}}})", R"({"c": "USD"})",
       "payload/c: must be \"EUR\""},
      {R"({"properties": {"c": {"pattern": "^[A-Z]{3}$"}}})", R"({"c": "eur"})",
       "payload/c: must match the pattern \"^[A-Z]{3}$\""},
      {R"({"properties": {"d": {"format": "date"}}})", R"({"d": "2026-02-30"})",
       "payload/d: must have the format \"date\""},
      {R"({"properties": {"d": {"format": "date-time"}}})", R"({"d": "today"})",
       "payload/d: must have the format \"date-time\""},
      {R"({"properties": {"s": {"minLength": 1}}})", R"({"s": ""})",
       "payload/s: its length must be at least 1"},
      {R"({"properties": {"s": {"maxLength": 2}}})", R"({"s": "äöü"})",
       "payload/s: its length must be at most 2"},
      {R"({"properties": {"l": {"minItems": 1}}})", R"({"l": []})",
       "payload/l: its number of items must be at least 1"},
      {R"({"properties": {"l": {"maxItems": 1}}})", R"({"l": [1, 2]})",
       "payload/l: its number of items must be at most 1"},
      {R"({"properties": {"l": {"uniqueItems": true}}})", R"({"l": [1, 1]})",
       "payload/l: must not have equal items"},
      {R"({"properties": {"l": {"contains": {"type": "null"}}}})", R"({"l": [1]})",
       "payload/l: has no item that matches \"contains\""},
      {R"({"properties": {"l": {"items": {"properties": {"sku": {"minLength": 3}}}}}})",
       R"({"l": [{"sku": "abc"}, {"sku": "a"}]})",
       "payload/l/1/sku: its length must be at least 3"},
      {R"({"properties": {"l": {"items": [{}, {"type": "null"}], "additionalItems": false}}})",
       R"({"l": [1, null, 2]})", "payload/l: has more items than the schema allows"},
      {R"({"minProperties": 1})", "{}", "payload: its number of properties must be at least 1"},
      {R"({"maxProperties": 0})", R"({"a": 1})",
       "payload: its number of properties must be at most 0"},
      {R"({"properties": {"a": false}})", R"({"a": 1})", "payload/a: does not match its schema"},
      {R"({"propertyNames": {"maxLength": 2}})", R"({"abc": 1})",
       "payload: does not match its schema"},
      {R"({"patternProperties": {"^x-": {"type": "string"}}})", R"({"x-a/b": 1})",
       "payload/x-a~1b: must be a string, not a number"},
      {R"({"dependencies": {"card": ["name"]}})", R"({"card": 1})",
       "payload/name: is missing; another property needs it"},
      {R"({"if": {"required": ["a"]}, "then": {"required": ["b"]}})", R"({"a": 1})",
       "payload/b: is missing"},
      {R"({"not": {"required": ["a"]}})", R"({"a": 1})",
       "payload: must not match the schema in \"not\""},
      {R"({"oneOf": [{"required": ["card"]}, {"required": ["iban"]}]})", "{}",
       "payload/card: is missing; no other alternative of the schema matches either"},
      {R"({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]})", R"({"a": 1, "b": 1})",
       "payload: matches more than one schema of \"oneOf\""},
      {R"({"properties": {"n": {"allOf": [{"minimum": 3}, {"minimum": 1}]}}})", R"({"n": 2})",
       "payload/n: does not match \"minimum\""},
      {R"({"$ref": "#/definitions/node", "definitions": {"node": {"type": "object",
           "properties": {"next": {"$ref": "#/definitions/node"}}}}})",
       R"({"next": {"next": 5}})", "payload/next/next: must be an object, not a number"},
      {"false", "1", "payload: does not match its schema"},
  };
  for (const Case& one : cases) {
    CAPTURE(std::string(one.schema));
    CHECK(verdict(one.schema, json::parse(one.payload)) == std::string("invalid: ") + one.problem);
  }
}

TEST_CASE("what a schema allows is accepted") {
  struct Case {
    const char* schema;
    const char* payload;
  };
  const Case cases[] = {
      {"{}", "[1, null]"},
      {"true", "1"},
      {R"({"$schema": "http://json-schema.org/draft-07/schema#", "$id": "x", "title": "t",
           "description": "d", "$comment": "c", "examples": [1], "default": 5,
           "definitions": {"a": {}}, "$defs": {"b": {}}})",
       "1"},
      {R"({"properties": {"t": {"format": "time"}}})", R"({"t": "10:00:00Z"})"},
      {R"({"properties": {"n": {"type": "number"}}})", R"({"n": 1})"},
      {R"({"anyOf": [{"type": "string"}, {"type": "object"}]})", "{}"},
      {R"({"$ref": "#/$defs/o", "$defs": {"o": {"required": ["a"]}}})", R"({"a": 1})"},
      {R"({"properties": {"child": {"$ref": "#"}}, "required": ["id"]})",
       R"({"id": 1, "child": {"id": 2}})"},
  };
  for (const Case& one : cases) {
    CAPTURE(std::string(one.schema));
    CHECK(verdict(one.schema, json::parse(one.payload)) == "nothing");
  }
}

TEST_CASE("integers are compared to the last digit, also with fractions and inside values") {
  struct Case {
    const char* keywords;
    const char* good;
    const char* bad;
  };
  const Case cases[] = {
      {R"("maximum": 9007199254740992)", "9007199254740992", "9007199254740993"},
      {R"("maximum": 9007199254740992.0)", "9007199254740992", "9007199254740993"},
      {R"("minimum": 9007199254740993)", "9007199254740993", "9007199254740992"},
      {R"("exclusiveMaximum": 9007199254740993)", "9007199254740992", "9007199254740993"},
      {R"("exclusiveMinimum": 9007199254740992)", "9007199254740993", "9007199254740992"},
      {R"("minimum": -9223372036854775807)", "-9223372036854775807", "-9223372036854775808"},
      {R"("maximum": 9.3e18, "minimum": -0.5)", "9223372036854775807", "-1"},
      {R"("maximum": -1.5)", "-2", "-1"},
      {R"("const": 9007199254740993)", "9007199254740993", "9007199254740992"},
      {R"("const": {"n": [9007199254740993]})", R"({"n": [9007199254740993]})",
       R"({"n": [9007199254740992]})"},
      {R"("const": 1)", "1.0", "true"},
      {R"("enum": [1, 9007199254740993])", "9007199254740993", "9007199254740992.0"},
      {R"("uniqueItems": true)", "[9007199254740992, 9007199254740993]", "[1, 1.0]"},
      {R"("type": "integer", "multipleOf": 3)", "9007199254740993", "9007199254740992"},
  };
  for (const Case& one : cases) {
    const std::string schema = std::string(R"({"properties": {"n": {)") + one.keywords + "}}}";
    CAPTURE(schema);
    CHECK(verdict(schema, {{"n", json::parse(one.good)}}) == "nothing");
    CHECK(verdict(schema, {{"n", json::parse(one.bad)}}) != "nothing");
  }
}

TEST_CASE("a pattern and a length count characters, not bytes") {
  const auto of = [](const std::string& keywords, const std::string& text) {
    return verdict(R"({"properties": {"s": {)" + keywords + "}}}", {{"s", text}});
  };
  for (const char* text : {"aé", "äö", "x漢", "b😀"}) {
    CAPTURE(std::string(text));
    CHECK(of(R"("pattern": "^.{2}$")", text) == "nothing");
    CHECK(of(R"("pattern": "^.[^a-z]$")", text) == "nothing");
    CHECK(of(R"("minLength": 2, "maxLength": 2)", text) == "nothing");
    CHECK(of(R"("pattern": "^.{3,4}$")", text) != "nothing");
  }
  CHECK(of(R"("pattern": "^[à-ü]+$")", "äöü") == "nothing");
  CHECK(of(R"("pattern": "^[äö]$")", "ä") == "nothing");
  CHECK(of(R"("pattern": "^[äö]$")", "ü") != "nothing");
  CHECK(of(R"("pattern": "^\\u00e4é?$")", "ä") == "nothing");
  CHECK(verdict(R"({"propertyNames": {"pattern": "^.$"}})", {{"ä", 1}}) == "nothing");
  CHECK(verdict(R"({"patternProperties": {"^.$": {"type": "string"}}})", {{"ä", 1}}) ==
        "invalid: payload/ä: must be a string, not a number");
}

TEST_CASE("a violation never shows the value") {
  const std::string text =
      verdict(R"({"properties": {"card": {"enum": ["a"], "maxLength": 2}}})", {{"card", "4111"}});
  CHECK(has(text, "payload/card"));
  CHECK_FALSE(has(text, "4111"));
}

TEST_CASE("a schema that would not be enforced as it reads is refused with its place") {
  struct Case {
    const char* schema;
    const char* problem;
  };
  const Case cases[] = {
      {"5", "s.json:1:1: must be a schema, so an object, true or false, not a number"},
      {"{\n  \"requierd\": [\"a\"]}",
       "s.json:2:3: keyword \"requierd\" is not checked in draft-07 here, did you mean "
       "\"required\"?"},
      {R"({"properties": {"a": {"minimun": 1}}})", "s.json:1:23: keyword \"minimun\""},
      {R"({"dependentRequired": {"a": ["b"]}})", "keyword \"dependentRequired\""},
      {R"({"prefixItems": [{}]})", "keyword \"prefixItems\""},
      {R"({"unevaluatedProperties": false})", "keyword \"unevaluatedProperties\""},
      {R"({"contentEncoding": "base64"})", "keyword \"contentEncoding\""},
      {R"({"definitions": {"unused": {"typo": 1}}})", "keyword \"typo\""},
      {R"({"$schema": "https://json-schema.org/draft/2020-12/schema"})",
       "/$schema: only draft-07 is supported"},
      {R"({"properties": {"a": {"$id": "x"}}})", "\"$id\" is supported at the top"},
      {R"({"format": "email"})",
       "/format: only the formats date, time and date-time are checked; use \"pattern\""},
      {R"({"type": "int"})", "/type: \"int\" is not a type"},
      {R"({"type": "any"})", "/type: \"any\" is not a type"},
      {R"({"type": ["string", "nul"]})", "\"nul\" is not a type, did you mean \"null\"?"},
      {R"({"type": []})", "/type: must not be empty"},
      {R"({"type": 5})", "/type: must be the name of a type, not a number"},
      {R"({"required": "id"})", "/required: must be a list of property names, not a string"},
      {R"({"required": [5]})", "/required/0: must be a property name, not a number"},
      {R"({"enum": []})", "/enum: must be a list that is not empty"},
      {R"({"minLength": -1})", "/minLength: must be a whole number from 0"},
      {R"({"minLength": 1.5})", "/minLength: must be a whole number from 0"},
      {R"({"minimum": "1"})", "/minimum: must be a number, not a string"},
      {R"({"exclusiveMinimum": true})", "/exclusiveMinimum: must be a number, not true"},
      {R"({"uniqueItems": 1})", "/uniqueItems: must be true or false"},
      {R"({"title": 1})", "/title: must be a string"},
      {R"({"properties": []})", "/properties: must be an object"},
      {R"({"properties": {"a": 1}})", "/properties/a: must be a schema"},
      {R"({"allOf": {}})", "/allOf: must be a list of schemas"},
      {R"({"anyOf": []})", "/anyOf: must be a list of schemas that is not empty"},
      {R"({"items": 5})", "/items: must be a schema"},
      {R"({"dependencies": {"a": 5}})", "/dependencies/a: must be a schema"},
      {R"({"then": {}})", "\"then\" has no effect without \"if\""},
      {R"({"items": {}, "additionalItems": false})", "\"additionalItems\" has no effect unless"},
      {R"({"pattern": "("})", "/pattern: is not a regular expression of ECMAScript"},
      {R"({"pattern": "\\p{L}"})", "/pattern: is not a regular expression"},
      {R"({"patternProperties": {"[": {}}})", "is not a regular expression"},
      {R"({"multipleOf": 0.01, "type": "number"})", "/multipleOf: is checked exactly only as"},
      {R"({"multipleOf": 5})", "beside \"type\": \"integer\""},
      {R"({"multipleOf": 0, "type": "integer"})", "/multipleOf: is checked exactly only as"},
      {R"({"$ref": "other.json"})", "/$ref: \"other.json\" is not a place in this file"},
      {R"({"$ref": "http://example.org/x"})", "is not a place in this file"},
      {R"({"$ref": "#/definitions/none"})", "is not a place in this file"},
      {R"({"$ref": "#anchor"})", "is not a place in this file"},
      {R"({"$ref": 5})", "/$ref: must be a string"},
      {R"({"$ref": "#/definitions/a", "minimum": 1, "definitions": {"a": {}}})",
       "\"minimum\" is ignored beside \"$ref\"; put both into \"allOf\""},
      {R"({"$ref": "#"})", "refers to itself without a step into the value"},
      {R"({"allOf": [{"$ref": "#"}]})", "refers to itself"},
      {R"({"definitions": {"a": {"not": {"$ref": "#/definitions/b"}},
                           "b": {"anyOf": [{"$ref": "#/definitions/a"}]}}})",
       "refers to itself"},
      {R"({"properties": {"a": {"$ref": "#/properties"}}})", "keyword \"a\""},
      {R"({"properties": {"a": {"$ref": "#/definitions"}}, "definitions": {"n": 5}})",
       "must be a schema"},
      {R"({"properties": {"n": {"$ref": "#"}}, "propertyNames": {"maxLength": 3}})",
       "names a schema with \"propertyNames\""},
      {R"({"properties": {"n": {"type": "integer", "default": "one"}}})",
       "a default is refused: payload/n: must be an integer, not a string"},
      {"{\"type\": }", "s.json:1:10: "},
  };
  for (const Case& one : cases) {
    CAPTURE(std::string(one.schema));
    const std::string problem = refusal(one.schema);
    CAPTURE(problem);
    CHECK(has(problem, one.problem));
    CHECK(problem.starts_with("invalid: s.json:"));
  }
}

TEST_CASE("defaults of absent top-level properties are filled in") {
  const JsonSchema schema = compile(R"({
    "required": ["id"], "additionalProperties": false, "definitions": {"one": {"default": 1}},
    "properties": {
      "id": {"default": "ignored, it is required"}, "quantity": {"type": "integer", "default": 1},
      "currency": {"enum": ["EUR", null], "default": null}, "note": {"type": "string"},
      "weight": {"$ref": "#/definitions/one"} }
  })");
  json payload = {{"id", "o-1"}, {"weight", 3}};
  schema.validate(payload);
  CHECK(payload == json{{"id", "o-1"}, {"quantity", 1}, {"currency", nullptr}, {"weight", 3}});
  CHECK(schema.optional() ==
        std::map<std::string, json>{
            {"quantity", 1}, {"currency", nullptr}, {"note", nullptr}, {"weight", 1}});
  CHECK(schema.closed());
  CHECK(thrown([&] {
          json empty = json::object();
          schema.validate(empty);
        }) == "invalid: payload/id: is missing");
}

TEST_CASE("the top level may be a reference to a definition") {
  const JsonSchema schema = compile(R"({
    "$ref": "#/definitions/order",
    "definitions": {"order": {"required": ["id"], "properties": {"id": {}, "n": {"default": 2}}}}
  })");
  json payload = {{"id", 1}};
  schema.validate(payload);
  CHECK(payload == json{{"id", 1}, {"n", 2}});
  CHECK_FALSE(schema.closed());
  CHECK(
      refusal("{\"$ref\": \"#/$defs/o\", \"$defs\": {\"o\": {\n"
              "  \"properties\": {\"n\": {\"maximum\": 1, \"default\": 2}}}}}") ==
      "invalid: s.json:2:17: /$defs/o/properties: a default is refused: payload/n: must be at most "
      "1");
}

TEST_CASE("a pattern that meets a long text overflows nothing and ends") {
  const std::string longest(4096, 'a');
  const std::string deep = "^((((((a))))))*$";  // of the library's usual way, 8 MiB of stack
  CHECK(verdict(R"({"properties": {"s": {"pattern": ")" + deep + "\"}}}", {{"s", longest}}) ==
        "nothing");
  CHECK(
      has(verdict(R"({"properties": {"s": {"pattern": ")" + deep + "\"}}}", {{"s", longest + "b"}}),
          "4097 bytes"));
  // Of the usual way, 2^4095 ways.
  CHECK(verdict(R"({"properties": {"s": {"pattern": "^(a+)+$"}}})",
                {{"s", longest.substr(1) + "b"}}) ==
        "invalid: payload/s: must match the pattern \"^(a+)+$\"");
  CHECK(verdict(R"({"patternProperties": {"^(a+)+$": {"type": "string"}}})",
                {{longest.substr(1) + "b", 1}}) == "nothing");
  CHECK(has(verdict(R"({"patternProperties": {"^a": {"type": "string"}}})", {{"ab", 1}}),
            "/ab: must be a string"));
  CHECK(verdict(R"({"patternProperties": {")" + deep + R"(": {}}, "additionalProperties": false})",
                {{longest, 1}}) == "nothing");
  CHECK(has(verdict(R"({"properties": {"t": {"format": "time"}}})",
                    {{"t", "12:00:00." + std::string(4000, '1')}}),
            "must have the format"));
}

TEST_CASE("a pattern without a bound is refused when the schema is read") {
  const auto of = [](const std::string& pattern) {
    return refusal(R"({"properties": {"s": {"pattern": ")" + pattern + "\"}}}");
  };
  CHECK(has(of("^(a)\\\\1$"), "has a back-reference, whose cost has no bound"));
  CHECK(has(of("(((a?){100}){100}){100}"), "stands for more than 4096 steps"));
  CHECK(has(of(std::string(5000, 'a')), "stands for more than 4096 steps"));
  CHECK(has(of("^[a"), "is not a regular expression of ECMAScript"));
  CHECK(of("^(?=.*[0-9])[a-z0-9]{8,64}$") == "nothing");
  CHECK(of("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$") == "nothing");
}

TEST_CASE("the one type that a schema admits at a place is known") {
  const JsonSchema schema = compile(R"({
    "allOf": [{"properties": {"zip": {"type": "string"}}}],
    "properties": {
      "zip": {"maxLength": 5}, "n": {"type": ["integer"]}, "either": {"type": ["string", "null"]},
      "kind": {"enum": ["a", "b"]}, "mixed": {"enum": ["a", 1]}, "one": {"const": 5},
      "lines": {"items": {"$ref": "#/definitions/line"}}, "open": {}},
    "additionalProperties": {"type": "boolean"},
    "definitions": {"line": {"properties": {"sku": {"type": "string"}}}}
  })");
  CHECK(schema.typeAt("/zip") == "string");
  CHECK(schema.typeAt("/n") == "integer");
  CHECK(schema.typeAt("/kind") == "string");
  CHECK(schema.typeAt("/one") == "number");
  CHECK(schema.typeAt("/lines/3/sku") == "string");
  CHECK(schema.typeAt("/other") == "boolean");
  for (const char* pointer : {"/either", "/mixed", "/open", "/lines", "/lines/0/none", ""}) {
    CAPTURE(std::string(pointer));
    CHECK(schema.typeAt(pointer).empty());
  }
}

TEST_CASE("a text too long for a regular expression is refused, not matched") {
  const std::string longest(4096, 'a');
  for (const char* schema :
       {R"({"properties": {"s": {"pattern": "^(a|b)*$", "maxLength": 5000}}})",
        R"({"properties": {"s": {"type": "string"}, "d": {"format": "date"}}})",
        R"({"properties": {"s": {"type": "string"}}, "patternProperties": {"^(x|y)*$": {}}})"}) {
    CAPTURE(std::string(schema));
    CHECK(verdict(schema, {{"s", longest}}) == "nothing");
    CHECK(verdict(schema, {{"s", longest + "a"}}) ==
          "invalid: payload/s: has 4097 bytes, but at most 4096 are checked against a pattern or "
          "format");
    CHECK(has(verdict(schema, {{"l", json::array({{{longest + "a", 1}}})}}),
              "invalid: payload/l/0: has a property whose name has 4097 bytes"));
  }
  CHECK(verdict(R"({"properties": {"s": {"maxLength": 100000}}})",
                {{"s", std::string(100000, 'a')}}) == "nothing");
}

TEST_CASE("an array too long to be compared item by item is refused") {
  const char* schema = R"({"properties": {"l": {"uniqueItems": true}}})";
  json items = json::array();
  for (int i = 0; i < 512; ++i) items.push_back(i);
  CHECK(verdict(schema, {{"l", items}}) == "nothing");
  items.push_back(512);
  CHECK(verdict(schema, {{"l", items}}) ==
        "invalid: payload/l: has 513 items, but at most 512 are checked for equal ones");
}

TEST_CASE("a payload with very many violations costs no more than one") {
  const json items(100000, 1);
  CHECK(verdict(R"({"properties": {"l": {"items": {"type": "string"}}}})", {{"l", items}}) ==
        "invalid: payload: does not match its schema; it has 100002 values, which is too much to "
        "say where");
}

TEST_CASE("a schema is used by several threads at once") {
  const JsonSchema schema = compile(R"({"properties": {"s": {"pattern": "^a+$"}}})");
  std::vector<std::jthread> threads;
  std::atomic<int> refused = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        json good = {{"s", "aaa"}};
        schema.validate(good);
        json bad = {{"s", "b"}};
        if (thrown([&] { schema.validate(bad); }) != "nothing") ++refused;
      }
    });
  }
  threads.clear();
  CHECK(refused == 200);
}

}  // namespace tether
