// One command, from submit to succeeded, over a store in memory.
#include <iostream>
#include <tether/engine.hpp>

class CreateOrder : public tether::TransactionCommand {
 public:
  void execute(tether::CommandContext& ctx) override {
    ctx.sql().run("INSERT INTO orders(id, customer) VALUES (:id, :customer)", ctx.payload());
    ctx.events().add("OrderCreated", {{"id", ctx.payload().at("id")}});
  }
};

int main() try {
  tether::EngineOptions options{.store = ":memory:"};
  options.migrations = {{"001_orders", "CREATE TABLE orders(id TEXT PRIMARY KEY, customer TEXT)"}};
  tether::Engine engine(options);
  engine.commands().add<CreateOrder>("CreateOrder");

  const auto receipt =
      engine.api().submit({.type = "CreateOrder", .payload = {{"id", "o-1"}, {"customer", "c-7"}}});
  engine.runUntilIdle();

  const auto flow = engine.api().status(receipt.correlationId);
  for (const auto& command : flow->commands) {
    std::cout << command.type << ' ' << tether::toString(command.state) << '\n';
  }
  for (const auto& event : flow->events) std::cout << event.type << ' ' << event.data << '\n';
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
