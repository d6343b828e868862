#include "catalog/catalog_file.hpp"

#include <doctest/doctest.h>

#include <chrono>

#include "unit/thrown.hpp"

namespace tether {
namespace {

using namespace std::chrono_literals;

CatalogFile parse(const std::string& text) {
  return parseCatalogFile(SourceText("tether.json", text));
}

std::string problemOf(const std::string& text) {
  return thrown([&] { parse(text); });
}

}  // namespace

TEST_CASE("an empty catalog has every default") {
  const CatalogFile file = parse("{}");
  CHECK(file.options.store == "tether.db");
  CHECK(file.options.listen == std::vector<std::string>{"commands"});
  CHECK(file.options.queues.at("events") == "local");
  CHECK(file.options.retry == RetryPolicy{});
  CHECK(file.options.breaker == Breaker{});
  CHECK(file.options.idempotency == Duration{0});
  CHECK(file.options.dedupWindow == Duration{0});
  CHECK(file.commands.empty());
}

TEST_CASE("every key of a catalog is read") {
  const CatalogFile file = parse(R"({
    // comments are allowed
    "store": "orders.db", "source": "orders", "migrations": "migrations/",
    "queues": { "events": "sqs://orders-events?region=eu-west-1", "partner-events": "memory" },
    "listen": ["commands", "partner-events"], "volatile": false, "checkpoint": "external",
    "defaults": { "timeout": "1m", "hold": "2s", "retention": "7d", "workers": 2, "prefetch": 16,
                  "idempotency": "30d", "breaker": { "failures": 5, "probe": "1m" },
                  "retry": { "maxAttempts": 3, "backoff": "fixed", "initial": "200ms", "max": "1s",
                             "multiplier": 1.5, "jitter": "none", "retryFor": "1h",
                             "onExhausted": "reject",
                             "errors": { "net_*": { "jitter": "equal" } } } },
    "commands": {
      "CreateOrder": { "sql": "create.sql", "schema": "create.json", "key": "/customer",
                       "timeout": "10s", "hold": "1s", "retry": { "maxAttempts": 1 },
                       "breaker": { "failures": 2 }, "onDead": "block" },
      "ChargeCard": { "handler": "host" }
    },
    "on": { "OrderCreated": ["ChargeCard"], "OrderPaid": "CreateOrder" } /* the end */
  })");
  const EngineOptions& options = file.options;
  CHECK(options.store == "orders.db");
  CHECK(options.source == "orders");
  CHECK(file.migrations == "migrations/");
  CHECK(options.queues.at("commands") == "local");
  CHECK(options.queues.at("events") == "sqs://orders-events?region=eu-west-1");
  CHECK(options.listen == std::vector<std::string>{"commands", "partner-events"});
  CHECK(options.timeout == 1min);
  CHECK(options.hold == 2s);
  CHECK(options.retention == 168h);
  CHECK(options.workers == 2);
  CHECK(options.checkpoints == Checkpoints::External);
  CHECK(options.prefetch == 16);
  CHECK(options.idempotency == 720h);
  CHECK(options.breaker == Breaker{5, 1min});
  RetryPolicy retry{.maxAttempts = 3,
                    .backoff = RetryPolicy::Backoff::Fixed,
                    .initial = 200ms,
                    .max = 1s,
                    .jitter = RetryPolicy::Jitter::None,
                    .multiplier = 1.5,
                    .retryFor = 1h,
                    .onExhausted = RetryPolicy::OnExhausted::Reject};
  auto net = retry;
  net.jitter = RetryPolicy::Jitter::Equal;
  retry.errors["net_*"] = net;
  CHECK(options.retry == retry);

  REQUIRE(file.commands.size() == 2);
  const auto& charge = file.commands[0];
  CHECK(charge.type == "ChargeCard");
  CHECK_FALSE(charge.sql);
  CHECK_FALSE(charge.retry);
  CHECK_FALSE(charge.breaker);
  CHECK_FALSE(charge.blocksKeyWhenDead);
  const auto& create = file.commands[1];
  CHECK(create.sql == "create.sql");
  CHECK(create.schema == "create.json");
  CHECK(create.key == "/customer");
  CHECK(create.timeout == Duration(10s));
  CHECK(create.hold == Duration(1s));
  CHECK(create.breaker == Breaker{2, 1min});
  CHECK(create.blocksKeyWhenDead);
  CHECK(file.reactions.at("OrderCreated") == std::vector<std::string>{"ChargeCard"});
  CHECK(file.reactions.at("OrderPaid") == std::vector<std::string>{"CreateOrder"});
}

