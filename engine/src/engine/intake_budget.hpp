// How many more commands an engine takes in: what can start soon, less what polls may still bring.
#pragma once

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <string>
#include <vector>

#include "tether/store.hpp"

namespace tether {

/// Thread safety: every call from any thread.
class IntakeBudget {
 public:
  IntakeBudget(Store& store, std::size_t prefetch) : store_(store), prefetch_(prefetch) {}

  /// Held by a poll until what it brought is in the store: no other poll counts on that room.
  class Reservation {
   public:
    Reservation(IntakeBudget& budget, std::size_t most, std::size_t held)
        : budget_(budget), most_(most), held_(held) {}
    ~Reservation() {
      const std::lock_guard lock(budget_.mutex_);
      budget_.reserved_ -= held_;
    }
    Reservation(const Reservation&) = delete;
    Reservation& operator=(const Reservation&) = delete;
    std::size_t most() const { return most_; }

   private:
    IntakeBudget& budget_;
    const std::size_t most_;
    const std::size_t held_;
  };

  /// At most `batch`. One command behind a key that waits for a time does not count: a blocked key
  /// holds back only itself, not the queue that it came from. `types`: those that run here. A
  /// `patient` poll, which may wait long for nothing, gets room for one and keeps it from nobody.
  Reservation reserve(const std::vector<std::string>& types, std::size_t batch,
                      bool patient = false) {
    const std::lock_guard lock(mutex_);
    std::size_t taken = 0;
    store_.read([&](Snapshot& snapshot) { taken = snapshot.underWay(types, prefetch_); });
    const auto left = prefetch_ - std::min(prefetch_, taken + reserved_);
    const auto most = std::min(left, patient ? 1 : batch);
    const auto held = patient ? 0 : most;
    reserved_ += held;
    return {*this, most, held};
  }

 private:
  Store& store_;
  const std::size_t prefetch_;
  std::mutex mutex_;
  std::size_t reserved_ = 0;
};

}  // namespace tether
