// What anyone may put onto a queue, as an envelope.
#include "flow/arrival.hpp"

#include <doctest/doctest.h>

#include "model/outcome.hpp"
#include "tether/envelope.hpp"
#include "tether/json.hpp"
#include "tether/text.hpp"
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
      delivery(R"({"type": "Pay", "id": "c", "source": "s", "key": "k", "correlationId": "f"})"));
  CHECK(full.id == "c");
  CHECK(full.source == "s");
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

TEST_CASE("what a body says of itself goes before what stands beside it") {
  const auto event = read(delivery(
      R"({"specversion": "1.0", "id": "order-77", "source": "s", "type": "Pay", "data": {"n": 1}})",
      {{"type", "Refund"}, {"id", "x"}, {"partitionkey", "k"}}));
  CHECK(event.type == "Pay");
  CHECK(event.id == "order-77");
  CHECK(event.data == nlohmann::json{{"n", 1}});
  CHECK(event.key == "k");
  const auto plain = read(delivery(R"({"type": "Pay", "payload": {"n": 1}, "id": "c"})",
                                   {{"type", "Refund"}, {"id", "x"}, {"correlationid", "f"}}));
  CHECK(plain.type == "Pay");
  CHECK(plain.id == "c");
  CHECK(plain.correlationId == "f");
  CHECK(plain.data == nlohmann::json{{"n", 1}});
  // A payload may well have a type of its own.
  CHECK(read(delivery(R"({"type": "gift"})", {{"type", "Pay"}})).type == "Pay");
}

TEST_CASE("a letter keeps what stood beside the body, whatever it means") {
  const auto message = delivery(R"({"n": 1})", {{"eventType", "Pay"}, {"orderId", "o-17"}});
  const auto letter = flow::letterOf(message, "commands", "message", {}, {});
  CHECK(letter.attributes == message.attributes);
}

TEST_CASE("what others write arrives at any size that a message may have, and can be replayed") {
  std::string text;
  while (text.size() < 400 * 1024) text += "ä";  // three times as long when it is escaped
  const auto payload = R"({"text": ")" + text + "\"}";
  for (const auto& message :
       {delivery(R"({"type": "Pay", "id": "c", "payload": )" + payload + "}"),
        delivery(payload, {{"type", "Pay"}, {"id", "c"}, {"partitionkey", "ö"}})}) {
    const auto envelope = read(message);
    CHECK(envelope.type == "Pay");
    CHECK((envelope.data["text"] == text));
    const auto letter = flow::letterOf(message, "commands", "message", {}, {});
    CHECK(letter.type == "Pay");
    CHECK((read(delivery(letter.body)) == envelope));
  }
}

TEST_CASE("the letter of what is too large as an envelope has the bytes that arrived") {
  const std::string head = R"({"type":"Pay","id":"c","payload":{"text":")";
  const auto full = head + std::string(JsonLimits{}.bytesMax - head.size() - 3, 'x') + "\"}}";
  const auto letter = flow::letterOf(delivery(full), "commands", "message", {}, {});
  CHECK((letter.body == full));
  CHECK(letter.type == "Pay");
  CHECK((read(delivery(letter.body)) == read(delivery(full))));
}

TEST_CASE("the letter of a payload keeps its attributes, those that are wrong too") {
  const auto message = delivery(R"({"n": 1})", {{"type", "Pay"}, {"id", std::string(300, 'x')}});
  CHECK(thrown([&] { read(message); }).find("300 bytes") != std::string::npos);
  const auto letter = flow::letterOf(message, "commands", "message", {}, {});
  CHECK(letter.body.find("\"type\":\"Pay\"") != std::string::npos);
  CHECK(letter.type.empty());
  const auto noText = delivery("{}", {{"type", "Pay"}, {"id", "\xFF"}});
  CHECK(thrown([&] { read(noText); }).find("not UTF-8") != std::string::npos);
  CHECK(flow::letterOf(noText, "commands", "message", {}, {}).body == "{}");
}

TEST_CASE("the end of a command arrives however much its error says") {
  CommandOutcome outcome;
  outcome.state = CommandState::Dead;
  outcome.error.code = "rejected";
  for (const std::string letter : {"x", "ä", "€", "\U0001F680"}) {
    outcome.error.message.clear();
    while (outcome.error.message.size() < 600 * 1024) outcome.error.message += letter;
    Command command;
    command.id = "c-1";
    command.source = "front";
    const auto event = toEvent(outcome, command);
    CHECK(event.data.size() < 64 * 1024);
    const auto body = toJsonText(toEnvelope(event));
    const auto heard = parseOutcome(read(delivery(body))).error.message;
    CHECK(validUtf8(heard));
    CHECK(heard.size() <= 8 * 1024);
    CHECK(heard.size() > 8 * 1024 - 6);
    CHECK(heard.ends_with(letter + "…"));
  }
  outcome.error.message = std::string(8 * 1024, 'x');
  const auto whole = toEnvelope(toEvent(outcome, Command{}));
  CHECK(whole.data["error"]["message"] == outcome.error.message);
}

TEST_CASE("what is none of these is refused in words") {
  const auto why = [](const std::string& body, std::map<std::string, std::string> attributes = {}) {
    return thrown([&] { read(delivery(body, std::move(attributes))); });
  };
  CHECK(why("hello").find("not the JSON that was expected") != std::string::npos);
  CHECK(why("[1]").find("neither a CloudEvents object") != std::string::npos);
  CHECK(why(R"({"n": 1})").find("message attribute type") != std::string::npos);
  CHECK(why(R"({"type": 1})").find("\"type\" must be a string") != std::string::npos);
  CHECK(why(R"({"type": "Pay", "payloads": {}})").find("did you mean \"payload\"") !=
        std::string::npos);
  CHECK(why("no json", {{"type", "Pay"}}).find("message") != std::string::npos);
}

}  // namespace tether::testing
