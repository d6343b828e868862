#include "base/sql_tokens.hpp"

#include <algorithm>

namespace tether {

namespace {

bool isWordByte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         c == '$' || static_cast<unsigned char>(c) >= 0x80;
}

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

}  // namespace

bool SqlToken::is(std::string_view word) const {
  return kind == Kind::Word && std::equal(text.begin(), text.end(), word.begin(), word.end(),
                                          [](char a, char b) { return upper(a) == b; });
}

SqlToken SqlTokens::next() {
  while (at_ < sql_.size()) {
    const char c = sql_[at_];
    if (c == ' ' || (c >= '\t' && c <= '\r')) {
      ++at_;
    } else if (startsWith("--")) {
      at_ = std::min(sql_.find('\n', at_), sql_.size());
    } else if (startsWith("/*")) {
      const auto end = sql_.find("*/", at_ + 2);
      if (end == sql_.npos) return {SqlToken::Kind::Open, at_, "comment"};
      at_ = end + 2;
    } else {
      return token(c);
    }
  }
  return {SqlToken::Kind::End, at_, {}};
}

SqlToken SqlTokens::token(char c) {
  switch (c) {
    case ';':
      return take(SqlToken::Kind::Semicolon, 1);
    case '\'':
    case '"':
    case '`':
      return quoted(c);
    case '[':
      return quoted(']');
    case '?':
      return take(SqlToken::Kind::Variable, 1);
    case ':':
    case '@':
    case '#':
    case '$': {
      const auto size = wordSize(at_ + 1);
      return take(size == 0 ? SqlToken::Kind::Other : SqlToken::Kind::Variable, 1 + size);
    }
    default: {
      const auto size = wordSize(at_);
      return size == 0 ? take(SqlToken::Kind::Other, 1) : take(SqlToken::Kind::Word, size);
    }
  }
}

SqlToken SqlTokens::quoted(char end) {
  const auto close = sql_.find(end, at_ + 1);
  if (close == sql_.npos) return {SqlToken::Kind::Open, at_, end == ']' ? "bracket" : "quote"};
  return take(SqlToken::Kind::Other, close + 1 - at_);
}

SqlToken SqlTokens::take(SqlToken::Kind kind, std::size_t size) {
  const SqlToken token{kind, at_, sql_.substr(at_, size)};
  at_ += size;
  return token;
}

std::size_t SqlTokens::wordSize(std::size_t from) const {
  std::size_t end = from;
  while (end < sql_.size() && isWordByte(sql_[end])) ++end;
  return end - from;
}

std::string upperCase(std::string_view word) {
  std::string result(word);
  std::transform(result.begin(), result.end(), result.begin(), upper);
  return result;
}

}  // namespace tether
