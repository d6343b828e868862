#include "scenario/report.hpp"

#include <fmt/format.h>

#include <sstream>

#include "tether/text.hpp"

namespace tether::cli {
namespace {

using nlohmann::json;

/// XML 1.0 has no way to write most control characters.
std::string xml(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\n':
        escaped += "&#10;";
        break;
      default:
        escaped += static_cast<unsigned char>(c) < 0x20 && c != '\t' ? '?' : c;
    }
  }
  // U+FFFE and U+FFFF are no characters of XML.
  for (const char* none : {"\xEF\xBF\xBE", "\xEF\xBF\xBF"}) {
    for (auto at = escaped.find(none); at != escaped.npos; at = escaped.find(none)) {
      escaped.replace(at, 3, 1, '?');
    }
  }
  return escaped;
}

std::string firstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

template <class Each>
void forEachCase(const AllResults& all, Each each) {
  for (const auto& [file, results] : all) {
    if (!results.problem.empty()) {
      each(file, file, results.problem, true);
      continue;
    }
    for (const auto& result : results.results) each(file, caseName(result), result.report, false);
  }
}

}  // namespace

std::string caseName(const scenario::Result& result) {
  const auto& name = result.name.empty() ? result.file : result.name;
  return result.cell.empty() ? name : fmt::format("{} [{}]", name, result.cell);
}

std::string junitOf(const AllResults& all) {
  std::string suites;
  std::size_t total = 0;
  std::size_t failed = 0;
  std::size_t broken = 0;
  for (const auto& one : all) {
    std::string cases;
    std::size_t tests = 0;
    std::size_t failures = 0;
    std::size_t errors = 0;
    forEachCase({one}, [&](const auto& file, const auto& name, const auto& why, bool unusable) {
      ++tests;
      cases += fmt::format("    <testcase classname=\"{}\" name=\"{}\"", xml(file), xml(name));
      if (why.empty()) {
        cases += "/>\n";
        return;
      }
      ++(unusable ? errors : failures);
      const char* kind = unusable ? "error" : "failure";
      cases += fmt::format(">\n      <{} message=\"{}\">{}</{}>\n    </testcase>\n", kind,
                           xml(firstLine(why)), xml(why), kind);
    });
    suites +=
        fmt::format("  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\">\n{}",
                    xml(one.first), tests, failures, errors, cases) +
        "  </testsuite>\n";
    total += tests;
    failed += failures;
    broken += errors;
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuites name=\"tether\" tests=\"{}\" failures=\"{}\" errors=\"{}\">\n{}"
      "</testsuites>\n",
      total, failed, broken, suites);
}

std::string tapOf(const AllResults& all) {
  std::string lines;
  std::size_t number = 0;
  forEachCase(all, [&](const auto& file, const auto& name, const auto& why, bool /*unusable*/) {
    std::string title = escapeForTerminal(name == file ? file : fmt::format("{}: {}", file, name));
    for (std::size_t at = 0; (at = title.find('#', at)) != title.npos; at += 2) {
      title.insert(at, 1, '\\');  // or it would begin a directive
    }
    lines += fmt::format("{}ok {} - {}\n", why.empty() ? "" : "not ", ++number, title);
    std::istringstream reasons(why);
    for (std::string line; std::getline(reasons, line);) lines.append("# ").append(line) += '\n';
  });
  return fmt::format("TAP version 13\n1..{}\n{}", number, lines);
}

json jsonOf(const AllResults& all) {
  json list = json::array();
  for (const auto& [file, results] : all) {
    if (!results.problem.empty()) {
      list.push_back({{"file", file}, {"outcome", "error"}, {"report", results.problem}});
      continue;
    }
    for (const auto& result : results.results) {
      json one = {{"file", file},
                  {"name", result.name},
                  {"outcome", result.passed() ? "passed" : "failed"}};
      if (!result.cell.empty()) one["cell"] = result.cell;
      if (!result.report.empty()) one["report"] = result.report;
      list.push_back(std::move(one));
    }
  }
  return list;
}

}  // namespace tether::cli
