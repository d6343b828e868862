// What may not be in a value, whoever made it: parseJson refuses the same in text.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "tether/error.hpp"
#include "tether/json.hpp"
#include "tether/text.hpp"

namespace tether {
namespace {

using nlohmann::json;

constexpr std::size_t kCanonicalTimes = 4;  // as many bytes as in the shortest form

/// Bytes of a value in the shortest text that stands for it, and in canonical form.
struct Size {
  std::size_t shortest = 0;
  std::size_t canonical = 0;

  static Size both(std::size_t bytes) { return {bytes, bytes}; }
  void operator+=(const Size& other) {
    shortest += other.shortest;
    canonical += other.canonical;
  }
};

template <typename Number>
Size sizeOf(Number number) {
  char text[32];
  const auto [end, error] = std::to_chars(text, text + sizeof text, number);
  return Size::both(static_cast<std::size_t>(end - text));
}

/// The shortest is of its digits alone: "1e9", "1000000000.0" and "1E+9" are one number.
Size sizeOf(double number) {
  char text[64];
  const auto [end, error] =
      std::to_chars(text, text + sizeof text, number, std::chars_format::scientific);
  const auto digits = std::string_view(text, end).find('e');
  // What canonicalJson prints with; a dump of each number would be slow.
  const char* const printed = nlohmann::detail::to_chars(text, text + sizeof text, number);
  return {std::max<std::size_t>(digits, 3), static_cast<std::size_t>(printed - text)};
}

Size sizeOf(const std::string& text) {
  constexpr std::size_t kEscape = 6;  // \uXXXX
  Size size{text.size() + 2, text.size() + 2};
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      size += Size::both(1);
    } else if (byte < 0x20) {
      const bool named = std::string_view("\b\f\n\r\t").find(c) != std::string_view::npos;
      size += Size::both(named ? 1 : kEscape - 1);
    } else if (byte >= 0x7F) {
      // ASCII only: the first byte of a code point stands for it, of a long one for a pair.
      const bool goesOn = byte >= 0x80 && byte < 0xC0;
      size.canonical += (goesOn ? 0 : byte >= 0xF0 ? 2 * kEscape : kEscape) - 1;
    }
  }
  return size;
}

/// Walks with a stack of its own: the depth of a value is never the depth of a recursion.
class Walk {
 public:
  Walk(std::string_view what, JsonLimits limits) : what_(what), limits_(limits) {}

  void run(const json& root) {
    enter(root);
    while (!open_.empty()) {
      Frame& frame = open_.back();
      if (frame.next == frame.value->end()) {
        open_.pop_back();
        continue;
      }
      const auto member = frame.next++;
      ++frame.index;
      if (frame.value->is_object()) {
        frame.name = &member.key();
        look(*frame.name, "U+0000 in the key");
        size_ += Size::both(1);  // the colon
      }
      enter(*member);
    }
    require(size_.shortest, limits_.bytesMax, "");
    // What is kept is read again within kMessageLimits, which has room for so much.
    require(size_.canonical, kCanonicalTimes * limits_.bytesMax, " in canonical form");
  }

 private:
  struct Frame {
    const json* value;
    json::const_iterator next;
    std::size_t index = 0;  // of elements taken
    const std::string* name = nullptr;
  };

  void enter(const json& value) {
    if (!open_.empty() && open_.back().index > 1) size_ += Size::both(1);  // a comma
    switch (value.type()) {
      case json::value_t::object:
      case json::value_t::array:
        if (open_.size() == limits_.depthMax) {
          refuse("more than " + std::to_string(limits_.depthMax) + " levels");
        }
        open_.push_back({&value, value.begin()});
        size_ += Size::both(2);
        break;
      case json::value_t::string:
        look(value.get_ref<const std::string&>(), "U+0000 in the string");
        break;
      case json::value_t::number_unsigned:
        if (value.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
          refuse("integer beyond 64 bits with a sign", "; send it as a string");
        }
        size_ += sizeOf(value.get<std::uint64_t>());
        break;
      case json::value_t::number_integer:
        size_ += sizeOf(value.get<std::int64_t>());
        break;
      case json::value_t::number_float:
        if (!std::isfinite(value.get<double>())) refuse("number that is not finite");
        size_ += sizeOf(value.get<double>());
        break;
      case json::value_t::binary:
        refuse("binary data", "; send it as a string, such as Base64");
      case json::value_t::discarded:
        refuse("no JSON value");
      case json::value_t::null:
      case json::value_t::boolean:
        size_ += Size::both(value.is_boolean() && !value.get<bool>() ? 5 : 4);
    }
  }

  void require(std::size_t bytes, std::size_t most, const char* of) const {
    if (bytes <= most) return;
    throw Error(ErrorCode::Invalid, std::string(what_) + ": " + std::to_string(bytes) + " bytes" +
                                        of + ", but at most " + std::to_string(most) +
                                        " are taken");
  }

  void look(const std::string& text, const char* problem) {
    if (text.find('\0') != text.npos) refuse(problem);
    size_ += sizeOf(text);
  }

  [[noreturn]] void refuse(const std::string& problem, const char* advice = "") const {
    json::json_pointer path;
    for (const Frame& frame : open_) {
      path.push_back(frame.name != nullptr ? *frame.name : std::to_string(frame.index - 1));
    }
    const auto place = path.empty() ? std::string() : " at " + quote(path.to_string());
    throw Error(ErrorCode::Invalid, std::string(what_) + ": " + problem + place + advice);
  }

  std::string_view what_;
  JsonLimits limits_;
  Size size_;
  std::vector<Frame> open_;
};

}  // namespace

void checkJson(std::string_view what, const json& value, JsonLimits limits) {
  Walk(what, limits).run(value);
}

}  // namespace tether
