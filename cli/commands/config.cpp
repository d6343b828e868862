// Print each setting, its value and where it came from. See man/tether-store.1.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <string>
#include <vector>

#include "all.hpp"
#include "tether/json.hpp"

namespace tether::cli {
namespace {

using nlohmann::json;

struct ConfigOptions {};

struct Row {
  std::string name;
  std::string value;
  std::string from;
};

/// The settings that only the project file and the defaults decide.
std::vector<Row> catalogRows(Session& session) {
  session.requireTransports();
  const auto file = session.catalog().file();
  const auto options = session.catalog().options();
  // The catalog was read and checked; here only the presence of a key matters.
  const auto given = parseJsonWithComments("tether.json", session.read(file.string(), 1 << 20));

  std::vector<Row> rows;
  const auto add = [&](const char* pointer, std::string value) {
    const auto place = json::json_pointer(pointer);
    std::string name = std::string(pointer).substr(1);
    for (auto& letter : name) letter = letter == '/' ? '.' : letter;
    rows.push_back({name, std::move(value), given.contains(place) ? "tether.json" : "default"});
  };
  std::vector<std::string> queues;
  for (const auto& [name, address] : options.queues) queues.push_back(name + "=" + address.text());
  std::vector<std::string> classes;
  for (const auto& [pattern, policy] : options.retry.errors) classes.push_back(pattern);

  add("/source", options.source);
  add("/checkpoint", options.checkpoints == Checkpoints::Own ? "own" : "external");
  add("/queues", fmt::format("{}", fmt::join(queues, " ")));
  add("/listen", fmt::format("{}", fmt::join(options.listen, " ")));
  add("/defaults/timeout", toText(options.timeout));
  add("/defaults/hold", toText(options.hold));
  add("/defaults/retention", toText(options.retention));
  add("/defaults/idempotency",
      options.idempotency == Duration{0} ? "as long as the command" : toText(options.idempotency));
  add("/defaults/retry/maxAttempts", std::to_string(options.retry.maxAttempts));
  add("/defaults/retry/backoff", std::string(view::wordOf(options.retry.backoff)));
  add("/defaults/retry/initial", toText(options.retry.initial));
  add("/defaults/retry/max", toText(options.retry.max));
  add("/defaults/retry/multiplier", fmt::format("{}", options.retry.multiplier));
  add("/defaults/retry/jitter", std::string(view::wordOf(options.retry.jitter)));
  add("/defaults/retry/retryFor", toText(options.retry.retryFor));
  add("/defaults/retry/onExhausted", std::string(view::wordOf(options.retry.onExhausted)));
  add("/defaults/retry/errors", fmt::format("{}", fmt::join(classes, " ")));
  add("/defaults/breaker/failures",
      options.breaker.failures == 0 ? "never" : std::to_string(options.breaker.failures));
  add("/defaults/breaker/probe", toText(options.breaker.probe));
  add("/defaults/workers", std::to_string(options.workers));
  add("/defaults/prefetch", std::to_string(options.prefetch));
  return rows;
}

int runConfig(const ConfigOptions&, Session& session) {
  const auto file = session.catalogFile();
  std::vector<Row> rows;
  rows.push_back(
      {"folder", session.folder().string(), session.globals().folder.empty() ? "default" : "-C"});
  rows.push_back({"project", file ? file->string() : "", file ? "found" : "none"});
  if (file || !session.globals().store.empty() || session.env("TETHER_STORE")) {
    const auto store = session.storeSetting();
    rows.push_back({"store", store.value, store.from});
  }
  const auto color = session.colorSetting();
  rows.push_back({"color", color.value, color.from});
  if (file) {
    for (auto& row : catalogRows(session)) rows.push_back(std::move(row));
  }

  auto data = json::array();
  Table table{.header = {"SETTING", "VALUE", "FROM"}, .rows = {}};
  for (const auto& row : rows) {
    data.push_back({{"name", row.name}, {"value", row.value}, {"from", row.from}});
    table.rows.push_back({row.name, row.value, {row.from, Style::Dim}});
  }
  session.print().answer("config", data, [&] { session.print().table(table); });
  return kDone;
}

}  // namespace

void addConfig(const Verb& tool, Action& chosen) {
  const auto verb =
      addVerb(tool, "config", "Show each setting and where it came from", "tether config");
  onChosen(verb, chosen, std::make_shared<ConfigOptions>(), runConfig);
}

}  // namespace tether::cli
