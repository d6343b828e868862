// Strict JSON from outside: what two readers could understand differently is refused.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace tether {

struct JsonLimits {
  std::size_t bytesMax = 1024 * 1024;
  std::size_t depthMax = 64;  // keep it small: copying and printing a value recurse
};

/// One JSON document. Throws Invalid with the byte offset, counted from 0 (and the JSON pointer
/// where there is one) for: malformed text, trailing text, a byte order mark, invalid UTF-8, U+0000
/// in a string, a duplicate key, an integer beyond int64, a number that is not finite, more depth
/// or bytes than the limits. `what` names the text in the message ("payload", "line 3").
nlohmann::json parseJson(std::string_view what, std::string_view text, JsonLimits limits = {});

/// The same with // and /* */ comments allowed: for files that people write.
nlohmann::json parseJsonWithComments(std::string_view what, std::string_view text);

/// Canonical form: sorted keys, no spaces, ASCII only. Equal values give equal bytes, where 1
/// and 1.0 are two values. Throws Invalid for a string that is not UTF-8.
std::string canonicalJson(const nlohmann::json& value);

/// SHA-256 of a text, lower-case hex.
std::string sha256(std::string_view text);

}  // namespace tether
