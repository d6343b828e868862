#include "tether/envelope.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "model/json_text.hpp"
#include "tether/json.hpp"
#include "unit/thrown.hpp"

using namespace tether;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

Envelope full() {
  Envelope envelope;
  envelope.id = "0197a2f0-7c1b-7abc-8def-0123456789ab";
  envelope.source = "/shop";
  envelope.type = "OrderCreated";
  envelope.time = parseTime("2026-01-31T12:00:00.5Z");
  envelope.correlationId = "flow-1";
  envelope.causationId = "cause-1";
  envelope.key = "customer 7";
  envelope.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  envelope.data = {{"id", "o-1"}, {"lines", {1, 2}}};
  return envelope;
}

/// The smallest good envelope with `name` set to `value`.
std::string with(const char* name, const json& value) {
  json object = {{"specversion", "1.0"}, {"id", "1"}, {"source", "s"}, {"type", "T"}};
  object[name] = value;
  return object.dump();
}

std::string refusal(const std::string& text) {
  return thrown([&] { parseEnvelope(text); });
}

}  // namespace

TEST_CASE("an envelope is one CloudEvents object with sorted attributes") {
  CHECK(toJsonText(full()) ==
        R"({"causationid":"cause-1","correlationid":"flow-1","data":{"id":"o-1","lines":[1,2]},)"
        R"("id":"0197a2f0-7c1b-7abc-8def-0123456789ab","partitionkey":"customer 7",)"
        R"("source":"/shop","specversion":"1.0","time":"2026-01-31T12:00:00.500Z",)"
        R"("traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",)"
        R"("type":"OrderCreated"})");
}

TEST_CASE("what is empty is left out of the text") {
  Envelope envelope;
  envelope.id = "1";
  envelope.source = "s";
  envelope.type = "T";
  CHECK(toJsonText(envelope) == R"({"id":"1","source":"s","specversion":"1.0","type":"T"})");
  envelope.data = json::array();
  CHECK(toJsonText(envelope) ==
        R"({"data":[],"id":"1","source":"s","specversion":"1.0","type":"T"})");
}

TEST_CASE("an envelope that was written is read back equal and written to the same bytes") {
  auto odd = full();
  odd.id = "a \"quoted\" \\ id \xC3\xA4";
  odd.key = "\xE2\x80\xAE\xF0\x9F\x98\x80";
  odd.data = "\x1B text \xC3\xA4\n";
  auto bare = full();
  bare.time.reset();
  bare.data = nullptr;
  bare.correlationId.clear();
  for (const auto& envelope : {full(), odd, bare}) {
    const auto text = toJsonText(envelope);
    CAPTURE(text);
    CHECK(parseEnvelope(text) == envelope);
    CHECK(toJsonText(parseEnvelope(text)) == text);
    CHECK(utf8Json(canonicalJson(parseJson("text", text))) == text);
    CHECK(text.find_first_of("\x1B\n") == std::string::npos);
  }
}

TEST_CASE("text travels as UTF-8, and only what no queue takes is escaped") {
  const std::string text = "ä€\xF0\x9F\x98\x80 \\u00e4 \x7F";
  const auto canonical = canonicalJson(json(text + "\xEF\xBF\xBE\xEF\xBF\xBF\x1B\t"));
  const auto utf8 = utf8Json(canonical);
  CHECK(utf8 == "\"ä€\xF0\x9F\x98\x80 \\\\u00e4 \\u007f\\ufffe\\uffff\\u001b\\t\"");
  CHECK(asciiJson(utf8) == canonical);
  CHECK(asciiJson("plain") == "plain");
  CHECK(asciiJson("\xFF") == "\xFF");
}

TEST_CASE("an envelope with text that is not UTF-8 is not written") {
  auto envelope = full();
  envelope.key = "\xFF";
  CHECK(thrown([&] { toJsonText(envelope); }).starts_with("invalid: "));
  envelope = full();
  envelope.data = "\xFF";
  CHECK(thrown([&] { toJsonText(envelope); }).starts_with("invalid: "));
}

TEST_CASE("data may be any JSON value and is null when absent") {
  for (const char* data : {"null", "true", "7", "\"text\"", "[1]", "{\"a\":{\"b\":1}}"}) {
    CHECK(parseEnvelope(with("data", json::parse(data))).data == json::parse(data));
  }
  CHECK(parseEnvelope(with("subject", "x")).data.is_null());
}

