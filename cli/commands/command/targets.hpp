// Which open commands a verb is about: ids, or a choice by options.
#pragma once

#include <string>
#include <vector>

#include "commands/selection.hpp"

namespace tether::cli {

/// The options of openTargets().
void addOpenTargets(const Verb& verb, Selection& selection);

/// Ids that were named are all answered for, also one that there is not; options choose open ones,
/// the newest first. `done`: what is to become of them, "cancelled". Throws NotFound for none.
std::vector<std::string> openTargets(const Selection& selection, Session& session,
                                     const std::string& done);

}  // namespace tether::cli
