#include "sqlite/sql_reading.hpp"

#include <sqlite3.h>

#include <algorithm>

#include "base/sql_tokens.hpp"

namespace tether::sqlite {

std::size_t leadingSpace(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const auto rest = text.substr(at);
    if (std::string_view(" \t\r\n\f\v;").find(rest.front()) != std::string_view::npos) {
      ++at;
    } else if (rest.starts_with("--")) {
      at += std::min(rest.find('\n'), rest.size());
    } else if (rest.starts_with("/*")) {
      at += std::min(rest.find("*/", 2), rest.size() - 2) + 2;
    } else {
      break;
    }
  }
  return at;
}

bool changesTables(int action) {
  switch (action) {
    case SQLITE_CREATE_TABLE:
    case SQLITE_CREATE_VTABLE:
    case SQLITE_CREATE_VIEW:
    case SQLITE_CREATE_TRIGGER:
    case SQLITE_CREATE_INDEX:
    case SQLITE_ALTER_TABLE:
    case SQLITE_DROP_TABLE:
    case SQLITE_DROP_VTABLE:
    case SQLITE_DROP_VIEW:
    case SQLITE_DROP_TRIGGER:
    case SQLITE_DROP_INDEX:
      return true;
    default:
      return false;
  }
}

std::size_t lineAt(std::string_view text, std::size_t offset) {
  const auto before = text.substr(0, offset);
  return 1 + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
}

bool isOwnName(std::string_view name) {
  const std::string prefix = "tether_";
  return sqlite3_stricmp(std::string(name.substr(0, prefix.size())).c_str(), prefix.c_str()) == 0;
}

std::string_view renamesTo(std::string_view statement) {
  SqlTokens tokens(statement);
  bool renames = false;
  for (auto token = tokens.next();
       token.kind == SqlToken::Kind::Word || token.kind == SqlToken::Kind::Other;
       token = tokens.next()) {
    if (!renames || !token.is("TO")) {
      renames = token.is("RENAME");
      continue;
    }
    auto name = tokens.next().text;
    if (name.size() > 1 && std::string_view("\"'`[").find(name.front()) != name.npos) {
      name = name.substr(1, name.size() - 2);
    }
    return name;
  }
  return {};
}

bool isPragma(std::string_view statement) {
  SqlTokens tokens(statement);
  auto token = tokens.next();
  for (const std::string_view word : {"EXPLAIN", "QUERY", "PLAN"}) {
    if (token.is(word)) token = tokens.next();
  }
  return token.is("PRAGMA");
}

bool isSyntax(std::string_view problem) {
  return problem.ends_with("syntax error") || problem == "incomplete input" ||
         problem.starts_with("unrecognized token");
}

}  // namespace tether::sqlite
