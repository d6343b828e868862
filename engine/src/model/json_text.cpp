#include "model/json_text.hpp"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "tether/json.hpp"
#include "tether/text.hpp"

namespace tether {

namespace {

constexpr std::size_t kEscapeBytes = 6;  // \uXXXX

std::uint32_t codeOf(std::string_view escape) {
  return static_cast<std::uint32_t>(std::stoul(std::string(escape.substr(2, 4)), nullptr, 16));
}

void appendUtf8(std::string& out, std::uint32_t code) {
  const auto byte = [&](std::uint32_t value) { out += static_cast<char>(value); };
  const auto rest = [&](unsigned shift) { byte(0x80U | ((code >> shift) & 0x3FU)); };
  if (code < 0x800) {
    byte(0xC0U | (code >> 6U));
  } else if (code < 0x10000) {
    byte(0xE0U | (code >> 12U));
    rest(6);
  } else {
    byte(0xF0U | (code >> 18U));
    rest(12);
    rest(6);
  }
  rest(0);
}

}  // namespace

std::string utf8Json(std::string_view canonical) {
  std::string out;
  out.reserve(canonical.size());
  while (!canonical.empty()) {
    const auto escape = std::min(canonical.find('\\'), canonical.size());
    out += canonical.substr(0, escape);
    canonical.remove_prefix(escape);
    if (canonical.empty()) break;
    const bool named = canonical.size() < kEscapeBytes || canonical[1] != 'u';
    auto code = named ? 0 : codeOf(canonical);
    std::size_t size = named ? 2 : kEscapeBytes;
    if (code >= 0xD800 && code < 0xDC00) {  // canonical text has no half of a pair
      code = 0x10000 + ((code - 0xD800) << 10U) + (codeOf(canonical.substr(kEscapeBytes)) - 0xDC00);
      size = 2 * kEscapeBytes;
    }
    if (code < 0x80 || code == 0xFFFE || code == 0xFFFF) {
      out += canonical.substr(0, size);
    } else {
      appendUtf8(out, code);
    }
    canonical.remove_prefix(size);
  }
  return out;
}

std::string asciiJson(std::string_view text) {
  if (!validUtf8(text)) return std::string(text);
  const auto ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  std::string out;
  out.reserve(text.size());
  auto at = text.begin();
  while (at != text.end()) {
    const auto foreign = std::find_if_not(at, text.end(), ascii);
    out.append(at, foreign);
    at = std::find_if(foreign, text.end(), ascii);
    if (foreign == at) break;
    const auto quoted = canonicalJson(nlohmann::json(std::string(foreign, at)));
    out.append(quoted, 1, quoted.size() - 2);
  }
  return out;
}

}  // namespace tether
