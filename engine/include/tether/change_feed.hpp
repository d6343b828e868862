// What happens in a store, as it happens: by any thread, in any process. A program that serves many
// who wait reads one feed and tells each what is theirs.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tether/clock.hpp"
#include "tether/store.hpp"

namespace tether {

/// Look, wait, look again: no commit is missed in between. Thread safety: none.
class CommitWatch {
 public:
  explicit CommitWatch(Store& store) : store_(store), seen_(store.changeCount()) {}

  /// True: something has been committed since the last call (or since this was made). False:
  /// `atMost` is over, or half a second, as a hint may be lost, or Store::interruptWaits() was
  /// called.
  bool wait(Duration atMost);

 private:
  Store& store_;
  std::uint32_t seen_;
};

/// Calls `look` now and after each commit, until it returns true. False: `atMost` ended first, and
/// the last look was not before that. Throws what `look` throws, and Invalid within a closure or a
/// `done` of the store, while which nothing can move.
bool waitUntil(Store& store, Duration atMost, const std::function<bool()>& look);

/// A cursor over what happened. Thread safety: none, but Store::interruptWaits() ends its wait.
class ChangeFeed {
 public:
  using Look = std::function<void(Snapshot& snapshot)>;

  /// Begins after this position, a Change::seq or Snapshot::lastSeq(); with what happened in one
  /// flow alone, or in all (empty).
  ChangeFeed(Store& store, std::int64_t after, std::string correlationId = {})
      : commits_(store),
        store_(store),
        position_(after),
        correlationId_(std::move(correlationId)) {}

  /// What happened next, oldest first; perhaps nothing. Does not wait. `atEnd` is called in the
  /// same look when nothing has happened after what is returned. Errors: Conflict (a restore took
  /// back what happened at the position).
  std::vector<Change> next(const Look& atEnd = {});

  /// Returns at once when next() has more, else as CommitWatch::wait().
  void wait(Duration atMost);

  /// Where a later feed goes on.
  std::int64_t position() const { return position_; }

 private:
  CommitWatch commits_;
  Store& store_;
  std::int64_t position_;
  std::string correlationId_;
  bool more_ = true;
};

}  // namespace tether
