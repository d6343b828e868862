// Runs the verb that the command line chose and turns every way to fail into an exit code, in one
// place.
#pragma once

#include <string>
#include <vector>

#include "exit.hpp"
#include "session.hpp"
#include "verb.hpp"

namespace tether::cli {

/// Runs the tool once. `arguments` are without the program's name.
int runTool(const std::vector<std::string>& arguments, Streams streams, Environment environment);

/// An option's text as a duration, a time or a whole number from `least`; Invalid names the option.
Duration durationOf(std::string_view option, const std::string& text);
Time timeOf(std::string_view option, const std::string& text);
std::size_t countOf(std::string_view option, const std::string& text, std::size_t least);

}  // namespace tether::cli
