#include "tether/json.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/sha256.hpp"
#include "tether/error.hpp"
#include "tether/text.hpp"

namespace tether {
namespace {

using nlohmann::json;

/// Takes the parser's events, builds the value and refuses what the parser would let pass. It keeps
/// its own stack, so that the depth of a text from outside is never the depth of a recursion.
class StrictReader {
 public:
  explicit StrictReader(std::size_t depthMax) : depthMax_(depthMax) { open_.reserve(8); }

  // NOLINTBEGIN(readability-identifier-naming): the names are nlohmann's
  bool null() { return put(nullptr) != nullptr; }
  bool boolean(bool value) { return put(value) != nullptr; }
  bool number_integer(std::int64_t value) { return put(value) != nullptr; }
  bool number_unsigned(std::uint64_t value) {
    constexpr auto kMax = std::uint64_t{std::numeric_limits<std::int64_t>::max()};
    return value > kMax ? refuseInteger() : put(value) != nullptr;
  }
  bool number_float(double value, const std::string& text) {
    // The parser turns integers that are too long into doubles. The decimal point is the locale's.
    const bool integer = text.find_first_not_of("-0123456789") == std::string::npos;
    return integer ? refuseInteger() : put(value) != nullptr;
  }
  bool string(const std::string& value) {
    if (value.find('\0') != std::string::npos) return refuse("U+0000 in the string", pointer());
    return put(value) != nullptr;
  }
  bool binary(const json::binary_t&) { return false; }  // JSON text has none
  bool start_object(std::size_t) { return start(json::object()); }
  bool start_array(std::size_t) { return start(json::array()); }
  bool end_object() { return end(); }
  bool end_array() { return end(); }

  bool key(const std::string& name) {
    Frame& frame = open_.back();
    const auto [member, added] = frame.value->get_ptr<json::object_t*>()->try_emplace(name);
    frame.member = &*member;
    if (!added) return refuse("duplicate key", pointer());
    return name.find('\0') == std::string::npos || refuse("U+0000 in the key", pointer());
  }

  bool parse_error(std::size_t charsRead, const std::string&, const json::exception& error) {
    offset_ = charsRead == 0 ? 0 : charsRead - 1;
    located_ = true;
    if (dynamic_cast<const json::out_of_range*>(&error) != nullptr) {
      return refuse("number too large to be finite", pointer());
    }
    // "[json…] parse error at line 1, column 2: syntax error while parsing value - THE REASON; last
    // read: 'the text'"
    std::string_view reason = error.what();
    if (const auto at = reason.find(" - "); at != reason.npos) reason.remove_prefix(at + 3);
    reason = reason.substr(0, reason.find("; last read: "));
    problem_ = escapeForTerminal(reason);
    return false;
  }
  // NOLINTEND(readability-identifier-naming)

  json& result() { return root_; }
  const std::string& problem() const { return problem_; }
  /// Where a syntax error is. The parser does not tell the place of an event.
  bool located() const { return located_; }
  std::size_t offset() const { return offset_; }

 private:
  struct Frame {
    json* value;
    json::object_t::value_type* member;  // the one being read, if `value` is an object
  };

  template <typename Value>
  json* put(Value&& value) {
    if (open_.empty()) {
      root_ = std::forward<Value>(value);
      return &root_;
    }
    const Frame& frame = open_.back();
    if (auto* array = frame.value->get_ptr<json::array_t*>()) {
      return &array->emplace_back(std::forward<Value>(value));
    }
    frame.member->second = std::forward<Value>(value);
    return &frame.member->second;
  }

  bool start(json&& empty) {
    if (open_.size() == depthMax_) {
      return refuse("more than " + std::to_string(depthMax_) + " levels", pointer());
    }
    open_.push_back({put(std::move(empty)), nullptr});
    return true;
  }

  bool end() {
    open_.pop_back();
    return true;
  }

  bool refuse(std::string problem, const std::string& where, std::string_view advice = {}) {
    problem_ = std::move(problem);
    if (!where.empty()) problem_ += " at " + where;
    problem_ += advice;
    return false;
  }

  bool refuseInteger() {
    return refuse("integer beyond 64 bits with a sign", pointer(), "; send it as a string");
  }

  /// JSON pointer of what is being read.
  std::string pointer() const {
    json::json_pointer path;
    for (const Frame& frame : open_) {
      if (frame.value->is_object()) {
        if (frame.member != nullptr) path.push_back(frame.member->first);
      } else {
        // An element that is still open is in its array already.
        const bool innermost = &frame == &open_.back();
        path.push_back(std::to_string(frame.value->size() - (innermost ? 0 : 1)));
      }
    }
    const std::string text = path.to_string();
    return text.empty() ? text : quote(text);
  }