TEST_CASE("attributes that are unknown or null are dropped") {
  const auto plain = parseEnvelope(with("id", "1"));
  CHECK(parseEnvelope(with("subject", "x")) == plain);
  CHECK(parseEnvelope(with("sequence", 7)) == plain);
  CHECK(parseEnvelope(with("comexampleextension1", true)) == plain);
  for (const char* name : {"time", "datacontenttype", "data", "data_base64", "correlationid",
                           "causationid", "partitionkey", "traceparent"}) {
    CHECK(parseEnvelope(with(name, nullptr)) == plain);
  }
}

TEST_CASE("ids from elsewhere may be any printable text up to 255 bytes") {
  for (const char* name :
       {"id", "source", "type", "correlationid", "causationid", "partitionkey"}) {
    CAPTURE(name);
    CHECK_NOTHROW(parseEnvelope(with(name, "https://example.com/a b?c=\xC3\xA4#1")));
    CHECK_NOTHROW(parseEnvelope(with(name, std::string(255, 'x'))));
    CHECK(refusal(with(name, std::string(256, 'x'))) ==
          "invalid: envelope: " + std::string(name) + " has 256 bytes, more than 255");
    for (const char* control : {"\n", "\t", "\x1B", "\x7F", "\xC2\x9B"}) {
      CHECK(refusal(with(name, control))
                .starts_with("invalid: envelope: " + std::string(name) +
                             " has control characters: \"\\u00"));
    }
    CHECK(refusal(with(name, "")) == "invalid: envelope: " + std::string(name) + " is empty");
    for (const json& value : {json(7), json(true), json::array(), json::object()}) {
      CHECK(refusal(with(name, value)) ==
            "invalid: envelope: " + std::string(name) + " must be a string");
    }
  }
}

TEST_CASE("a required attribute that is missing is named") {
  for (const char* name : {"specversion", "id", "source", "type"}) {
    CHECK(refusal(with(name, nullptr)) ==
          "invalid: envelope: " + std::string(name) + " is missing");
    json object = json::parse(with("id", "1"));
    object.erase(name);
    CHECK(refusal(object.dump()) == "invalid: envelope: " + std::string(name) + " is missing");
  }
}

TEST_CASE("an envelope of another version or with data that is no JSON is refused") {
  CHECK(refusal(with("specversion", "0.3")) ==
        "invalid: envelope: specversion \"0.3\" is not supported; it must be \"1.0\"");
  CHECK(refusal(with("data_base64", "aGk=")) ==
        "invalid: envelope: data_base64 is not supported; send JSON in data");
  for (const char* good :
       {"application/json", "Application/JSON; charset=utf-8", "application/json;",
        "application/cloudevents+json", "text/x+json ; a=b"}) {
    CHECK(refusal(with("datacontenttype", good)) == "nothing");
  }
  for (const char* bad : {"text/plain", "application/xml", "json", "+json", "application/jsonp",
                          "application/json+xml", "; application/json"}) {
    CHECK(refusal(with("datacontenttype", bad)) == "invalid: envelope: datacontenttype \"" +
                                                       std::string(bad) +
                                                       "\" is not supported; it must be JSON");
  }
}

TEST_CASE("attribute names are lower-case letters and digits") {
  for (const char* name :
       {"correlationId", "partition_key", "a-b", "data_Base64", "\xC3\xA4", ""}) {
    CHECK(refusal(with(name, "x")) == "invalid: envelope: attribute \"" + std::string(name) +
                                          "\" must be lower-case letters and digits");
  }
}

TEST_CASE("a time that is not RFC 3339 is refused") {
  CHECK(parseEnvelope(with("time", "2026-01-31T13:00:00+01:00")).time ==
        parseTime("2026-01-31T12:00:00Z"));
  CHECK(refusal(with("time", "2026-02-30T12:00:00Z")) ==
        "invalid: envelope: time \"2026-02-30T12:00:00Z\" names a day that is not in the calendar");
  CHECK(refusal(with("time", 1769860800)) == "invalid: envelope: time must be a string");
}

TEST_CASE("an envelope that is no object or no strict JSON is refused") {
  CHECK(refusal("[]") == "invalid: envelope: must be a JSON object, not array");
  CHECK(refusal("null") == "invalid: envelope: must be a JSON object, not null");
  CHECK(refusal("") ==
        "invalid: envelope, byte 0: unexpected end of input; expected '[', '{', or a "
        "literal");
  CHECK(refusal(R"({"id":"1","id":"2"})") ==
        "invalid: envelope, byte 10: duplicate key at \"/id\"");
  CHECK(refusal(std::string(100'000, '[')).find("more than 66 levels") != std::string::npos);
}
