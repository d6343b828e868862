#include "messages.hpp"

#include <algorithm>
#include <cstdint>

#include "tether/text.hpp"

namespace tether::cli {

void putBody(nlohmann::json& record, std::string_view body) {
  if (validUtf8(body)) {
    record["body"] = body;
    return;
  }
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t at = 0; at < body.size(); at += 3) {
    std::uint32_t bits = 0;
    for (std::size_t byte = 0; byte < 3; ++byte) {
      bits <<= 8U;
      if (at + byte < body.size()) bits |= static_cast<unsigned char>(body[at + byte]);
    }
    const auto digits = std::min<std::size_t>(body.size() - at, 3) + 1;
    for (std::size_t digit = 0; digit < 4; ++digit) {
      text += digit < digits ? kDigits[(bits >> (18 - 6 * digit)) & 63U] : '=';
    }
  }
  record["bodyBase64"] = text;
}

}  // namespace tether::cli
