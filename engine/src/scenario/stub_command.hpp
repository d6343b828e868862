// Commands scripted by data, so that a scenario runs without the real ones. They run through the
// real manager, transaction and relay.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "catalog/config_value.hpp"
#include "tether/transaction_command.hpp"

namespace tether::scenario {

class World;

/// What one attempt does.
struct StubAnswer {
  struct Emission {
    std::string type;
    nlohmann::json data;  // {"$payload": "/pointer"} stands for a part of the payload
    std::optional<std::string> key;
  };
  enum class End { Ok, Reject, Fail, Hang, Crash };
  std::vector<Emission> emits;
  End end = End::Ok;
  std::string code;
  std::string message;
  std::optional<Duration> retryAfter{};  // of Fail
};

/// One answer for each attempt of a command; the last one stands for all that follow.
using StubAnswers = std::vector<StubAnswer>;

struct Stub {
  StubAnswers answers;                      // "ok" when only some ids have their own
  std::map<std::string, StubAnswers> byId;  // for these commands, instead
};

Stub parseStub(const ConfigValue& value);
nlohmann::json stubSchema();

/// Hang is in prepare(), so such a command prepares.
bool hangs(const Stub& stub);

class StubCommand final : public TransactionCommand {
 public:
  StubCommand(std::shared_ptr<const Stub> stub, World& world)
      : stub_(std::move(stub)), world_(world) {}
  void prepare(PrepareContext& context) override;
  void execute(CommandContext& context) override;

 private:
  const StubAnswer& answer(const AttemptContext& context) const;

  std::shared_ptr<const Stub> stub_;
  World& world_;
};

}  // namespace tether::scenario
