#include "tether/text.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/code_point.hpp"

namespace tether {
namespace {

constexpr std::size_t kQuotedBytesMax = 80;
constexpr std::size_t kWordBytesMax = 64;  // longer words are data, not typing errors

bool isControl(char32_t c) { return c < 0x20 || (c >= 0x7F && c <= 0x9F); }

/// What changes the order or the line of the text around it.
bool isLayoutControl(char32_t c) {
  return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069);
}

bool isPlainAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7E; });
}

void appendHex(std::string& out, char32_t value, int digits) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
    out += "0123456789abcdef"[value >> shift & 0xF];
  }
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Edits from one word to the other: insert, remove, replace, or swap two neighbours.
std::size_t editDistance(std::string_view a, std::string_view b) {
  using Row = std::array<std::size_t, kWordBytesMax + 1>;
  Row previous{};
  Row above{};
  Row row{};
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    previous = above;
    above = row;
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0U : 1U)});
      const bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                           lower(a[i - 2]) == lower(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], previous[j - 2] + 1);
    }
  }
  return row[b.size()];
}

}  // namespace

bool validUtf8(std::string_view text) {
  while (!text.empty()) {
    const auto c = decode(text);
    if (c.bytes == 0) return false;
    text.remove_prefix(c.bytes);
  }
  return true;
}

bool hasControls(std::string_view text) {
  if (isPlainAscii(text)) return false;
  while (!text.empty()) {
    const auto c = decode(text);
    if (c.bytes != 0 && isControl(c.value)) return true;
    text.remove_prefix(std::max<std::size_t>(c.bytes, 1));
  }
  return false;
}

std::string escapeForTerminal(std::string_view text) {
  if (isPlainAscii(text)) return std::string(text);
  std::string out;
  out.reserve(text.size() + 16);
  while (!text.empty()) {
    const auto c = decode(text);
    if (c.bytes == 0) {
      out += "\\x";
      appendHex(out, static_cast<unsigned char>(text.front()), 2);
    } else if (isControl(c.value) || isLayoutControl(c.value)) {
      out += "\\u";
      appendHex(out, c.value, 4);
    } else {
      out += text.substr(0, c.bytes);
    }
    text.remove_prefix(std::max<std::size_t>(c.bytes, 1));
  }
  return out;
}

std::string keptText(std::string_view text, std::size_t most) {
  constexpr std::string_view kEllipsis = "\u2026";
  if (text.size() <= most && text.find('\0') == text.npos && validUtf8(text)) {
    return std::string(text);
  }
  std::string out;
  std::size_t cutAt = 0;  // up to there it fits together with the ellipsis
  while (!text.empty()) {
    const auto c = decode(text);
    if (c.bytes == 0 || c.value == 0) {
      out += "\\x";
      appendHex(out, static_cast<unsigned char>(text.front()), 2);
    } else {
      out += text.substr(0, c.bytes);
    }
    if (out.size() > most) return out.substr(0, cutAt).append(kEllipsis);
    if (out.size() + kEllipsis.size() <= most) cutAt = out.size();
    text.remove_prefix(std::max<std::size_t>(c.bytes, 1));
  }
  return out;
}

std::string quote(std::string_view text) {
  if (text.size() <= kQuotedBytesMax) return '"' + escapeForTerminal(text) + '"';
  std::size_t end = kQuotedBytesMax;
  while (end > kQuotedBytesMax - 4 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return '"' + escapeForTerminal(text.substr(0, end)) + "...\"";
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::string_view best;
  std::size_t bestDistance = kWordBytesMax;
  if (word.size() > kWordBytesMax) return {};
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kWordBytesMax) continue;
    const auto longer = std::max(word.size(), candidate.size());
    const auto allowed = std::max<std::size_t>(1, longer / 3);
    const auto distance = editDistance(word, candidate);
    if (distance > allowed || distance >= longer || distance >= bestDistance) continue;
    best = candidate;
    bestDistance = distance;
  }
  return std::string(best);
}

std::string didYouMean(std::string_view word, const std::vector<std::string>& candidates,
                       std::string_view otherwise) {
  const auto meant = nearest(word, candidates);
  return meant.empty() ? std::string(otherwise) : ", did you mean " + quote(meant) + "?";
}

}  // namespace tether
