#include "tether/change_feed.hpp"

#include <algorithm>

#include "tether/error.hpp"

namespace tether {

bool CommitWatch::wait(Duration atMost) {
  constexpr Duration kLookAgain = std::chrono::milliseconds{500};
  const bool moved = store_.waitForChange(seen_, std::min(atMost, kLookAgain));
  seen_ = store_.changeCount();
  return moved;
}

bool waitUntil(Store& store, Duration atMost, const std::function<bool()>& look) {
  using Steady = std::chrono::steady_clock;
  if (store.inClosure()) {
    throw Error(ErrorCode::Invalid,
                "nothing can be waited for in execute, done or onEnded, for which the store waits: "
                "use context.submit() or submitAsync() there, or another thread");
  }
  const auto began = Steady::now();
  for (CommitWatch commits(store);;) {
    if (look()) return true;
    const auto left = atMost - std::chrono::floor<Duration>(Steady::now() - began);
    if (left <= Duration{0}) return false;
    (void)commits.wait(left);
  }
}

std::vector<Change> ChangeFeed::next(const Look& atEnd) {
  constexpr std::size_t kAtOnce = 500;
  std::vector<Change> changes;
  store_.read([&](Snapshot& snapshot) {
    changes = snapshot.changes(position_, kAtOnce);
    more_ = changes.size() == kAtOnce;
    if (!more_ && atEnd) atEnd(snapshot);
  });
  if (!changes.empty()) position_ = changes.back().seq;
  if (!correlationId_.empty()) {
    std::erase_if(changes,
                  [&](const Change& change) { return change.correlationId != correlationId_; });
  }
  return changes;
}

void ChangeFeed::wait(Duration atMost) {
  if (!more_) (void)commits_.wait(atMost);
}

}  // namespace tether