TEST_CASE("the retry policy of a command completes the catalog's") {
  const CatalogFile file = parse(R"({
    "defaults": { "retry": { "maxAttempts": 9, "initial": "3s" } },
    "commands": { "A": { "handler": "host", "retry": { "maxAttempts": 1 } } }
  })");
  CHECK(file.commands[0].retry->maxAttempts == 1);
  CHECK(file.commands[0].retry->initial == 3s);
}

TEST_CASE("a class of errors has what it does not say from the policy around it") {
  const CatalogFile file = parse(R"({
    "defaults": { "retry": { "maxAttempts": 9, "retryFor": "1h", "errors": {
      "declined": { "maxAttempts": 1, "onExhausted": "reject" }, "net_*": { "max": "10m" } } } },
    "commands": {
      "A": { "handler": "host", "retry": { "initial": "3s", "maxAttempts": 4, "errors": {
        "net_*": { "maxAttempts": 20, "retryFor": "0s" }, "disk": { "backoff": "none" } } } },
      "B": { "handler": "host" }
    }
  })");
  const auto& defaults = file.options.retry;
  CHECK(defaults.classFor("declined").maxAttempts == 1);
  CHECK(defaults.classFor("declined").retryFor == 1h);
  CHECK(defaults.classFor("net_x").maxAttempts == 9);
  CHECK(defaults.classFor("net_x").max == 10min);

  const auto& own = *file.commands[0].retry;
  CHECK(own.errors.size() == 3);
  CHECK(own.classFor("other").maxAttempts == 4);
  CHECK(own.classFor("declined").maxAttempts == 1);  // the class of the defaults says so
  CHECK(own.classFor("declined").initial == 3s);     // it does not; the command does
  CHECK(own.classFor("declined").onExhausted == RetryPolicy::OnExhausted::Reject);
  CHECK(own.classFor("net_x").maxAttempts == 20);
  CHECK(own.classFor("net_x").max == 10min);
  CHECK(own.classFor("net_x").retryFor == 0s);  // no limit here
  CHECK(own.classFor("disk").backoff == RetryPolicy::Backoff::None);
  CHECK(own.classFor("disk").retryFor == 1h);
  CHECK(file.commands[0].ownErrors == std::vector<std::string>{"disk", "net_*"});
  CHECK_FALSE(file.commands[1].retry);
}

TEST_CASE("a command can do without the catalog's breaker, and skip what died") {
  const CatalogFile file = parse(R"({
    "defaults": { "breaker": { "failures": 9 } },
    "commands": { "A": { "handler": "host", "breaker": { "failures": 0 }, "onDead": "skip" } }
  })");
  CHECK(file.options.breaker == Breaker{9, 30s});
  CHECK(file.commands[0].breaker == Breaker{0, 30s});
  CHECK_FALSE(file.commands[0].blocksKeyWhenDead);
}

