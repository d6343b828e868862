#include "sqlite/json_arguments.hpp"

#include <vector>

#include "base/sql_tokens.hpp"
#include "sqlite/sql_reading.hpp"
#include "tether/sql.hpp"

namespace tether::sqlite {

namespace {

enum class Values { None, All, EverySecond, EverySecondAfterThePath };

Values valuesOf(const std::string& function) {
  if (function == "JSON_ARRAY" || function == "JSON_GROUP_ARRAY") return Values::All;
  if (function == "JSON_OBJECT" || function == "JSON_GROUP_OBJECT") return Values::EverySecond;
  if (function == "JSON_SET" || function == "JSON_INSERT" || function == "JSON_REPLACE") {
    return Values::EverySecondAfterThePath;
  }
  return Values::None;
}

/// What stands between an open parenthesis and the one that closes it.
class Arguments {
 public:
  explicit Arguments(Values values) : values_(values) {}

  void add(const SqlToken& token) {
    if (count_ == 0 && (token.is("DISTINCT") || token.is("ALL"))) return;
    ordered_ = ordered_ || token.is("ORDER");  // of an aggregate: no argument follows
    if (!ordered_ && ++count_ == 1) first_ = token;
  }
  /// The parameter that the argument, which ends here, consists of; else null.
  const SqlToken* end() {
    const bool value =
        values_ == Values::All || (values_ == Values::EverySecond && index_ % 2 == 1) ||
        (values_ == Values::EverySecondAfterThePath && index_ > 0 && index_ % 2 == 0);
    const bool alone =
        count_ == 1 && first_.kind == SqlToken::Kind::Variable && first_.text[0] == ':';
    ++index_;
    count_ = 0;
    return value && alone ? &first_ : nullptr;
  }

 private:
  Values values_;
  bool ordered_ = false;
  std::size_t index_ = 0;
  std::size_t count_ = 0;
  SqlToken first_{SqlToken::Kind::End, 0, {}};
};

}  // namespace

std::string withJsonArguments(std::string_view script) {
  std::string changed;
  std::size_t copied = 0;
  std::vector<Arguments> open;
  std::string before;  // the word before this token
  SqlTokens tokens(script);
  for (auto token = tokens.next();
       token.kind != SqlToken::Kind::End && token.kind != SqlToken::Kind::Open;
       token = tokens.next()) {
    if (token.kind == SqlToken::Kind::Variable && token.text[0] == '@') {
      throw SqlError(ErrorCode::Invalid,
                     "only named parameters (:name) are bound, found " + std::string(token.text),
                     lineAt(script, token.offset), script);
    }
    const bool closes = token.text == ")";
    if ((closes || token.text == ",") && !open.empty()) {
      if (const auto* parameter = open.back().end()) {
        changed += script.substr(copied, parameter->offset - copied);
        changed.append("json(@").append(parameter->text.substr(1)) += ')';
        copied = parameter->offset + parameter->text.size();
      }
      if (closes) open.pop_back();
    } else {
      if (!open.empty()) open.back().add(token);
      if (token.kind == SqlToken::Kind::Semicolon) open.clear();
      if (token.text == "(") open.emplace_back(valuesOf(before));
    }
    before = token.kind == SqlToken::Kind::Word ? upperCase(token.text) : "";
  }
  if (!changed.empty()) changed += script.substr(copied);
  return changed;
}

}  // namespace tether::sqlite
