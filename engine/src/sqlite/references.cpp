#include "sqlite/references.hpp"

#include <algorithm>

namespace tether::sqlite {

// Messages of other lanes carry open commands, which nobody prunes.
#define TETHER_UNREAD                                                                           \
  "SELECT coalesce(m.event_seq, m.command_seq) FROM tether_queue q CROSS JOIN tether_message m" \
  " ON m.queue = q.id AND m.lane = '' AND "

void References::follow(Connection& connection, std::int64_t committed) {
  const bool all = until_ == 0;
  auto referred = connection.query(
      // By how they are due, so that each part is a range of the table's order.
      TETHER_UNREAD "m.due_at = 0 AND m.seq > ?1 UNION ALL " TETHER_UNREAD
                    "m.due_at = 9223372036854775807 AND m.seq > ?1 UNION ALL " TETHER_UNREAD
                    "m.due_at > 0 AND m.due_at < 9223372036854775807 AND m.seq > ?1 UNION ALL"
                    " SELECT event_seq FROM tether_dead_letter WHERE seq > ?1");
  for (bool more = referred.first(until_); more; more = referred.step()) {
    if (referred.null(0)) continue;
    if (all) {
      first_.push_back(referred.integer(0));
    } else {
      since_.insert(referred.integer(0));
    }
  }
  if (all) std::ranges::sort(first_);
  until_ = committed;
}

bool References::contains(std::int64_t seq) const {
  return std::ranges::binary_search(first_, seq) || since_.contains(seq);
}

}  // namespace tether::sqlite
