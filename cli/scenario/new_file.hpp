// A scenario file to begin with.
#pragma once

#include <filesystem>
#include <string>

#include "tether/catalog.hpp"

namespace tether::cli {

/// For a file at `path` about one command type of the catalog (empty: its first). Throws Invalid
/// for a type that is not there.
std::string newScenario(const Catalog& catalog, const std::filesystem::path& path,
                        const std::string& type);

}  // namespace tether::cli
