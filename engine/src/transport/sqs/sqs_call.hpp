// One call of SQS under way, through all its tries.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "tether/error.hpp"
#include "transport/sqs/sqs_error.hpp"

namespace tether::sqs {

/// Of the last try.
struct CallFailure {
  ErrorCode code = ErrorCode::Unavailable;
  Remedy remedy = Remedy::TryAgain;
  std::string message{};
};

struct Call {
  std::string action;
  nlohmann::json body;
  Duration timeout{};
  /// Takes the answer. False: the body now holds what is left to do.
  std::function<bool(nlohmann::json& body, nlohmann::json answer)> take;
  std::optional<CallFailure> failure;
  bool askedForNewKeys = false;
};

}  // namespace tether::sqs
