// An engine and a process that is forked off after it was made: a daemon is one.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tether/engine.hpp"
#include "unit/store_folder.hpp"

namespace tether {
namespace {

class Nothing : public TransactionCommand {
 public:
  void execute(CommandContext& /*context*/) override {}
};

}  // namespace

TEST_CASE("in a child of its process an engine refuses every call and goes away at once") {
  const StoreFolder folder;
  EngineOptions options;
  options.store = folder.path();
  auto engine = std::make_unique<Engine>(options);
  engine->commands().add<Nothing>("Nothing");
  auto& api = engine->api();
  bool started = false;
  SUBCASE("a started one") { started = true; }
  SUBCASE("one that was only made") {}
  if (started) engine->start();
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::alarm(60);  // it hung
    const auto refused = [](auto&& act) {
      return thrown(act).find("made before a fork") != std::string::npos;
    };
    const bool all =
        refused([&] { api.submit({.type = "Nothing", .payload = nlohmann::json::object()}); }) &&
        refused([&] { engine->api(); }) && refused([&] { engine->store(); }) &&
        refused([&] { engine->start(); }) && refused([&] { engine->turn(); }) &&
        refused([&] { engine->stop(Duration{0}); }) &&
        refused([&] { const Engine another(options); });
    engine.reset();
    ::_exit(all ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  const auto receipt = api.submit({.type = "Nothing", .payload = nlohmann::json::object()});
  if (!started) engine->runUntilIdle();
  CHECK(api.wait(receipt.correlationId, std::chrono::minutes{1}).resolved());
}

}  // namespace tether
