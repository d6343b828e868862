#include <map>

#include "conformance/transport_conformance.hpp"

namespace tether::conformance::transport_promise {
namespace {

using namespace std::string_literals;

std::string allBytes() {
  std::string bytes;
  for (int value = 0; value < 256; ++value) bytes += static_cast<char>(value);
  return bytes;
}

using Bodies = std::map<std::string, std::string>;

/// What is no text for everybody: control characters, and bytes that are no UTF-8.
const Bodies& bytes() {
  static const Bodies kBodies = {
      {"empty", ""},
      {"nul", "\0"s},
      {"nul inside", "a\0b"s},
      {"all bytes", allBytes()},
      {"no utf-8", "\xC3\x28\xFF\xFE"},
      {"surrogate", "\xED\xA0\x80"},
      {"no character", "\uFFFF"},
      {"long", std::string(64 * 1024, '\x01')},
  };
  return kBodies;
}

}  // namespace

void bodies(TransportBench& bench) {
  Bodies bodies = {
      {"blank", " \t\r\n"},
      {"utf-8", "\u00E9\u20AC\uFEFF\uFFFD\u007F\u0085"},
      {"markup", R"(<a href="x">&amp;</a>)"},
      {"json", R"({"a":[1,null,"\u0000"]})"},
      {"number", "007"},
      {"long text", std::string(64 * 1024, '"')},
  };
  if (bench.emoji()) bodies["emoji"] = "\U0001F680";
  if (!bench.features().textOnly) bodies.insert(bytes().begin(), bytes().end());
  std::vector<OutgoingMessage> messages;
  for (const auto& [name, body] : bodies) {
    messages.push_back(message(name));
    messages.back().body = body;
  }
  bench.sendAll(messages);

  std::map<std::string, std::string> got;
  for (auto batch = bench.receive(10); !batch.empty(); batch = bench.receive(10)) {
    for (const Delivery& delivery : batch) {
      got[delivery.id] = delivery.body;
      CHECK(bench.queue().ack(delivery.receipt));
    }
  }
  REQUIRE(got.size() == bodies.size());
  for (const auto& [name, body] : bodies) CHECK_MESSAGE(got[name] == body, name);
}

void bodiesRefused(TransportBench& bench) {
  if (!promised(bench.features().textOnly)) return;
  for (const auto& [name, body] : bytes()) {
    CAPTURE(name);
    std::vector<OutgoingMessage> one = {message("m")};
    one[0].body = body;
    const auto result = bench.queue().send(one).at(0);
    CHECK(result.kind == SendResult::Kind::Permanent);
    CHECK_FALSE(result.error.empty());
  }
  CHECK(bench.quiet());
}

void bodyMax(TransportBench& bench) {
  const std::size_t largest = bench.features().bodyBytesMax;
  REQUIRE(largest > 0);
  std::vector<OutgoingMessage> one = {message("m")};
  one[0].body.assign(largest + 1, 'x');
  CHECK(bench.queue().send(one).at(0).kind == SendResult::Kind::Permanent);
  CHECK(bench.quiet());
  one[0].body.pop_back();
  CHECK(bench.queue().send(one).at(0).kind == SendResult::Kind::Sent);
  const Delivery got = bench.receiveOne();
  CHECK(got.body.size() == largest);
  CHECK((got.body == one[0].body));  // parentheses: a failure does not print it
}

void strangeNames(TransportBench& bench) {
  const std::string quotes = "a'b\"c`d\\e%00;--";
  const std::string wide = "\u00E9 \U0001F680";
  bench.sendAll({{.id = quotes, .body = "1", .key = wide}});
  const Delivery first = bench.receiveOne();
  CHECK(first.id == quotes);
  CHECK(first.key == wide);
  CHECK(bench.queue().ack(first.receipt));

  bench.sendAll({{.id = wide, .body = "2", .key = quotes}});
  const Delivery second = bench.receiveOne();
  CHECK(second.id == wide);
  CHECK(second.key == quotes);
}

void receives(TransportBench& bench) {
  bench.send("m");
  const Delivery first = bench.receiveOne();
  CHECK(first.receives == 1);
  CHECK(bench.queue().nack(first.receipt, Duration{0}));
  const Delivery second = bench.receiveOne();
  CHECK(second.receives == 2);
  bench.pass(kLease);
  const Delivery third = bench.receiveOne();
  CHECK(third.receives == 3);
  CHECK(bench.queue().extend(third.receipt, kLease));
  CHECK(bench.queue().nack(third.receipt, kLease));
  bench.pass(kLease);
  CHECK(bench.receiveOne().receives == 4);
}

}  // namespace tether::conformance::transport_promise
