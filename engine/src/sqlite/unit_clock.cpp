// A clock that was ahead, and is right now: what was counted by it is counted from now. Else it
// would wait for as long as the clock was wrong, and with it all that is behind it.
#include "sqlite/unit.hpp"

namespace tether::sqlite {

namespace {

constexpr std::int64_t kPage = 1000;  // the rest is found by the next look

}  // namespace

void SqliteUnit::recount(Time now) {
  struct Ahead {
    MessageRef ref;
    Duration by;
    std::int64_t commandSeq;
  };
  std::vector<Ahead> ahead;
  {
    auto found = connection_.query(
        "SELECT queue, lane, due_at, seq, counted_from, command_seq FROM tether_message"
        " INDEXED BY tether_message_counted WHERE counted_from > ?1 LIMIT ?2");
    for (bool more = found.first(now, kPage); more; more = found.step()) {
      ahead.push_back({{found.integer(0), found.text(1), found.integer(2), found.integer(3)},
                       *found.time(4) - now,
                       found.null(5) ? 0 : found.integer(5)});
    }
  }
  for (const auto& [ref, by, commandSeq] : ahead) {
    const auto due = ref.due == kReady ? kReady : ref.due - by.count();  // ready: it is leased
    connection_
        .query(
            "UPDATE tether_message SET due_at = ?5, lease_until = lease_until - ?6,"
            " counted_from = ?7 WHERE queue = ?1 AND lane = ?2 AND due_at = ?3 AND seq = ?4")
        .run(ref.queue, ref.lane, ref.due, ref.seq, due, by.count(), now);
    if (commandSeq != 0) moveCommandMessage(commandSeq, ref.seq, due, ref.seq);
  }
}

void SqliteUnit::recountOwners(Time now) {
  connection_
      .query(
          "UPDATE tether_owner SET alive_until = alive_until - (beat_at - ?1), beat_at = ?1"
          " WHERE beat_at > ?1")
      .run(now);
}

}  // namespace tether::sqlite
