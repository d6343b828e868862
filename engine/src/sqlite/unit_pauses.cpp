// Queues and lanes of which nothing is claimed: paused by hand, or by the breaker.
#include <algorithm>

#include "model/kept_text.hpp"
#include "sqlite/unit.hpp"

namespace tether::sqlite {

void SqliteUnit::loadPauses() {
  pausesStale_ = false;
  pauses_.clear();
  auto rows = connection_.query(
      "SELECT q.id, p.lane, p.failures, p.paused_at, p.probe_at, p.probe_every FROM tether_pause p"
      " JOIN tether_queue q ON q.name = p.queue");
  for (bool more = rows.first(); more; more = rows.step()) {
    PauseRow row;
    row.failures = static_cast<int>(rows.integer(2));
    row.pausedAt = rows.time(3);
    row.probeAt = rows.time(4);
    row.probeEvery = Duration{rows.null(5) ? 0 : rows.integer(5)};
    pauses_[{rows.integer(0), rows.text(1)}] = row;
  }
}

const SqliteUnit::PauseRow* SqliteUnit::pauseOf(std::int64_t queue, const std::string& lane) const {
  if (pauses_.empty()) return nullptr;
  const auto found = pauses_.find({queue, lane});
  return found == pauses_.end() ? nullptr : &found->second;
}

bool SqliteUnit::closed(std::int64_t queue, const std::string& lane) const {
  const auto* whole = pauseOf(queue, "");
  if (whole != nullptr && whole->pausedAt) return true;
  const auto* own = pauseOf(queue, lane);
  return own != nullptr && own->pausedAt.has_value();
}

std::size_t SqliteUnit::laneRoom(std::int64_t queue, const std::string& lane, std::size_t max,
                                 const ClaimRequest& request, CommandClaims& claims) {
  if (!closed(queue, lane)) return max;
  const auto* whole = pauseOf(queue, "");
  const auto* own = pauseOf(queue, lane);
  if ((whole != nullptr && whole->pausedAt) || !own->probeAt) return 0;  // by hand
  // A probe that is further away than their distance was put there by a clock that was ahead.
  const bool ahead = *own->probeAt - own->probeEvery > request.now;
  if (*own->probeAt > request.now && !ahead) {
    claims.nextDue = std::min(claims.nextDue.value_or(*own->probeAt), *own->probeAt);
    return 0;
  }
  return std::min<std::size_t>(max, 1);
}

void SqliteUnit::probe(std::int64_t queue, const std::string& lane, Time now) {
  auto& row = pauses_[{queue, lane}];
  row.probeAt = now + row.probeEvery;
  connection_
      .query(
          "UPDATE tether_pause SET probe_at = ?3 WHERE lane = ?2"
          " AND queue = (SELECT name FROM tether_queue WHERE id = ?1)")
      .run(queue, lane, row.probeAt);
}

void SqliteUnit::countFailure(const ClaimedCommand& claim, const Breaker& breaker, Time now) {
  if (breaker.failures <= 0) return;
  const auto queue = claim.ref.queue;
  const auto& lane = claim.command.type;
  auto& row = pauses_[{queue, lane}];
  ++row.failures;
  if (row.failures >= breaker.failures && !row.pausedAt) {
    row.pausedAt = now;
    row.probeEvery = breaker.probe;
    row.probeAt = now + breaker.probe;
  }
  connection_
      .query(
          "INSERT INTO tether_pause (queue, lane, failures, paused_at, probe_at, probe_every)"
          " SELECT name, ?2, ?3, ?4, ?5, ?6 FROM tether_queue WHERE id = ?1"
          " ON CONFLICT DO UPDATE SET failures = excluded.failures,"
          " paused_at = excluded.paused_at, probe_at = excluded.probe_at,"
          " probe_every = excluded.probe_every")
      .run(queue, lane, row.failures, row.pausedAt, row.probeAt,
           row.probeEvery > Duration{0} ? std::optional<std::int64_t>(row.probeEvery.count())
                                        : std::nullopt);
}

void SqliteUnit::countSuccess(const ClaimedCommand& claim) {
  const auto* row = pauseOf(claim.ref.queue, claim.command.type);
  const bool byHand = row != nullptr && row->pausedAt && !row->probeAt;
  if (row == nullptr || byHand) return;
  pauses_.erase({claim.ref.queue, claim.command.type});
  connection_
      .query(
          "DELETE FROM tether_pause WHERE lane = ?2"
          " AND queue = (SELECT name FROM tether_queue WHERE id = ?1)")
      .run(claim.ref.queue, claim.command.type);
}

bool SqliteUnit::pause(const std::string& queue, const std::string& type, const Operator& by,
                       Time now) {
  const auto who = kept(by);
  const auto changed = connection_
                           .query(
                               "INSERT INTO tether_pause (queue, lane, paused_at, operator, reason)"
                               " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET paused_at ="
                               " excluded.paused_at, probe_at = NULL, probe_every = NULL,"
                               " operator = excluded.operator, reason = excluded.reason"
                               // By hand already: it stays as it is.
                               " WHERE paused_at IS NULL OR probe_at IS NOT NULL")
                           .run(queue, type, now, who.name, OrNull{who.reason});
  loadPauses();
  return changed > 0;
}

bool SqliteUnit::resume(const std::string& queue, const std::string& type) {
  const auto removed = connection_
                           .query(
                               "DELETE FROM tether_pause WHERE queue = ?1 AND lane = ?2"
                               " AND paused_at IS NOT NULL")
                           .run(queue, type);
  loadPauses();
  return removed > 0;
}

bool SqliteUnit::paused(const std::string& queue, const std::string& type) {
  return !pauses_.empty() && closed(queueId(queue, false, true), type);
}

}  // namespace tether::sqlite
