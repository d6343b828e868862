// Prints on a thread of its own, so that a reader who does not read holds up nobody: neither the
// work, as long as there is room, nor a signal.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

#include "printer.hpp"

namespace tether::cli {

/// Thread safety: finish() by one thread, after which the printer is the caller's again; the others
/// from any thread.
class Outlet {
 public:
  explicit Outlet(Printer& print) : print_(print), thread_([this] { loop(); }) {}
  /// Waits until all is printed.
  ~Outlet();
  Outlet(const Outlet&) = delete;
  Outlet& operator=(const Outlet&) = delete;

  /// `bytes` is about what it keeps in memory. Once nobody reads any more it is forgotten.
  void say(std::function<void(Printer&)> what, std::size_t bytes);
  /// False: much has not been printed yet, so that more work should wait.
  bool hasRoom() const { return waiting_ < kMost && bytes_ < kBytesMost; }
  /// True: all was printed, and nothing will be. False: not yet, after `atMost`.
  bool finish(Duration atMost);
  /// Why printing failed; null: it did not, or the reader has gone.
  std::exception_ptr failure() const;

 private:
  static constexpr std::size_t kMost = 4096;
  static constexpr std::size_t kBytesMost = 8 << 20;
  struct Item {
    std::function<void(Printer&)> what;
    std::size_t bytes = 0;
  };

  void loop();
  void print(const Item& item);

  Printer& print_;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::deque<Item> items_;
  bool ending_ = false;
  bool ended_ = false;
  bool closed_ = false;
  std::exception_ptr failure_;
  std::atomic<std::size_t> waiting_{0};
  std::atomic<std::size_t> bytes_{0};
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace tether::cli
