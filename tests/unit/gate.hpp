// A place where a command waits until the test lets it go.
#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <utility>

namespace tether::testing {

struct Gate {
  std::mutex mutex;
  std::condition_variable changed;
  bool arrived = false;
  bool open = false;

  void arrive() {
    const std::lock_guard lock(mutex);
    arrived = true;
    changed.notify_all();
  }
  void pass(std::stop_token stop = {}) {
    arrive();
    std::unique_lock lock(mutex);
    const std::stop_callback wake(stop, [this] { changed.notify_all(); });
    changed.wait(lock, [&] { return open || stop.stop_requested(); });
  }
  void awaitArrival() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return arrived; });
  }
  void release() {
    const std::lock_guard lock(mutex);
    open = true;
    changed.notify_all();
  }
};

}  // namespace tether::testing
