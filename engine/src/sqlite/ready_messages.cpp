#include "sqlite/ready_messages.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "sqlite/unit.hpp"

namespace tether::sqlite {

namespace {

constexpr std::size_t kPieceLeast = 8;

}  // namespace

void ReadyMessages::add(const std::string& lane, std::size_t room) { advance({lane, room, 0, {}}); }

std::optional<ReadyMessage> ReadyMessages::next() {
  if (lanes_.empty()) return {};
  auto lane = std::move(lanes_.begin()->second);
  lanes_.erase(lanes_.begin());
  const auto message = lane.read.front();
  lane.read.pop_front();
  advance(std::move(lane));
  return message;
}

/// Takes its place among the lanes again, if there is more of it.
void ReadyMessages::advance(Lane lane) {
  if (lane.read.empty() && lane.room > 0) {
    const auto piece = std::min(lane.room, std::max(piece_, kPieceLeast));
    auto found = connection_.query(
        "SELECT seq, fence, receives, suspect, command_seq FROM tether_message WHERE queue = ?1"
        " AND lane = ?2 AND due_at = 0 AND seq > ?3 AND owner IS NULL ORDER BY seq LIMIT ?4");
    for (bool more = found.first(queue_, lane.name, lane.last, piece); more; more = found.step()) {
      lane.read.push_back({found.integer(0), found.integer(1), static_cast<int>(found.integer(2)),
                           static_cast<int>(found.integer(3)), found.integer(4)});
    }
    lane.room = lane.read.size() < piece ? 0 : lane.room - piece;
  }
  if (lane.read.empty()) return;
  lane.last = lane.read.back().seq;
  const auto at = lane.read.front().seq;
  lanes_.emplace(at, std::move(lane));
}

std::vector<ClaimedCommand> readClaims(Connection& connection, std::int64_t queue,
                                       const std::vector<ReadyMessage>& chosen, std::size_t& bytes,
                                       bool& more) {
  std::vector<ClaimedCommand> claims;
  if (chosen.empty()) return claims;
  auto seqs = nlohmann::json::array();
  for (const auto& message : chosen) seqs.push_back(message.commandSeq);
  const auto list = seqs.dump();
  auto commands = connection.query("SELECT " TETHER_COMMAND_COLUMNS
                                   "FROM json_each(?1) j CROSS JOIN " TETHER_COMMAND_TABLES
                                   "WHERE c.seq = j.value");
  auto message = chosen.begin();
  for (bool row = commands.first(list); row; row = commands.step()) {
    if (bytes == 0 && !claims.empty()) {
      more = true;
      break;
    }
    ClaimedCommand claim;
    claim.command = readCommand(commands);
    bytes -= std::min(bytes, claim.command.payload.size());
    while (message->commandSeq != claim.command.seq) ++message;  // of one there is no command
    claim.ref = {queue, claim.command.type, kReady, message->seq, message->fence};
    claim.attempt = message->receives;
    claim.crashed = message->suspect == kCrashed;
    claims.push_back(std::move(claim));
  }
  return claims;
}

}  // namespace tether::sqlite
