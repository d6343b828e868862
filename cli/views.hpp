// How records of the store look to people: words, colours and tables. Their JSON is the library's,
// see tether/view.hpp.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "printer.hpp"
#include "tether/command.hpp"
#include "tether/store.hpp"
#include "tether/waits_for.hpp"

namespace tether::cli {

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

/// ID, TYPE, STATE, ATTEMPTS, WHEN and the error, one row a command.
Table commandTable(const std::vector<Command>& commands, const view::WaitReasons& reasons,
                   Time now);
Table attemptTable(const std::vector<Attempt>& attempts, Time now);

}  // namespace tether::cli
