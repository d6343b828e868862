// Records of the store as JSON, with all their members, so that a scenario can name any of them:
// those of tether/view.hpp, so that what --json prints can be expected as it is, and beside them
// the names that older scenarios know (the id of a receipt, left of an event).
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "scenario/shape.hpp"
#include "tether/command.hpp"
#include "tether/dead_letter.hpp"
#include "tether/dead_letters.hpp"
#include "tether/event.hpp"
#include "tether/store.hpp"
#include "tether/transport.hpp"
#include "tether/waits_for.hpp"

namespace tether::scenario {

nlohmann::json recordOf(const Receipt& receipt);
/// With what an open one waits for.
nlohmann::json recordOf(const Command& command, const std::vector<view::WaitReason>& reasons);
nlohmann::json recordOf(const Attempt& attempt);
nlohmann::json recordOf(const Event& event);
nlohmann::json recordOf(const DeadLetter& letter);
nlohmann::json recordOf(const Change& change);
/// And what its envelope says, if it is one.
nlohmann::json recordOf(const Delivery& delivery);
nlohmann::json recordOf(const DeadLetterGroup& group);
nlohmann::json recordOf(const AuditEntry& entry);
nlohmann::json recordOf(const Pause& pause);
nlohmann::json recordOf(const BlockedKey& key);
nlohmann::json recordOf(const TryReport& report);
nlohmann::json recordOf(const PlanRun::Item& item);

/// What each of them can look like in an expectation, or a brief text in its place.
Shape receiptShape();
Shape commandShape();
Shape attemptShape();
Shape eventShape();
Shape letterShape();
Shape groupShape();
Shape blockedKeyShape();
Shape pauseShape();
Shape historyShape();
Shape tryShape();
Shape itemShape();
Shape changeShape();
Shape deliveryShape();
/// The code and message of a failure.
Shape errorShape();
/// The state of a command, the outcome of a flow.
Shape stateShape();
Shape flowShape();
/// The state of a dead letter.
Shape letterStateShape();

/// A failure on a line: "rejected: out_of_stock: no tea left", or only the state.
std::string stateLine(const Command& command);

/// The tree of a flow, a line for each command and event.
std::vector<std::string> treeLines(const Flow& flow, bool withIds);

}  // namespace tether::scenario
