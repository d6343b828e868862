// What can be told of a statement before it runs, and of SQLite's words about it.
#pragma once

#include <cstddef>
#include <string_view>

namespace tether::sqlite {

/// How much of the text stands before its first word: white space, comments, semicolons.
std::size_t leadingSpace(std::string_view text);

/// Whether an action that the authorizer is asked about changes tables, not only rows.
bool changesTables(int action);

/// The line of the text that a place is in, from 1.
std::size_t lineAt(std::string_view text, std::size_t offset);

/// Whether a name is for Tether's own tables and indexes alone, as SQLite compares names.
bool isOwnName(std::string_view name);

/// What a statement would call its table from now on, without its quotes; empty: it renames none.
std::string_view renamesTo(std::string_view statement);

/// A PRAGMA, or what would be done by one.
bool isPragma(std::string_view statement);

/// A syntax error: no table that an earlier statement makes would help.
bool isSyntax(std::string_view problem);

}  // namespace tether::sqlite
