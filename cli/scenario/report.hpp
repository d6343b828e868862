// Results of scenarios for other programs: JUnit XML, TAP and JSON. Nothing in them depends on the
// machine or the time, so that two runs give the same bytes.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scenario/pool.hpp"

namespace tether::cli {

using AllResults = std::vector<std::pair<std::string, FileResults>>;  // by file

/// JUnit XML, in the dialect of Jenkins: a testsuite is a file, a testcase a scenario or a cell of
/// its crash matrix. Source: https://github.com/testmoapp/junitxml.
std::string junitOf(const AllResults& all);
/// TAP version 13. Source: https://testanything.org/tap-version-13-specification.html.
std::string tapOf(const AllResults& all);
nlohmann::json jsonOf(const AllResults& all);

/// "name", or "name [crash at tx.before_commit]".
std::string caseName(const scenario::Result& result);

}  // namespace tether::cli
