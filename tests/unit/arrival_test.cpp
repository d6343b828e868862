// What anyone may put onto a queue, as an envelope.
#include "flow/arrival.hpp"

#include <doctest/doctest.h>

#include "tether/envelope.hpp"
#include "unit/thrown.hpp"

namespace tether::testing {

namespace {

Delivery delivery(const std::string& body, std::map<std::string, std::string> attributes = {}) {
  Delivery delivery;
  delivery.id = "m-1";
  delivery.body = body;
  delivery.attributes = std::move(attributes);
  return delivery;
}

Envelope read(const Delivery& from) { return flow::envelopeOf(from, "commands"); }

}  // namespace

TEST_CASE("an envelope arrives as it is, and is a letter byte for byte") {
  const std::string body =
      R"({ "specversion": "1.0", "id": "e", "source": "s", "type": "Pay", "data": {"n": 1} })";
  CHECK(read(delivery(body)) == parseEnvelope(body));
  const auto letter = flow::letterOf(delivery(body), "commands", "message", {}, {});
  CHECK(letter.body == body);
  CHECK(letter.type == "Pay");
}

TEST_CASE("a type and a payload are a command with the message's id") {
  const auto envelope = read(delivery(R"({"type": "Pay", "payload": {"n": 1}})"));
  CHECK(envelope.type == "Pay");
  CHECK(envelope.data == nlohmann::json{{"n", 1}});
  CHECK(envelope.id == "m-1");
  CHECK(envelope.source == "/queues/commands");
  const auto full = read(
      delivery(R"({"type": "Pay", "id": "c", "key": "k", "correlationId": "f", "payload": {}})"));
  CHECK(full.id == "c");
  CHECK(full.key == "k");
  CHECK(full.correlationId == "f");
}

TEST_CASE("message attributes say what a payload is") {
  const auto envelope =
      read(delivery(R"({"n": 1})",
                    {{"type", "Pay"}, {"correlationid", "f"}, {"partitionkey", "k"}, {"id", "c"}}));
  CHECK(envelope.type == "Pay");
  CHECK(envelope.id == "c");
  CHECK(envelope.key == "k");
  CHECK(envelope.correlationId == "f");
  CHECK(envelope.data == nlohmann::json{{"n", 1}});
  // Of an attribute that means nothing here nobody is told.
  CHECK(read(delivery("{}", {{"type", "Pay"}, {"color", "red"}})).id == "m-1");
}

TEST_CASE("what is none of these is refused in words") {
  const auto why = [](const std::string& body, std::map<std::string, std::string> attributes = {}) {
    return thrown([&] { read(delivery(body, std::move(attributes))); });
  };
  CHECK(why("hello").find("message") != std::string::npos);
  CHECK(why("[1]").find("neither a CloudEvents object") != std::string::npos);
  CHECK(why(R"({"n": 1})").find("message attribute type") != std::string::npos);
  CHECK(why(R"({"type": 1})").find("\"type\" must be a string") != std::string::npos);
  CHECK(why(R"({"type": "Pay", "payloads": {}})").find("did you mean \"payload\"") !=
        std::string::npos);
  CHECK(why("no json", {{"type", "Pay"}}).find("message") != std::string::npos);
}

}  // namespace tether::testing
