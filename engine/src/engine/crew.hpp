// The threads of a started engine: it is known of each whether it has ended, so that nobody need
// wait for one that does not.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

#include "flow/executor.hpp"
#include "tether/store.hpp"

namespace tether {

/// While it lives, the calling thread works for `engine`: what waits for the engine's threads would
/// wait for itself.
class AtWork {
 public:
  explicit AtWork(const void* engine) : before_(current()) { current() = engine; }
  ~AtWork() { current() = before_; }
  AtWork(const AtWork&) = delete;
  AtWork& operator=(const AtWork&) = delete;
  static bool isFor(const void* engine) { return current() == engine; }

 private:
  static const void*& current() {
    static thread_local const void* engine = nullptr;
    return engine;
  }
  const void* before_;
};

/// Thread safety: gone() from any thread, the others by one at a time.
class Crew {
 public:
  Crew(const void* engine, Store& store) : engine_(engine), store_(store) {}

  /// Throws std::system_error when there is no thread.
  void add(std::function<void()> loop) {
    ++working_;
    try {
      threads_.emplace_back([this, loop = std::move(loop)] {
        {
          const AtWork atWork(engine_);
          loop();
        }
        --working_;
        store_.interruptWaits();
      });
    } catch (...) {
      --working_;
      throw;
    }
  }
  bool gone() const { return working_ == 0; }
  void join() {
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  const void* engine_;
  Store& store_;
  std::atomic<std::size_t> working_{0};
  std::vector<std::thread> threads_;
};

/// The workers of prepare().
class Workers final : public flow::Executor {
 public:
  Workers(const void* engine, std::size_t most) : engine_(engine), pool_(most) {}
  void run(std::function<void()> task) override {
    pool_.run([engine = engine_, task = std::move(task)] {
      const AtWork atWork(engine);
      task();
    });
  }

 private:
  const void* engine_;
  flow::ThreadPool pool_;
};

}  // namespace tether
