// Text that came from outside: is it UTF-8, how to show it, and which word was meant.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tether {

/// Strict: no overlong forms, no surrogates, nothing above U+10FFFF.
bool validUtf8(std::string_view text);

/// C0, DEL or C1. Bytes that are no UTF-8 do not count.
bool hasControls(std::string_view text);

/// Safe to print, and on one line: controls (newline and tab too), bidi controls and line
/// separators become \u00xx, bytes that are no UTF-8 become \xnn.
std::string escapeForTerminal(std::string_view text);

/// What others wrote, as it can be kept and sent on: UTF-8 without U+0000 (any other byte becomes
/// \xnn), and at most `most` bytes: the rest is cut off, and an ellipsis says so.
std::string keptText(std::string_view text, std::size_t most);

/// For error messages: escaped, in double quotes, and cut after about 80 bytes.
std::string quote(std::string_view text);

/// The candidate that was probably meant, whatever its case; empty when nothing is near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// For error messages: `, did you mean "…"?`, or `otherwise` when nothing is near.
std::string didYouMean(std::string_view word, const std::vector<std::string>& candidates,
                       std::string_view otherwise = "");

}  // namespace tether
