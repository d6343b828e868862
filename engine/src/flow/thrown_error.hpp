// What an exception says that was kept.
#pragma once

#include <exception>
#include <optional>
#include <string>

#include "tether/error.hpp"

namespace tether::flow {

std::string messageOf(const std::exception_ptr& error);
std::optional<ErrorCode> codeOf(const std::exception_ptr& error);
/// What the store refuses for a reason that is not in what it was given.
bool mayPass(const std::exception_ptr& error);

}  // namespace tether::flow
