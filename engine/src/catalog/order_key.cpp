#include "catalog/order_key.hpp"

#include <utility>

#include "catalog/config_value.hpp"
#include "tether/error.hpp"
#include "tether/text.hpp"

namespace tether {
namespace {

constexpr std::size_t kKeyBytesMax = 255;

}  // namespace

std::function<std::string(const nlohmann::json&)> orderKeyAt(nlohmann::json::json_pointer pointer) {
  return [pointer = std::move(pointer)](const nlohmann::json& payload) {
    const auto refuse = [&](const std::string& problem) {
      throw Error(ErrorCode::Invalid,
                  "payload" + escapeForTerminal(pointer.to_string()) + ": " + problem);
    };
    if (!payload.contains(pointer)) refuse("is missing; the order key is taken from there");
    const nlohmann::json& value = payload.at(pointer);
    if (!value.is_string() && !value.is_number()) {
      refuse("is the order key, so it must be a string or a number, not " + describeType(value));
    }
    std::string key = value.is_string() ? value.get<std::string>() : value.dump();
    if (key.empty()) refuse("is the order key, so it must not be empty");
    if (key.size() > kKeyBytesMax) refuse("is the order key, so it has at most 255 bytes");
    if (hasControls(key)) refuse("is the order key, so it must not have control characters");
    return key;
  };
}

}  // namespace tether
