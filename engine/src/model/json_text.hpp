// One canonical JSON text in two spellings: ASCII, which the store keeps, and UTF-8, which travels.
#pragma once

#include <string>
#include <string_view>

namespace tether {

/// Canonical text with its characters as UTF-8, which is shorter. U+007F, U+FFFE and U+FFFF stay
/// escaped, as not every queue takes them.
std::string utf8Json(std::string_view canonical);

/// What utf8Json() was made from; of text that is no such JSON only some bytes for a hash.
std::string asciiJson(std::string_view text);

}  // namespace tether
