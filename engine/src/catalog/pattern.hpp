// Regular expressions of schemas, which meet texts from outside: neither a text nor a pattern makes
// them overflow the stack or take for ever.
#pragma once

#include <regex>
#include <string>

namespace tether {

/// ECMAScript without back-references, of characters: "." is one code point, whatever its bytes.
/// Each is looked at once, with all ways in which the pattern may go on at hand: the library's
/// usual way recurses for each character, and tries one way after the other.
class Pattern {
 public:
  /// Throws Invalid for one that is no pattern, or stands for too many steps.
  explicit Pattern(const std::string& pattern);

  /// Anywhere in the text, unless the pattern has anchors.
  bool isFoundIn(const std::string& text) const;

 private:
  std::wregex compiled_;
};

/// Whether a text is a "date", "time" or "date-time" of JSON Schema.
bool hasFormat(const std::string& format, const std::string& text);

}  // namespace tether
