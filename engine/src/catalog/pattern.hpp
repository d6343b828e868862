// Regular expressions of schemas, which meet texts from outside: neither a text nor a pattern makes
// them overflow the stack or take for ever.
#pragma once

#include <regex>
#include <string>

namespace tether {

/// ECMAScript without back-references. Each byte of a text is looked at once, with all ways in
/// which the pattern may go on at hand: the library's usual way recurses for each byte, and tries
/// one way after the other. Throws Invalid for one that is no pattern, or stands for too many
/// steps.
std::regex compilePattern(const std::string& pattern);

/// Whether a text is a "date", "time" or "date-time" of JSON Schema.
bool hasFormat(const std::string& format, const std::string& text);

}  // namespace tether
