// What C++ submits and emits is what Tether itself can read again.
#include <cmath>
#include <limits>

#include "tether/error.hpp"
#include "tether/flow_tree.hpp"
#include "unit/flow_bench.hpp"

namespace tether::testing {
namespace {

using nlohmann::json;

std::string refusal(FlowBench& bench, CommandRequest request) {
  request.type = "Pay";
  try {
    bench.engine->api().submit(std::move(request));
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

json nested(int levels) {
  json value = 1;
  for (int i = 0; i < levels; ++i) value = json::array({std::move(value)});
  return value;
}

}  // namespace

TEST_CASE("a payload that no text could bring is refused before its receipt, with its place") {
  FlowBench bench;
  bench.handle("Pay", nullptr);
  CHECK(refusal(bench, {.payload = {{"v", std::numeric_limits<std::uint64_t>::max()}}}) ==
        "payload: integer beyond 64 bits with a sign at \"/v\"; send it as a string");
  CHECK(refusal(bench, {.payload = {{"v", std::nan("")}}}).ends_with("at \"/v\""));
  CHECK(refusal(bench, {.payload = {{"v", std::string("a\0b", 3)}}}).ends_with("at \"/v\""));
  CHECK(refusal(bench, {.payload = {{"v", json::binary({1})}}}).find("binary") !=
        std::string::npos);
  CommandRequest deep;
  deep.payload["v"] = nested(100'000);  // a copy would recurse
  CHECK(refusal(bench, std::move(deep)).starts_with("payload: more than 64 levels at \"/v/0"));
  CHECK(refusal(bench, {.payload = {{"v", std::string(1 << 20, 'x')}}}) ==
        "payload: 1048584 bytes, but at most 1048576 are taken");
  CHECK(refusal(bench, {.payload = {"id", "o-1"}}) ==
        "payload: must be an object, such as {\"id\":\"o-1\"}, not array");
  bench.engine->store().read([](Snapshot& snapshot) { CHECK(snapshot.lastSeq() == 0); });
}

TEST_CASE("a time that no text can say is refused before its receipt") {
  FlowBench bench;
  bench.handle("Pay", nullptr);
  for (const auto time :
       {Time::max(), Time::min(), parseTime("9999-12-31T23:59:59Z") + std::chrono::seconds{1}}) {
    CHECK(refusal(bench, {.key = "k", .notBefore = time}) ==
          "notBefore is outside the years 0000 to 9999");
  }
  CHECK(refusal(bench, {.notBefore = parseTime("9999-12-31T23:59:59Z")}) == "accepted");
  CHECK(refusal(bench, {.notBefore = parseTime("0000-01-01T00:00:00Z")}) == "accepted");
  bench.settle();
  CHECK(bench.engine->store().verify().empty());
}

TEST_CASE("what a command says that no text could is its failure") {
  FlowBench bench;
  bench.handle("Pay", [](CommandContext& context) {
    context.events().add("Paid", {{"v", std::numeric_limits<std::uint64_t>::max()}});
  });
  bench.handle("Ask", [](CommandContext& context) {
    context.submit({.type = "Pay", .payload = {{"v", std::nan("")}}});
  });
  const auto failureOf = [&](const std::string& id) {
    bench.settle();
    return bench.engine->api().status(id)->commands.front().error.message;
  };
  CHECK(failureOf(bench.submit("Pay")) ==
        "data of event Paid: integer beyond 64 bits with a sign at \"/v\"; send it as a string");
  CHECK(failureOf(bench.submit("Ask")) == "payload: number that is not finite at \"/v\"");
}

TEST_CASE("a value that is only short until it is printed is refused before its receipt") {
  FlowBench bench;
  std::string said;
  bench.handle("Pay", [&](CommandContext& context) {
    try {
      context.events().add("Paid", {{"v", json(262'000, 1e14)}});
    } catch (const Error& error) {
      said = error.what();
    }
  });
  CHECK(refusal(bench, {.payload = {{"v", json(262'000, 1e14)}}}) ==
        "payload: 4716007 bytes in canonical form, but at most 4194304 are taken");
  CHECK(refusal(bench, {}) == "accepted");
  bench.settle();
  CHECK(said ==
        "data of event Paid: 4716007 bytes in canonical form, but at most 4194304 are taken");
}

TEST_CASE("a payload at the limits comes back from a queue") {
  FlowBench bench([](EngineOptions& options) {
    options.queues = {{"commands", "local"}, {"events", "local"}, {"inbox", "local"}};
    options.listen = {"commands", "inbox"};
  });
  std::size_t paid = 0;
  bench.handle("Pay", [&](CommandContext&) { ++paid; });
  std::string wide;
  for (int i = 0; i < 500'000; ++i) wide += "\u00fc";  // three times as long in canonical form
  const json envelope = {{"specversion", "1.0"},
                         {"id", "m"},
                         {"source", "/o"},
                         {"type", "Pay"},
                         {"data", {{"deep", nested(63)}, {"wide", wide}}}};
  bench.engine->store().commit(Durability::Durable, [&](Unit& unit) {
    OutgoingMessage message;
    message.body = envelope.dump(-1, ' ', true);
    unit.send("inbox", message, bench.clock.now());
  });
  bench.settle();
  CHECK(paid == 1);
}

TEST_CASE("a chain of any length is a tree of bounded depth, of which nothing is lost") {
  constexpr std::size_t kLength = 20'000;
  Flow flow;
  for (std::size_t i = 0; i < kLength; ++i) {
    Command command;
    command.seq = static_cast<std::int64_t>(i + 1);
    command.id = "c" + std::to_string(i);
    if (i > 0) command.causationId = "c" + std::to_string(i - 1);
    flow.commands.push_back(std::move(command));
  }
  const auto tree = FlowTree::of(flow);
  CHECK(tree.roots.size() == kLength / FlowTree::kLevelsMax);
  std::size_t nodes = 0;
  for (const auto root : tree.roots) {
    CHECK(tree.nodes[root].cause.has_value() == (root != 0));
    std::size_t depth = 1;
    for (auto at = root; !tree.nodes[at].children.empty(); at = tree.nodes[at].children.front()) {
      ++depth;
    }
    CHECK(depth <= FlowTree::kLevelsMax);
    nodes += depth;
  }
  CHECK(nodes == kLength);
}

}  // namespace tether::testing
