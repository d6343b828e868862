// The characters of a text.
#pragma once

#include <cstddef>
#include <string_view>

namespace tether {

struct CodePoint {
  char32_t value;
  std::size_t bytes;  // 0: the first byte is no UTF-8
};

/// The one at the front of a text that is not empty. Strict, see validUtf8.
CodePoint decode(std::string_view text);

}  // namespace tether
