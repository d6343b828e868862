// Dead letters, and what operators did with them.
#include <limits>
#include <nlohmann/json.hpp>

#include "sqlite/filter.hpp"
#include "sqlite/snapshot.hpp"
#include "sqlite/unit.hpp"

namespace tether::sqlite {

namespace {

// A page holds about so much; a letter counts as so much beside its content.
constexpr std::size_t kPageBytes = std::size_t{1} << 20U;
constexpr std::size_t kLetterBytes = 1024;

#define TETHER_LETTER_COLUMNS                                                          \
  "l.seq, l.id, l.kind, l.queue, l.type, l.correlation_id, c.id, e.id, l.generation, " \
  "l.attempts, l.body, l.error_code, l.error_message, l.failed_at, l.replayed_at, "    \
  "l.version, l.edited_from, l.fingerprint, l.archived_at, l.command_seq, "            \
  "l.attributes "

#define TETHER_LETTER_TABLES                                                 \
  "tether_dead_letter l LEFT JOIN tether_command c ON c.seq = l.command_seq" \
  " LEFT JOIN tether_event e ON e.seq = l.event_seq "

// The criteria of a filter, ?1 to ?11; ?12 is its limit. Those of a flow are found by their index.
#define TETHER_LETTER_FILTER_BUT_FLOW                                     \
  " (?1 = '' OR l.type = ?1) AND (?2 = '' OR l.error_code = ?2)"          \
  " AND (?3 = '' OR l.queue = ?3)"                                        \
  " AND l.failed_at >= ?5 AND l.failed_at < ?6"                           \
  " AND (?7 = '' OR (l.fingerprint >= ?7 AND l.fingerprint < ?7 || 'g'))" \
  " AND l.attempts BETWEEN ?8 AND ?9"                                     \
  " AND (?10 = '' OR ?10 = iif(l.replayed_at IS NOT NULL, 'replayed',"    \
  " iif(l.archived_at IS NOT NULL, 'archived', 'waiting')))"              \
  " AND (?11 IS NULL OR l.id IN (SELECT value FROM json_each(?11)))"

#define TETHER_LETTER_FILTER TETHER_LETTER_FILTER_BUT_FLOW " AND (?4 = '' OR l.correlation_id = ?4)"
#define TETHER_LETTER_FILTER_OF_FLOW TETHER_LETTER_FILTER_BUT_FLOW " AND l.correlation_id = ?4"

/// Binds a filter and steps to the first row. `limit` may be another number that ?12 stands for.
bool firstOf(Query& query, const Filter& filter, std::int64_t limit) {
  const auto state = filter.letters ? std::string(toString(*filter.letters)) : std::string();
  return query.first(filter.type, filter.error, filter.queue, filter.correlationId, sinceOf(filter),
                     untilOf(filter), filter.group, filter.attemptsMin.value_or(0),
                     filter.attemptsMax.value_or(kAttemptsMost), state, idsOf(filter), limit);
}

#define TETHER_PLAN_ITEM                                                 \
  "SELECT letter_id, outcome, command_id, error_code, error_message, at" \
  " FROM tether_plan_item WHERE plan_id = ?1"

PlanItem readPlanItem(const Query& query) {
  return {
      query.text(0), query.text(1), query.text(2), {query.text(3), query.text(4)}, *query.time(5)};
}

DeadLetter readLetter(const Query& query) {
  DeadLetter letter;
  letter.seq = query.integer(0);
  letter.id = query.text(1);
  letter.kind = parseDeadLetterKind(query.text(2));
  letter.queue = query.text(3);
  letter.type = query.text(4);
  letter.correlationId = query.text(5);
  letter.commandId = query.text(6);
  letter.eventId = query.text(7);
  letter.generation = static_cast<int>(query.integer(8));
  letter.attempts = static_cast<int>(query.integer(9));
  letter.body = query.text(10);
  letter.error = {query.text(11), query.text(12)};
  letter.failedAt = *query.time(13);
  letter.replayedAt = query.time(14);
  letter.version = static_cast<int>(query.integer(15));
  letter.editedFrom = query.text(16);
  letter.group = query.text(17);
  letter.archivedAt = query.time(18);
  letter.commandSeq = query.null(19) ? 0 : query.integer(19);
  if (!query.null(20)) {
    nlohmann::json::parse(query.text(20)).get_to(letter.attributes);
  }
  return letter;
}

}  // namespace

std::vector<DeadLetter> SqliteSnapshot::deadLetters(const Filter& filter) {
  std::vector<DeadLetter> letters;
#define TETHER_LETTERS "SELECT " TETHER_LETTER_COLUMNS "FROM " TETHER_LETTER_TABLES "WHERE"
  auto found =
      filter.correlationId.empty()
          ? connection_.query(TETHER_LETTERS TETHER_LETTER_FILTER " ORDER BY l.seq DESC LIMIT ?12")
          : connection_.query(TETHER_LETTERS TETHER_LETTER_FILTER_OF_FLOW
                              " ORDER BY l.seq DESC LIMIT ?12");
  for (bool more = firstOf(found, filter, limitOf(filter)); more; more = found.step()) {
    letters.push_back(readLetter(found));
  }
  return letters;
}

std::vector<DeadLetter> SqliteSnapshot::deadLettersAfter(const Filter& filter, std::int64_t after) {
  std::vector<DeadLetter> letters;
  std::size_t bytes = 0;
  auto found =
      connection_.query(TETHER_LETTERS TETHER_LETTER_FILTER " AND l.seq > ?12 ORDER BY l.seq");
  for (bool more = firstOf(found, filter, after); more && bytes < kPageBytes; more = found.step()) {
    letters.push_back(readLetter(found));
    bytes += kLetterBytes + letters.back().body.size() + letters.back().editedFrom.size();
  }
  return letters;
}

std::int64_t SqliteSnapshot::refusedEvents(const std::string& correlationId) {
  auto found = connection_.query(
      "SELECT count(*) FROM tether_dead_letter WHERE correlation_id = ?1 AND kind = 'delivery' AND"
      " replayed_at IS NULL AND archived_at IS NULL");
  return found.first(correlationId) ? found.integer(0) : 0;
}

std::optional<DeadLetter> SqliteSnapshot::deadLetter(const std::string& id) {
  auto found = connection_.query("SELECT " TETHER_LETTER_COLUMNS "FROM " TETHER_LETTER_TABLES
                                 "WHERE l.id = ?1");
  if (!found.first(id)) return {};
  return readLetter(found);
}

std::vector<DeadLetterGroup> SqliteSnapshot::deadLetterGroups(const Filter& filter) {
  std::vector<DeadLetterGroup> groups;
  auto found = connection_.query(
      "SELECT n.fingerprint, n.kind, n.type, n.error_code, n.error_message, g.count, g.first,"
      " g.last, n.id FROM (SELECT count(*) AS count, min(l.failed_at) AS first,"
      " max(l.failed_at) AS last, max(l.seq) AS newest FROM tether_dead_letter l"
      " WHERE" TETHER_LETTER_FILTER
      " GROUP BY l.fingerprint) g JOIN tether_dead_letter n ON n.seq = g.newest"
      " ORDER BY g.count DESC, g.newest DESC LIMIT ?12");
  for (bool more = firstOf(found, filter, limitOf(filter)); more; more = found.step()) {
    groups.push_back({found.text(0),
                      parseDeadLetterKind(found.text(1)),
                      found.text(2),
                      {found.text(3), found.text(4)},
                      found.integer(5),
                      *found.time(6),
                      *found.time(7),
                      found.text(8)});
  }
  return groups;
}

std::vector<AuditEntry> SqliteSnapshot::auditEntries(const std::string& letterId, std::size_t max) {
  std::vector<AuditEntry> entries;
#define TETHER_AUDIT                                                               \
  "SELECT seq, at, action, letter_id, subject_id, type, correlation_id, operator," \
  " operator_from, reason, detail FROM tether_audit "
  // Each with the index that it needs.
  auto found =
      letterId.empty()
          ? connection_.query(TETHER_AUDIT "WHERE ?1 = '' ORDER BY seq DESC LIMIT ?2")
          : connection_.query(TETHER_AUDIT "WHERE letter_id = ?1 ORDER BY seq DESC LIMIT ?2");
  for (bool more = found.first(letterId, max); more; more = found.step()) {
    entries.push_back({found.integer(0),
                       *found.time(1),
                       found.text(2),
                       found.text(3),
                       found.text(4),
                       found.text(5),
                       found.text(6),
                       {found.text(7), found.text(8), found.text(9)},
                       found.text(10)});
  }
  return entries;
}

std::vector<PlanItem> SqliteSnapshot::planItems(const std::string& planId) {
  std::vector<PlanItem> items;
  auto found = connection_.query(TETHER_PLAN_ITEM " ORDER BY at, letter_id");
  for (bool more = found.first(planId); more; more = found.step()) {
    items.push_back(readPlanItem(found));
  }
  return items;
}

std::optional<PlanItem> SqliteSnapshot::planItem(const std::string& planId,
                                                 const std::string& letterId) {
  auto found = connection_.query(TETHER_PLAN_ITEM " AND letter_id = ?2");
  if (!found.first(planId, letterId)) return {};
  return readPlanItem(found);
}

Prunable SqliteSnapshot::prunable(const Prune& prune) {
  References referred;
  referred.follow(connection_, 0);
  const auto found =
      findOldRows(connection_, referred, prune, 0, std::numeric_limits<std::int64_t>::max());
  return {static_cast<std::int64_t>(found.commands.size() + found.received.size()), found.kept,
          countOldRecords(connection_, prune.endedBefore)};
}

}  // namespace tether::sqlite
