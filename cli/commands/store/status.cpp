// store status. See man/tether-store.1.
#include <fmt/format.h>

#include <memory>
#include <string>

#include "obstacles.hpp"
#include "tether/store.hpp"
#include "verbs.hpp"

namespace tether::cli {
namespace {

using nlohmann::json;

struct StoreStatusOptions {};

struct Standing {
  StoreInfo info;
  Obstacles obstacles;
  std::optional<LockHolder> lockHolder;
};

template <class Values>
json listOf(const Values& values) {
  auto list = json::array();
  for (const auto& value : values) list.push_back(view::toJson(value));
  return list;
}

json recordOf(const StoreInfo& info) {
  json migrations = json::array();
  for (const auto& migration : info.migrations) {
    migrations.push_back({{"name", migration.name},
                          {"checksum", migration.checksum},
                          {"appliedAt", toText(migration.appliedAt)}});
  }
  json record = {{"location", info.location},       {"library", info.library},
                 {"version", info.version},         {"bytes", info.bytes},
                 {"logBytes", info.logBytes},       {"freeBytes", info.freeBytes},
                 {"commands", info.commands},       {"events", info.events},
                 {"deadLetters", info.deadLetters}, {"archivedLetters", info.archivedLetters},
                 {"lastSeq", info.lastSeq},         {"migrations", std::move(migrations)}};
  if (info.oldestOpen) record["oldestOpen"] = toText(*info.oldestOpen);
  if (info.oldestLetter) record["oldestLetter"] = toText(*info.oldestLetter);
  if (info.oldestOutgoing) record["oldestOutgoing"] = toText(*info.oldestOutgoing);
  return record;
}

json recordOf(const Standing& standing) {
  auto record = recordOf(standing.info);
  record["pauses"] = listOf(standing.obstacles.pauses);
  record["blockedKeys"] = listOf(standing.obstacles.blockedKeys);
  record["stuck"] = listOf(standing.obstacles.stuck);
  if (standing.lockHolder) {
    record["lockHolder"] = {{"pid", standing.lockHolder->pid},
                            {"program", standing.lockHolder->program}};
  }
  return record;
}

std::string commandsText(const StoreInfo& info) {
  std::string text;
  for (const auto& [state, count] : info.commands) {
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, state);
  }
  return text.empty() ? "none" : text;
}

std::string lettersText(const StoreInfo& info, Time now) {
  auto text = std::to_string(info.deadLetters);
  if (info.oldestLetter) text += ", the oldest failed " + whenText(*info.oldestLetter, now);
  if (info.archivedLetters > 0) text += fmt::format("; {} archived", info.archivedLetters);
  return text;
}

void showToPeople(Printer& print, const Standing& standing, Time now) {
  const auto& info = standing.info;
  Table table;
  const auto field = [&](const char* name, Cell value) {
    if (!value.text.empty()) table.rows.push_back({{name, Style::Dim}, std::move(value)});
  };
  field("store", {info.location, Style::Strong});
  field("version",
        fmt::format("{}{}", info.version, info.library.empty() ? "" : ", kept by " + info.library));
  field("size", fmt::format("{}, {} of it free, and {} of log", bytesText(info.bytes),
                            bytesText(info.freeBytes), bytesText(info.logBytes)));
  if (const auto& holder = standing.lockHolder) {
    field("write lock",
          {fmt::format("held by process {} ({})", holder->pid, holder->program), Style::Warning});
  }
  field("commands", commandsText(info));
  if (info.oldestOpen) field("oldest open", whenText(*info.oldestOpen, now));
  if (info.oldestOutgoing) {
    field("waits for a relay", "since " + whenText(*info.oldestOutgoing, now));
  }
  field("events", std::to_string(info.events));
  field("dead letters", {lettersText(info, now), info.deadLetters > 0 ? Style::Bad : Style::Plain});
  const auto& obstacles = standing.obstacles;
  for (const auto& one : obstacles.stuck) field("stuck", {view::describe(one), Style::Bad});
  for (const auto& pause : obstacles.pauses) {
    field("paused", {fmt::format("queue {}{} {}", pause.queue,
                                 pause.type.empty() ? "" : ", type " + pause.type,
                                 view::describe(pause, now)),
                     Style::Warning});
  }
  for (const auto& one : obstacles.blockedKeys) field("blocked", {describe(one), Style::Warning});
  for (const auto& migration : info.migrations) {
    field("migration",
          fmt::format("{}, applied {}", migration.name, whenText(migration.appliedAt, now)));
  }
  print.table(table);
}

int runStatus(const StoreStatusOptions& /*options*/, Session& session) {
  return answerInfo(session.store(), session, "store-status");
}

}  // namespace

std::string bytesText(std::int64_t bytes) {
  if (bytes < 10 * 1024) return fmt::format("{} bytes", bytes);
  if (bytes < 10 * 1024 * 1024) return fmt::format("{} KiB", bytes / 1024);
  return fmt::format("{} MiB", bytes / (1024 * 1024));
}

int answerInfo(Store& store, Session& session, const char* schema) {
  Standing standing;
  standing.lockHolder = store.lockHolder();
  store.read([&](Snapshot& snapshot) {
    standing.info = snapshot.info();
    standing.obstacles = Obstacles::take(snapshot);
  });
  session.print().answer(schema, recordOf(standing),
                         [&] { showToPeople(session.print(), standing, session.clock().now()); });
  return kDone;
}

void addStoreStatus(const Verb& noun, Action& chosen) {
  const auto verb = addVerb(noun, "status", "Show what is in the store", "tether store status");
  onChosen(verb, chosen, std::make_shared<StoreStatusOptions>(), &runStatus);
}

}  // namespace tether::cli
