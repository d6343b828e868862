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

/// Bytes of the shortest text that stands for this number.
template <typename Number>
std::size_t lengthOf(Number number) {
  char text[32];
  const auto [end, error] = std::to_chars(text, text + sizeof text, number);
  return static_cast<std::size_t>(end - text);
}

/// Of its digits alone: "1e9", "1000000000.0" and "1E+9" are one number.
std::size_t lengthOf(double number) {
  char text[32];
  const auto [end, error] =
      std::to_chars(text, text + sizeof text, number, std::chars_format::scientific);
  const auto digits = std::string_view(text, end).find('e');
  return std::max<std::size_t>(digits, 3);
}

std::size_t lengthOf(const std::string& text) {
  std::size_t length = text.size() + 2;
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      ++length;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      length += std::string_view("\b\f\n\r\t").find(c) == std::string_view::npos ? 5 : 1;
    }
  }
  return length;
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
        ++bytes_;  // the colon
      }
      enter(*member);
    }
  }

 private:
  struct Frame {
    const json* value;
    json::const_iterator next;
    std::size_t index = 0;  // of elements taken
    const std::string* name = nullptr;
  };

  void enter(const json& value) {
    if (!open_.empty() && open_.back().index > 1) ++bytes_;  // a comma
    switch (value.type()) {
      case json::value_t::object:
      case json::value_t::array:
        if (open_.size() == limits_.depthMax) {
          refuse("more than " + std::to_string(limits_.depthMax) + " levels");
        }
        open_.push_back({&value, value.begin()});
        bytes_ += 2;
        break;
      case json::value_t::string:
        look(value.get_ref<const std::string&>(), "U+0000 in the string");
        break;
      case json::value_t::number_unsigned:
        if (value.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
          refuse("integer beyond 64 bits with a sign", "; send it as a string");
        }
        bytes_ += lengthOf(value.get<std::uint64_t>());
        break;
      case json::value_t::number_integer:
        bytes_ += lengthOf(value.get<std::int64_t>());
        break;
      case json::value_t::number_float:
        if (!std::isfinite(value.get<double>())) refuse("number that is not finite");
        bytes_ += lengthOf(value.get<double>());
        break;
      case json::value_t::binary:
        refuse("binary data", "; send it as a string, such as Base64");
      case json::value_t::discarded:
        refuse("no JSON value");
      case json::value_t::null:
      case json::value_t::boolean:
        bytes_ += 4;
    }
    if (bytes_ > limits_.bytesMax) {
      throw Error(ErrorCode::Invalid, std::string(what_) + ": more than " +
                                          std::to_string(limits_.bytesMax) + " bytes");
    }
  }

  void look(const std::string& text, const char* problem) {
    if (text.find('\0') != text.npos) refuse(problem);
    bytes_ += lengthOf(text);
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
  std::size_t bytes_ = 0;
  std::vector<Frame> open_;
};

}  // namespace

void checkJson(std::string_view what, const json& value, JsonLimits limits) {
  Walk(what, limits).run(value);
}

}  // namespace tether
