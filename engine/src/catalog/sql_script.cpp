#include "catalog/sql_script.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/sql_tokens.hpp"
#include "catalog/source_text.hpp"
#include "tether/error.hpp"
#include "tether/text.hpp"

namespace tether {
namespace {

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
  SqlTokens tokens(text_);
  bool empty = true;
  bool first = true;  // of its statement
  std::string previous;
  for (SqlToken token = tokens.next(); token.kind != SqlToken::Kind::End; token = tokens.next()) {
    const std::string word = token.kind == SqlToken::Kind::Word ? upperCase(token.text) : "";
    if (token.kind == SqlToken::Kind::Open) {
      fail(token.offset, "this " + std::string(token.text) + " is never closed");
    }
    if (token.kind == SqlToken::Kind::Variable) {
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
    first = token.kind == SqlToken::Kind::Semicolon;
    empty = empty && first;
    previous = word;
  }
  if (empty) fail(0, "the script has no statement");
}

void SqlScript::fail(std::size_t offset, const std::string& problem) const {
  throw Error(ErrorCode::Invalid, placeIn(name_, text_, offset) + ": " + problem);
}

bool hasStatement(const std::string& sql) {
  SqlTokens tokens(sql);
  while (true) {
    const SqlToken token = tokens.next();
    if (token.kind == SqlToken::Kind::End) return false;
    if (token.kind != SqlToken::Kind::Semicolon) return true;
  }
}

}  // namespace tether
