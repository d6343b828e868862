#include "flow/thrown_error.hpp"

namespace tether::flow {

std::string messageOf(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& exception) {
    return exception.what();
  } catch (...) {
    return "something that is no std::exception";
  }
}

std::optional<ErrorCode> codeOf(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const Error& known) {
    return known.code();
  } catch (...) {
    return {};
  }
}

bool mayPass(const std::exception_ptr& error) {
  const auto code = codeOf(error);
  return code == ErrorCode::Unavailable || code == ErrorCode::Corrupt;
}

}  // namespace tether::flow