  std::size_t depthMax_;
  json root_;
  std::vector<Frame> open_;
  std::string problem_;
  bool located_ = false;
  std::size_t offset_ = 0;
};

/// Tells how far the parser has read. Slower than a pointer, so used only once a text is refused.
struct CountingIterator {
  // NOLINTBEGIN(readability-identifier-naming): the names are the standard's
  using iterator_category = std::forward_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;
  // NOLINTEND(readability-identifier-naming)

  const char* at;
  const char** read;

  reference operator*() const { return *at; }
  CountingIterator& operator++() {
    *read = ++at;
    return *this;
  }
  CountingIterator operator++(int) {
    auto before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at == other.at; }
};

template <typename Iterator>
bool read(StrictReader& reader, Iterator first, Iterator last, bool comments) {
  return json::sax_parse(first, last, &reader, json::input_format_t::json, true, comments);
}

/// The first byte of the string, number or bracket that ends at `end`, or one before it.
std::size_t tokenStart(std::string_view text, std::size_t end) {
  constexpr std::string_view kNumber = "+-.0123456789Ee";
  const auto inNumber = [&](std::size_t at) { return kNumber.find(text[at]) != kNumber.npos; };
  std::size_t start = end - 1;
  if (text[start] == '"') {
    // Back to the first quote that no odd number of backslashes stands before.
    const auto escaped = [&](std::size_t at) {
      const auto last = text.find_last_not_of('\\', at - 1);
      return (at - 1 - last) % 2 == 1;  // npos counts as the place before the text
    };
    do {
      start = text.rfind('"', start - 1);
    } while (start > 0 && escaped(start));
  } else if (text[start] != '[' && text[start] != '{') {
    if (!inNumber(start)) --start;  // the parser had to read on to see that the number ends
    while (start > 0 && inNumber(start - 1)) --start;
  }
  return start;
}

[[noreturn]] void refuse(std::string_view what, std::string_view text, std::size_t offset,
                         const std::string& problem) {
  offset = std::min(offset, text.size());
  std::string place = std::string(what) + ", byte " + std::to_string(offset);
  if (text.find('\n') != text.npos) {
    const auto before = text.substr(0, offset);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const auto lineStart = before.rfind('\n') + 1;  // npos + 1 is 0
    place += " (line " + std::to_string(line) + ", column " +
             std::to_string(offset - lineStart + 1) + ")";
  }
  throw Error(ErrorCode::Invalid, place + ": " + problem);
}

json parse(std::string_view what, std::string_view text, JsonLimits limits, bool comments) {
  if (text.size() > limits.bytesMax) {
    refuse(what, {}, 0,
           std::to_string(text.size()) + " bytes, but at most " + std::to_string(limits.bytesMax) +
               " are taken");
  }
  if (text.substr(0, 3) == "\xEF\xBB\xBF") {
    refuse(what, text, 0, "byte order mark; save the text without it");
  }
  // The parser takes a NUL byte for the end and would ignore the rest.
  if (const auto at = text.find('\0'); at != text.npos) refuse(what, text, at, "NUL byte");

  const char* const begin = text.data();
  const char* const end = begin + text.size();
  StrictReader reader(limits.depthMax);
  if (read(reader, begin, end, comments)) return std::move(reader.result());
  if (reader.located()) refuse(what, text, reader.offset(), reader.problem());

  const char* at = begin;
  StrictReader again(limits.depthMax);
  read(again, CountingIterator{begin, &at}, CountingIterator{end, &at}, comments);
  refuse(what, text, tokenStart(text, static_cast<std::size_t>(at - begin)), reader.problem());
}

}  // namespace

json parseJson(std::string_view what, std::string_view text, JsonLimits limits) {
  return parse(what, text, limits, false);
}

json parseJsonWithComments(std::string_view what, std::string_view text) {
  return parse(what, text, {}, true);
}

std::optional<json> readJson(std::string_view text, JsonLimits limits) {
  if (text.size() > limits.bytesMax || text.find('\0') != text.npos) return {};
  StrictReader reader(limits.depthMax);
  if (!read(reader, text.data(), text.data() + text.size(), false)) return {};
  return std::move(reader.result());
}

std::string canonicalJson(const json& value) {
  try {
    return value.dump(-1, ' ', true);
  } catch (const json::type_error&) {
    throw Error(ErrorCode::Invalid, "a string in the JSON value is not UTF-8");
  }
}

std::string sha256(std::string_view text) {
  std::string hex;
  hex.reserve(64);
  for (const unsigned byte : sha256Digest(text)) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 0xF];
  }
  return hex;
}

}  // namespace tether
