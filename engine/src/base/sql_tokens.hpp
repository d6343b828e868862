// Splits SQL into words, parameters and what is between, as far as every dialect agrees.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tether {

struct SqlToken {
  enum class Kind { End, Word, Variable, Semicolon, Open, Other };
  Kind kind;
  std::size_t offset;
  std::string_view text;  // of kind Open: what is open

  /// A keyword or a name without quotes, whatever its case; `word` is in capitals.
  bool is(std::string_view word) const;
};

/// Tells parameters and keywords from text, quoted names and comments. A quoted text is one token
/// of kind Other; a doubled quote in it makes two of them, side by side.
class SqlTokens {
 public:
  explicit SqlTokens(std::string_view sql) : sql_(sql) {}
  SqlToken next();

 private:
  SqlToken token(char c);
  SqlToken quoted(char end);
  SqlToken take(SqlToken::Kind kind, std::size_t size);
  std::size_t wordSize(std::size_t from) const;
  bool startsWith(std::string_view start) const { return sql_.substr(at_).starts_with(start); }

  std::string_view sql_;
  std::size_t at_ = 0;
};

/// In capitals, as keywords are compared.
std::string upperCase(std::string_view word);

}  // namespace tether
