// A test of this program: a scenario with its real command in C++ and a gateway that answers as
// told.
//
//   orders_scenarios FOLDER     FOLDER holds the *.json files.
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <tether/scenario.hpp>

#include "../charge_card.hpp"

namespace {

class TestGateway final : public PaymentGateway {
 public:
  std::string charge(const std::string& reference, std::int64_t /*cents*/) override {
    if (++calls_ == 1) throw std::runtime_error("the gateway does not answer");
    return "approved-" + reference.substr(0, 8);
  }

 private:
  int calls_ = 0;
};

void addCommands(tether::Engine& engine) {
  static const auto kGateway = std::make_shared<TestGateway>();  // it lives on when we restart
  engine.commands().add<ChargeCard>("ChargeCard", std::shared_ptr<PaymentGateway>(kGateway));
  engine.events().on("ShipmentReserved", "ChargeCard");
}

}  // namespace

int main(int argc, char** argv) try {
  bool passed = argc > 1;
  for (const auto& file : std::filesystem::directory_iterator(argc > 1 ? argv[1] : ".")) {
    if (file.path().extension() != ".json") continue;
    for (const auto& result : tether::scenario::run(file.path(), {.install = addCommands})) {
      std::cout << (result.passed() ? "ok   " : "FAIL ") << result.name << '\n' << result.report;
      passed = passed && result.passed();
    }
  }
  return passed ? 0 : 1;
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 2;
}
