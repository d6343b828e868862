// How records of the store look to the outside: the JSON that --json prints, and the words and
// colours for people. Fields that say nothing (no error, not ended) are left out.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "printer.hpp"
#include "tether/command.hpp"
#include "tether/event.hpp"
#include "tether/store.hpp"

namespace tether::cli {

struct Obstacles;

enum class Detail { Plain, WithPayload };

nlohmann::json toJson(const Command& command, Detail detail = Detail::Plain);
nlohmann::json toJson(const Attempt& attempt);
nlohmann::json toJson(const Event& event, Detail detail = Detail::Plain);
nlohmann::json toJson(const Flow& flow);
nlohmann::json toJson(const Receipt& receipt);
nlohmann::json toJson(const Failure& failure);

/// JSON text of the store as a value; as a string when it is no JSON that parseJson takes.
nlohmann::json payloadOf(const std::string& text);

Style styleOf(CommandState state);
Cell cellOf(CommandState state);
/// "out_of_stock: no A-1 left"; empty when there is none.
std::string errorText(const Failure& failure);
/// For one line of many: cut where it is long.
std::string shortErrorText(const Failure& failure);

/// "open", or a resolved flow's outcome.
Cell outcomeOf(const Flow& flow);

/// From the first acceptance to the last thing that happened; nothing for an empty flow.
std::optional<Duration> tookBy(const Flow& flow);

/// Why an open command does not run this moment: "due in 5 s", "queue commands is paused", "waits
/// for a listener".
std::string waitReason(const Command& command, const Obstacles& obstacles, Time now);

/// ID, TYPE, STATE, ATTEMPTS, WHEN and the error, one row a command.
Table commandTable(const std::vector<Command>& commands, const Obstacles& obstacles, Time now);
Table attemptTable(const std::vector<Attempt>& attempts, Time now);

}  // namespace tether::cli