TEST_CASE("a remote queue that is listened to may deliver again for as long as it keeps messages") {
  const auto windowOf = [](const char* text) { return parse(text).options.dedupWindow; };
  CHECK(windowOf(R"({"queues": {"commands": "sqs://orders"}})") == 336h);
  CHECK(windowOf(R"({"queues": {"in": "sqs://in"}, "listen": ["commands", "in"]})") == 336h);
  CHECK(windowOf(R"({"queues": {"events": "sqs://events"}})") == 0h);  // it only leaves by it
  CHECK(windowOf(R"({"queues": {"in": "memory"}, "listen": ["commands", "in"]})") == 0h);
}

TEST_CASE("commands in memory are allowed when the catalog says volatile") {
  const CatalogFile file = parse(R"({"volatile": true, "queues": {"commands": "memory"}})");
  CHECK(file.options.queues.at("commands") == "memory");
}

TEST_CASE("a wrong catalog is refused with its place and what to do") {
  struct Case {
    const char* text;
    const char* problem;
  };
  const Case cases[] = {
      {"{\n  \"stroe\": \"a.db\"\n}",
       "tether.json:2:3: unknown key \"stroe\", did you mean \"store\"?"},
      {"{\"commands\": {\"A\": {\n\t\"handler\": \"host\", \"scema\": \"x\"}}}",
       "tether.json:2:21: unknown key \"scema\" in /commands/A, did you mean \"schema\"?"},
      {"{\"zzzzzz\": 1}", "tether.json:1:2: unknown key \"zzzzzz\""},
      {"{\"defaults\": {\"retry\": {\"maxattempts\": 2}}}",
       "tether.json:1:25: unknown key \"maxattempts\" in /defaults/retry, did you mean "
       "\"maxAttempts\"?"},
      {"[]", "tether.json:1:1: must be an object, not an array"},
      {"{\n  \"store\": \"a\",\n}", "tether.json:3:1: "},
      {"{\n  \"store\": \"a\", \"store\": \"b\"}", "tether.json:2:17: duplicate key"},
      {"{\"store\": 5}", "tether.json:1:11: /store: must be a string, not a number"},
      {"{\"store\": \"\"}", "tether.json:1:11: /store: must not be empty"},
      {"{\"source\": \"my shop\"}", ": /source: must not have spaces"},
      {"{\"migrations\": \"a\\u0007\"}", ": /migrations: must not have control characters"},
      {"{\"volatile\": \"yes\", \"queues\": {}}",
       ": /volatile: must be true or false, not a string"},
      {"{\"queues\": {\"events\": \"localhost\"}}",
       "tether.json:1:23: /queues/events: must be \"local\", \"memory\" or an address like"},
      {"{\"queues\": {\"my queue\": \"local\"}}", "tether.json:1:13: "},
      {"{\"queues\": {\"commands\": \"memory\"}}",
       ": /queues/commands: \"memory\" forgets accepted commands when the process ends"},
      {"{\"listen\": []}", ": /listen: must not be empty"},
      {"{\"listen\": [\"commands\", \"comands\"]}",
       "tether.json:1:25: /listen/1: \"comands\" is not among \"queues\", did you mean "
       "\"commands\"?"},
      {"{\"listen\": [\"commands\", \"commands\"]}", ": /listen/1: \"commands\" is there twice"},
      {"{\"defaults\": {\"timeout\": 30}}",
       ": /defaults/timeout: must be a duration such as \"30s\", not a number"},
      {"{\"defaults\": {\"timeout\": \"30\"}}", ": /defaults/timeout: "},
      {"{\"defaults\": {\"hold\": \"0s\"}}", ": /defaults/hold: must be more than zero"},
      {"{\"defaults\": {\"idempotencey\": \"1d\"}}", "did you mean \"idempotency\"?"},
      {"{\"defaults\": {\"idempotency\": \"0s\"}}",
       ": /defaults/idempotency: must be more than zero"},
      {"{\"defaults\": {\"breaker\": 5}}", ": /defaults/breaker: must be an object, not a number"},
      {"{\"defaults\": {\"breaker\": {\"failure\": 5}}}",
       "unknown key \"failure\" in /defaults/breaker, did you mean \"failures\"?"},
      {"{\"defaults\": {\"breaker\": {\"failures\": -1}}}",
       ": /defaults/breaker/failures: must be a whole number from 0 to 1000000, not -1"},
      {"{\"defaults\": {\"breaker\": {\"probe\": \"0s\"}}}",
       ": /defaults/breaker/probe: must be more than zero"},
      {"{\"commands\": {\"A\": {\"handler\": \"host\", \"onDead\": \"stop\"}}}",
       ": /commands/A/onDead: must be \"skip\" or \"block\", not \"stop\""},
      {"{\"commands\": {\"A\": {\"handler\": \"host\", \"onDeath\": \"skip\"}}}",
       "did you mean \"onDead\"?"},
      {"{\"checkpoint\": \"never\"}", ": /checkpoint: "},
      {"{\"defaults\": {\"workers\": 0}}",
       ": /defaults/workers: must be a whole number from 1 to 256, not 0"},
      {"{\"defaults\": {\"workers\": 1.5}}", "from 1 to 256, not 1.5"},
      {"{\"defaults\": {\"prefetch\": \"9\"}}", ": /defaults/prefetch: must be a whole number"},
      {"{\"defaults\": {\"retry\": {\"maxAttempts\": 4294967297}}}", "not 4294967297"},
      {"{\"defaults\": {\"retry\": {\"backoff\": \"linear\"}}}",
       "must be \"none\", \"fixed\" or \"exponential\", not \"linear\""},
      {"{\"defaults\": {\"retry\": {\"jitter\": true}}}",
       "must be \"none\", \"full\" or \"equal\", not true"},
      {"{\"defaults\": {\"retry\": {\"multiplier\": 0.5}}}",
       "tether.json:1:39: /defaults/retry/multiplier: must be a number from 1 on, not 0.5"},
      {"{\"defaults\": {\"retry\": {\"multiplier\": \"2\"}}}",
       "must be a number from 1 on, not a string"},
      {"{\"defaults\": {\"retry\": {\"retryFor\": 60}}}",
       ": /defaults/retry/retryFor: must be a duration such as \"30s\", not a number"},
      {"{\"defaults\": {\"retry\": {\"onExhausted\": \"drop\"}}}",
       ": /defaults/retry/onExhausted: must be \"dead\" or \"reject\", not \"drop\""},
      {"{\"defaults\": {\"retry\": {\"onexhausted\": \"dead\"}}}",
       "unknown key \"onexhausted\" in /defaults/retry, did you mean \"onExhausted\"?"},
      {"{\"defaults\": {\"retry\": {\"errors\": [\"net_*\"]}}}",
       ": /defaults/retry/errors: must be an object, not an array"},
      {"{\"defaults\": {\"retry\": {\"errors\": {\"\": {}}}}}",
       "tether.json:1:36: a class of errors needs a code such as \"card_declined\" or \"net_*\", "
       "not \"\""},
      {"{\"defaults\": {\"retry\": {\"errors\": {\"x\": 3}}}}",
       "tether.json:1:41: /defaults/retry/errors/x: must be an object, not a number"},
      {"{\"defaults\": {\"retry\": {\"errors\": {\"x\": {\"maxAttempt\": 3}}}}}",
       "tether.json:1:42: unknown key \"maxAttempt\" in /defaults/retry/errors/x, did you mean "
       "\"maxAttempts\"?"},
      {"{\"defaults\": {\"retry\": {\"errors\": {\"x\": {\"errors\": {}}}}}}",
       "tether.json:1:42: a class of errors has no \"errors\" of its own"},
      {"{\"defaults\": {\"retry\": {\"errors\": {\"x\": {\"max\": \"500ms\"}}}}}",
       "tether.json:1:41: /defaults/retry/errors/x: the first delay for \"x\" (initial 1s) is "
       "longer than max 500ms"},
      {"{\"defaults\": {\"retry\": {\"errors\": {\"x\": {\"max\": \"2s\"}}}},\n"
       "\"commands\": {\"A\": {\"handler\": \"host\", \"retry\": {\"initial\": \"1m\"}}}}",
       "tether.json:2:48: /commands/A/retry: the first delay for \"x\" (initial 1m) is longer than "
       "max 2s"},
      {"{\"defaults\": {\"retry\": {\"initial\": \"10m\"}}}",
       ": /defaults/retry: the first delay (initial 10m) is longer than max 5m"},
      {"{\"commands\": {\"a b\": {\"handler\": \"host\"}}}", "tether.json:1:15: "},
      {"{\"commands\": {\"A\": {}}}",
       "tether.json:1:20: /commands/A: needs either \"sql\" (a script) or \"handler\": \"host\""},
      {"{\"commands\": {\"A\": {\"sql\": \"a\", \"handler\": \"host\"}}}", ", not both"},
      {"{\"commands\": {\"A\": {\"handler\": \"hosts\"}}}", "must be \"host\", not \"hosts\""},
      {"{\"commands\": {\"A\": {\"sql\": \"a\", \"key\": \"customer\"}}}",
       ": /commands/A/key: must be a JSON pointer like \"/customer\", not \"customer\""},
      {"{\"commands\": [\"A\"]}", ": /commands: must be an object, not an array"},
      {"{\"commands\": {\"CreateOrder\": {\"handler\": \"host\"}}, \"on\": {\"E\": "
       "\"CreateOder\"}}",
       ": /on/E: command \"CreateOder\" is not among \"commands\", did you mean \"CreateOrder\"?"},
      {"{\"commands\": {\"A\": {\"handler\": \"host\"}}, \"on\": {\"E\": [\"A\", \"A\"]}}",
       ": /on/E/1: \"A\" is there twice"},
      {"{\"on\": {\"E\": []}}", ": /on/E: must not be empty"},
      {"{\"on\": {\"E\": 5}}", ": /on/E: must be a string, not a number"},
  };
  for (const Case& one : cases) {
    CAPTURE(std::string(one.text));
    const std::string problem = problemOf(one.text);
    CAPTURE(problem);
    CHECK(problem.find(one.problem) != std::string::npos);
    CHECK(problem.starts_with("invalid: tether.json:"));
  }
}

TEST_CASE("a place is found behind comments, strings with brackets and escaped names") {
  const std::string text =
      "// { \"a\": 1 }\n"
      "{ \"x\": [1, \"]}\\\"\", {\"y\": -1.5e3}], /* \"a\": 2 */\n"
      "  \"\\u0061\" : [ [], {} , true, \n"
      "      5 ] }";
  const SourceText source("f", text);
  struct Case {
    const char* pointer;
    const char* place;
  };
  for (const Case& one :
       {Case{"/x/2/y", "f:2:26: "}, Case{"/a/3", "f:4:7: "}, Case{"/a/1", "f:3:20: "},
        Case{"/a/9", "f:3:14: "}, Case{"", "f:2:1: "}}) {
    CAPTURE(std::string(one.pointer));
    const std::string problem =
        thrown([&] { source.fail(nlohmann::json::json_pointer(one.pointer), "wrong"); });
    CAPTURE(problem);
    CHECK(problem.starts_with(std::string("invalid: ") + one.place));
  }
}

}  // namespace tether
