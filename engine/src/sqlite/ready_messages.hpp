// What is ready in several lanes of a queue, oldest first over all of them. Each lane is read in
// small pieces and without what its messages carry, so that much in many lanes costs no more than
// much in one.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sqlite/connection.hpp"
#include "tether/unit.hpp"

namespace tether::sqlite {

struct ReadyMessage {
  std::int64_t seq = 0;
  std::int64_t fence = 0;
  int receives = 0;
  int suspect = 0;
  std::int64_t commandSeq = 0;
};

class ReadyMessages {
 public:
  /// `piece`: how many are read of a lane at once.
  ReadyMessages(Connection& connection, std::int64_t queue, std::size_t piece)
      : connection_(connection), queue_(queue), piece_(piece) {}

  /// At most `room` of this lane.
  void add(const std::string& lane, std::size_t room);
  /// Nothing: that was all.
  std::optional<ReadyMessage> next();

 private:
  struct Lane {
    std::string name;
    std::size_t room = 0;  // that is not read yet
    std::int64_t last = 0;
    std::deque<ReadyMessage> read;
  };
  void advance(Lane lane);

  Connection& connection_;
  std::int64_t queue_;
  std::size_t piece_;
  std::map<std::int64_t, Lane> lanes_;  // by the seq of the next of each
};

/// The commands of these messages, in their order and as they stand, as far as the bytes go: at
/// least one. What they take of the bytes is taken off; `more`: they did not go far enough.
std::vector<ClaimedCommand> readClaims(Connection& connection, std::int64_t queue,
                                       const std::vector<ReadyMessage>& chosen, std::size_t& bytes,
                                       bool& more);

}  // namespace tether::sqlite
