// The catalog of this folder, embedded: the SQL commands of tether.json and one command in C++ that
// needs something from outside, a payment gateway. Every order that has its shipment is charged.
//
//   orders [FOLDER]     FOLDER holds tether.json (default: the working folder). Uses a store in
//                       memory, so it can be run again and again.
#include <exception>
#include <iostream>
#include <memory>
#include <string>
#include <tether/catalog.hpp>
#include <tether/engine.hpp>
#include <vector>

#include "charge_card.hpp"

namespace {

class DemoGateway final : public PaymentGateway {
 public:
  std::string charge(const std::string& reference, std::int64_t cents) override {
    return "approved-" + std::to_string(cents) + "-" + reference.substr(0, 8);
  }
};

int run(const std::string& folder) {
  const auto catalog = tether::Catalog::load(folder + "/tether.json");
  auto options = catalog.options();
  options.store = ":memory:";
  tether::Engine engine(options);
  catalog.install(engine);
  engine.commands().add<ChargeCard>("ChargeCard", std::make_shared<DemoGateway>());
  engine.events().on("ShipmentReserved", "ChargeCard");

  std::vector<tether::Receipt> receipts;
  for (const auto* sku : {"tea", "coffee", "gold"}) {
    const auto id = "o-" + std::to_string(receipts.size() + 1);
    receipts.push_back(engine.api().submit(
        {.type = "CreateOrder",
         .payload = {{"id", id}, {"customer", "ada"}, {"sku", sku}, {"quantity", 2}}}));
  }
  engine.runUntilIdle();

  for (const auto& receipt : receipts) {
    const auto flow = engine.api().status(receipt.correlationId);
    std::cout << receipt.correlationId << ": " << tether::toString(flow->outcome()) << '\n';
    for (const auto& command : flow->commands) {
      std::cout << "  " << command.type << ' ' << tether::toString(command.state);
      if (!command.error.code.empty()) std::cout << " (" << command.error.message << ')';
      std::cout << '\n';
    }
  }
  engine.store().read([](tether::Snapshot& snapshot) {
    for (const auto& row : snapshot.sql().query("SELECT order_id, cents FROM payments")) {
      std::cout << "payment " << row.dump() << '\n';
    }
  });
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc > 1 ? argv[1] : ".");
  } catch (const std::exception& error) {
    std::cerr << "orders: " << error.what() << '\n';
    return 1;
  }
}
