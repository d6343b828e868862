// The application's own migrations: the SQL files of a folder.
#pragma once

#include <filesystem>
#include <vector>

#include "tether/store.hpp"

namespace tether {

/// The *.sql files in the order of the numbers that their names begin with (001_orders.sql); others
/// are left alone. Throws Invalid for a path that is no folder, and, naming the file, for a name
/// without a number, a number that is there twice, or a file without a statement.
std::vector<Migration> readMigrations(const std::filesystem::path& folder);

}  // namespace tether
