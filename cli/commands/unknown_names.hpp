// A name that is misspelt looks like "none": whether there is what a selection names at all.
#pragma once

#include <string>
#include <vector>

#include "session.hpp"

namespace tether::cli {

/// Whose types --type chooses from.
enum class TypesOf { Nobody, Commands, Events, Letters };

/// Those of the catalog and of the store's newest records. A catalog that is wrong has none: a look
/// at a store does not need it.
std::vector<std::string> knownTypes(Session& session, Store& store, TypesOf types);

/// For a choice that nothing matched: which of its type, queue and group neither the catalog nor
/// the store knows, with the nearest right name.
std::vector<Diagnostic> unknownNames(Session& session, Store& store, const Filter& filter,
                                     TypesOf types);

}  // namespace tether::cli
