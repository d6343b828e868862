#include "sqlite/sql_reading.hpp"

#include <sqlite3.h>

#include <algorithm>

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

bool isSyntax(std::string_view problem) {
  return problem.ends_with("syntax error") || problem == "incomplete input" ||
         problem.starts_with("unrecognized token");
}

}  // namespace tether::sqlite
