// Where prepare() runs: on worker threads, or on the thread that turns the engine.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace tether::flow {

class Executor {
 public:
  virtual ~Executor() = default;
  /// Throws std::system_error when there is no thread for it; then it is not run.
  virtual void run(std::function<void()> task) = 0;
};

/// Keeps tasks until somebody calls runOne().
class InlineExecutor final : public Executor {
 public:
  void run(std::function<void()> task) override {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  bool runOne() {
    std::function<void()> task;
    {
      const std::lock_guard lock(mutex_);
      if (tasks_.empty()) return false;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
    return true;
  }

 private:
  std::mutex mutex_;
  std::deque<std::function<void()>> tasks_;
};

/// At most `max` threads, made when they are needed. The destructor waits for what runs.
class ThreadPool final : public Executor {
 public:
  explicit ThreadPool(std::size_t max) : max_(max) {}
  ~ThreadPool() override;
  void run(std::function<void()> task) override;

 private:
  void loop();

  std::size_t max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;
  bool stopping_ = false;
};

}  // namespace tether::flow
