// An engine on a manual clock and a store in a temporary folder, with commands scripted by lambdas.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "conformance/temp_folder.hpp"
#include "tether/engine.hpp"

namespace tether::testing {

class ScriptedCommand final : public TransactionCommand {
 public:
  using Execute = std::function<void(CommandContext&)>;
  using Prepare = std::function<void(PrepareContext&)>;
  explicit ScriptedCommand(Execute execute, Prepare prepare = nullptr)
      : execute_(std::move(execute)), prepare_(std::move(prepare)) {}

  void prepare(PrepareContext& context) override {
    if (prepare_) prepare_(context);
  }
  void execute(CommandContext& context) override {
    if (execute_) execute_(context);
  }

 private:
  Execute execute_;
  Prepare prepare_;
};

struct FlowBench {
  explicit FlowBench(std::function<void(EngineOptions&)> change = nullptr) { open(change); }

  void open(const std::function<void(EngineOptions&)>& change = nullptr) {
    engine.reset();
    EngineOptions options;
    options.store = folder.file("flow.db");
    options.clock = &clock;
    options.random = &random;
    options.retry.jitter = RetryPolicy::Jitter::None;
    options.migrations = {{"001_effects", "CREATE TABLE effects (id TEXT, what TEXT)"}};
    if (change) change(options);
    engine = std::make_unique<Engine>(std::move(options));
  }

  void handle(const std::string& type, ScriptedCommand::Execute execute,
              CommandSettings settings = {}) {
    engine->commands().add(
        type, [execute] { return std::make_unique<ScriptedCommand>(execute); }, false,
        std::move(settings));
  }
  void handlePrepared(const std::string& type, ScriptedCommand::Prepare prepare,
                      ScriptedCommand::Execute execute = nullptr, CommandSettings settings = {}) {
    engine->commands().add(
        type, [=] { return std::make_unique<ScriptedCommand>(execute, prepare); }, true,
        std::move(settings));
  }

  std::string submit(const std::string& type, nlohmann::json payload = nlohmann::json::object(),
                     const std::string& key = {}) {
    CommandRequest request;
    request.type = type;
    request.payload = std::move(payload);
    if (!key.empty()) request.key = key;
    return engine->api().submit(std::move(request)).correlationId;
  }

  void settle() {
    while (engine->turn()) {
    }
  }
  void advance(Duration by) {
    clock.advance(by);
    settle();
  }

  Flow flow(const std::string& id) { return engine->api().status(id).value(); }
  Command command(const std::string& id) { return flow(id).commands.at(0); }
  CommandState state(const std::string& id) { return command(id).state; }

  nlohmann::json sql(const std::string& text) {
    nlohmann::json rows;
    engine->store().read([&](Snapshot& snapshot) { rows = snapshot.sql().query(text); });
    return rows;
  }
  std::vector<Attempt> attempts(const std::string& id) {
    std::vector<Attempt> attempts;
    engine->store().read(
        [&](Snapshot& snapshot) { attempts = snapshot.attempts(snapshot.command(id).value()); });
    return attempts;
  }
  std::vector<DeadLetter> deadLetters(std::size_t limit = 50) {
    std::vector<DeadLetter> letters;
    Filter filter;
    filter.limit = limit;
    engine->store().read([&](Snapshot& snapshot) { letters = snapshot.deadLetters(filter); });
    return letters;
  }

  conformance::TempFolder folder;
  ManualClock clock;
  SeededRandom random{1};
  std::unique_ptr<Engine> engine;
};

/// An execute that leaves one row and one event.
inline ScriptedCommand::Execute effect(const std::string& what, const std::string& event = {}) {
  return [=](CommandContext& context) {
    context.sql().run("INSERT INTO effects VALUES (:id, :what)",
                      {{"id", context.command().id}, {"what", what}});
    if (!event.empty()) context.events().add(event, {{"of", what}});
  };
}

}  // namespace tether::testing
