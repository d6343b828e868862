// How a setting or an address that cannot be used is refused.
#pragma once

#include <string>

#include "tether/error.hpp"

namespace tether::sqs {

[[noreturn]] inline void refuse(const std::string& problem) {
  throw Error(ErrorCode::Invalid, problem);
}

}  // namespace tether::sqs
