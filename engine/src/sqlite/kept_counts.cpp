#include "sqlite/kept_counts.hpp"

#include <sqlite3.h>

#include <map>
#include <tuple>

#include "sqlite/schema.hpp"
#include "sqlite/unit.hpp"

namespace tether::sqlite {

namespace {

/// One row, as it was or as it will be.
class ChangedRow {
 public:
  ChangedRow(sqlite3* handle, bool after) : handle_(handle), after_(after) {}

  bool null(int column) const { return sqlite3_value_type(value(column)) == SQLITE_NULL; }
  std::int64_t integer(int column) const { return sqlite3_value_int64(value(column)); }
  std::string text(int column) const {
    auto* const found = value(column);
    const auto* text = sqlite3_value_text(found);
    if (text == nullptr) return {};
    return {reinterpret_cast<const char*>(text),
            static_cast<std::size_t>(sqlite3_value_bytes(found))};
  }

 private:
  sqlite3_value* value(int column) const {
    sqlite3_value* value = nullptr;
    const int code = after_ ? sqlite3_preupdate_new(handle_, column, &value)
                            : sqlite3_preupdate_old(handle_, column, &value);
    return code == SQLITE_OK ? value : nullptr;
  }

  sqlite3* handle_;
  bool after_;
};

// The places of columns in their tables, see schema.hpp.
constexpr int kQueue = 0;
constexpr int kLane = 1;
constexpr int kDueAt = 2;
constexpr int kJoined = 5;
constexpr int kOwner = 13;
constexpr int kLeaseUntil = 15;
constexpr int kCommandState = 4;
constexpr int kReplayedAt = 14;
constexpr int kArchivedAt = 18;

const char* readinessOf(const ChangedRow& message) {
  if (!message.null(kOwner)) return "held";
  if (!message.null(kLeaseUntil)) return "lent";
  const auto due = message.integer(kDueAt);
  if (due == kReady) return "ready";
  if (due == kParked) return "parked";
  return message.integer(kJoined) != 0 ? "retrying" : "delayed";
}

const char* stateOfLetter(const ChangedRow& letter) {
  if (!letter.null(kReplayedAt)) return "replayed";
  return letter.null(kArchivedAt) ? "waiting" : "archived";
}

}  // namespace

void countAnew(Connection& connection) {
  connection.exec("DELETE FROM tether_count");
  connection.exec(std::string("INSERT INTO tether_count ") + kCounted);
}

void KeptCounts::watch(sqlite3* handle) {
  sqlite3_preupdate_hook(handle, &KeptCounts::onChange, this);
}

void KeptCounts::onChange(void* self, sqlite3* handle, int operation, const char* database,
                          const char* table, long long /*before*/, long long /*after*/) {
  const std::string_view name(table);
  if (!name.starts_with("tether_") || std::string_view(database) != "main") return;
  auto& changes = static_cast<KeptCounts*>(self)->changes_;
  const auto count = [&](const auto& read) {
    const auto at = changes.size();
    if (operation != SQLITE_INSERT) changes.push_back(read(ChangedRow(handle, false), -1));
    if (operation != SQLITE_DELETE) changes.push_back(read(ChangedRow(handle, true), 1));
    if (operation != SQLITE_UPDATE) return;
    const auto& was = changes[at];
    const auto& is = changes[at + 1];
    if (was.state == is.state && was.lane == is.lane && was.queue == is.queue) changes.resize(at);
  };
  if (name == "tether_message") {
    count([](const ChangedRow& row, int by) {
      return Change{"message", row.integer(kQueue), row.text(kLane), readinessOf(row), by};
    });
  } else if (name == "tether_command") {
    count([](const ChangedRow& row, int by) {
      return Change{"command", 0, {}, row.text(kCommandState), by};
    });
  } else if (name == "tether_event" && operation != SQLITE_UPDATE) {
    count([](const ChangedRow&, int by) { return Change{"event", 0, {}, {}, by}; });
  } else if (name == "tether_dead_letter") {
    count([](const ChangedRow& row, int by) {
      return Change{"letter", 0, {}, stateOfLetter(row), by};
    });
  }
}

void KeptCounts::write(Connection& connection) {
  using Counted = std::tuple<std::string_view, std::int64_t, std::string_view, std::string_view>;
  std::map<Counted, std::int64_t> sums;
  for (const auto& change : changes_) {
    sums[{change.of, change.queue, change.lane, change.state}] += change.by;
  }
  for (const auto& [counted, by] : sums) {
    if (by == 0) continue;
    const auto& [of, queue, lane, state] = counted;
    connection
        .query(
            "INSERT INTO tether_count (of, queue, lane, state, n) VALUES (?1, ?2, ?3, ?4, ?5)"
            " ON CONFLICT DO UPDATE SET n = n + excluded.n")
        .run(of, queue, lane, state, by);
  }
  clear();
}

void KeptCounts::countAnew(Connection& connection) {
  sqlite::countAnew(connection);
  clear();
}

}  // namespace tether::sqlite
