// What can be told of a statement before it runs, and of SQLite's words about it.
#pragma once

#include <cstddef>
#include <string_view>

namespace tether::sqlite {

/// How much of the text stands before its first word: white space, comments, semicolons.
std::size_t leadingSpace(std::string_view text);

/// Whether an action that the authorizer is asked about changes tables, not only rows.
bool changesTables(int action);

/// A problem that no table would mend which is made on the way.
bool isSyntax(std::string_view problem);

}  // namespace tether::sqlite
