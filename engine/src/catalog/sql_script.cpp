#include "catalog/sql_script.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "catalog/source_text.hpp"
#include "tether/error.hpp"
#include "tether/text.hpp"

namespace tether {
namespace {

struct Token {
  enum class Kind { End, Word, Variable, Semicolon, Open, Other };
  Kind kind;
  std::size_t offset;
  std::string_view text;  // of kind Open: what is open
};

bool isWordByte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         c == '$' || static_cast<unsigned char>(c) >= 0x80;
}

/// Splits SQL as far as needed to tell parameters and keywords from text, names and comments.
class Tokenizer {
 public:
  explicit Tokenizer(std::string_view sql) : sql_(sql) {}

  Token next() {
    while (at_ < sql_.size()) {
      const char c = sql_[at_];
      if (c == ' ' || (c >= '\t' && c <= '\r')) {
        ++at_;
      } else if (startsWith("--")) {
        at_ = std::min(sql_.find('\n', at_), sql_.size());
      } else if (startsWith("/*")) {
        const auto end = sql_.find("*/", at_ + 2);
        if (end == sql_.npos) return {Token::Kind::Open, at_, "comment"};
        at_ = end + 2;
      } else {
        return token(c);
      }
    }
    return {Token::Kind::End, at_, {}};
  }

 private:
  Token token(char c) {
    switch (c) {
      case ';':
        return take(Token::Kind::Semicolon, 1);
      case '\'':
      case '"':
      case '`':
        return quoted(c);
      case '[':
        return quoted(']');
      case '?':
        return take(Token::Kind::Variable, 1);
      case ':':
      case '@':
      case '#':
      case '$': {
        const auto size = wordSize(at_ + 1);
        return take(size == 0 ? Token::Kind::Other : Token::Kind::Variable, 1 + size);
      }
      default: {
        const auto size = wordSize(at_);
        return size == 0 ? take(Token::Kind::Other, 1) : take(Token::Kind::Word, size);
      }
    }
  }

  /// A doubled quote is two texts side by side here, which makes no difference.
  Token quoted(char end) {
    const auto close = sql_.find(end, at_ + 1);
    if (close == sql_.npos) return {Token::Kind::Open, at_, end == ']' ? "bracket" : "quote"};
    return take(Token::Kind::Other, close + 1 - at_);
  }

  Token take(Token::Kind kind, std::size_t size) {
    const Token token{kind, at_, sql_.substr(at_, size)};
    at_ += size;
    return token;
  }

  std::size_t wordSize(std::size_t from) const {
    std::size_t end = from;
    while (end < sql_.size() && isWordByte(sql_[end])) ++end;
    return end - from;
  }

  bool startsWith(std::string_view start) const { return sql_.substr(at_).starts_with(start); }

  std::string_view sql_;
  std::size_t at_ = 0;
};

std::string upper(std::string_view word) {
  std::string result(word);
  for (char& c : result) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return result;
}

/// END is not among them: it also ends the body of a trigger. The store's authorizer knows it.
bool leavesTransaction(const std::string& firstWord) {
  constexpr std::array kWords = {"ATTACH",  "BEGIN",    "COMMIT",    "DETACH", "PRAGMA",
                                 "RELEASE", "ROLLBACK", "SAVEPOINT", "VACUUM"};
  return std::find(kWords.begin(), kWords.end(), firstWord) != kWords.end();
}

}  // namespace

SqlScript::SqlScript(std::string name, std::string text)
    : name_(std::move(name)), text_(std::move(text)) {
  if (const auto at = text_.find('\0'); at != text_.npos) fail(at, "NUL byte");
  Tokenizer tokens(text_);
  bool empty = true;
  bool first = true;  // of its statement
  std::string previous;
  for (Token token = tokens.next(); token.kind != Token::Kind::End; token = tokens.next()) {
    const std::string word = token.kind == Token::Kind::Word ? upper(token.text) : "";
    if (token.kind == Token::Kind::Open) {
      fail(token.offset, "this " + std::string(token.text) + " is never closed");
    }
    if (token.kind == Token::Kind::Variable) {
      const std::string parameter(token.text.substr(1));
      const bool plain = std::none_of(parameter.begin(), parameter.end(), [](char c) {
        return c == '$' || static_cast<unsigned char>(c) >= 0x80;
      });
      if (token.text[0] != ':' || parameter.empty() || !plain) {
        fail(token.offset, "parameter " + quote(token.text) +
                               ": parameters are a colon and a name of a-z A-Z 0-9 _, like :id");
      }
      if (std::none_of(parameters_.begin(), parameters_.end(),
                       [&](const Parameter& known) { return known.name == parameter; })) {
        parameters_.push_back({parameter, token.offset});
      }
    }
    if (first && leavesTransaction(word)) {
      fail(token.offset, word + " is not allowed: a script runs inside its command's transaction");
    }
    if (word == "ROLLBACK" && (previous == "OR" || previous == "CONFLICT")) {
      fail(token.offset, previous +
                             " ROLLBACK is not allowed: it ends the command's transaction; " +
                             "use " + previous + " ABORT");
    }
    first = token.kind == Token::Kind::Semicolon;
    empty = empty && first;
    previous = word;
  }
  if (empty) fail(0, "the script has no statement");
}

void SqlScript::fail(std::size_t offset, const std::string& problem) const {
  throw Error(ErrorCode::Invalid, placeIn(name_, text_, offset) + ": " + problem);
}

bool hasStatement(const std::string& sql) {
  Tokenizer tokens(sql);
  while (true) {
    const Token token = tokens.next();
    if (token.kind == Token::Kind::End) return false;
    if (token.kind != Token::Kind::Semicolon) return true;
  }
}

}  // namespace tether
