// Strict JSON from outside: what two readers could understand differently is refused.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace tether {

struct JsonLimits {
  std::size_t bytesMax = 1024 * 1024;
  std::size_t depthMax = 64;  // keep it small: copying and printing a value recurse
};

/// A message, which has a payload within the limits, in canonical form: that may be four times as
/// long, see checkJson. Also what the store keeps of one.
inline constexpr JsonLimits kMessageLimits = {.bytesMax = 4 * 1024 * 1024 + 64 * 1024,
                                              .depthMax = 66};

/// One JSON document. Throws Invalid with the byte offset, counted from 0 (and the JSON pointer
/// where there is one) for: malformed text, trailing text, a byte order mark, invalid UTF-8, U+0000
/// in a string, a duplicate key, an integer beyond int64, a number that is not finite, more depth
/// or bytes than the limits. `what` names the text in the message ("payload", "line 3").
nlohmann::json parseJson(std::string_view what, std::string_view text, JsonLimits limits = {});

/// The same with // and /* */ comments allowed: for files that people write.
nlohmann::json parseJsonWithComments(std::string_view what, std::string_view text);

/// The same for what is only shown or copied; nothing: no JSON, or none that parseJson takes, which
/// whoever shows it treats as text.
std::optional<nlohmann::json> readJson(std::string_view text, JsonLimits limits = kMessageLimits);

/// Throws Invalid with the JSON pointer for a value that no text accepted by parseJson stands for:
/// an integer beyond int64, a number that is not finite, U+0000, binary data, more depth, or more
/// bytes in its shortest form, than the limits; and for one whose canonical form, which writes
/// numbers out and escapes all but ASCII, has more than four times as many.
void checkJson(std::string_view what, const nlohmann::json& value, JsonLimits limits = {});

/// Canonical form: sorted keys, no spaces, ASCII only. Equal values give equal bytes, where 1
/// and 1.0 are two values. Throws Invalid for a string that is not UTF-8.
std::string canonicalJson(const nlohmann::json& value);

/// SHA-256 of a text, lower-case hex.
std::string sha256(std::string_view text);

}  // namespace tether
