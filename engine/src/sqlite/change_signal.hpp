// Tells processes on one store that somebody committed: a futex on a counter in a small shared file
// beside the store. One system call wakes all; there is nothing to register and no dead peer to
// clean up. A hint that is lost costs latency only.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "tether/clock.hpp"

namespace tether::sqlite {

/// Whoever cuts the file must not end this process by SIGBUS. So it never touches the mapping
/// itself: the kernel does, which answers EFAULT, and the count is read from the file.
/// Thread safety: every call from any thread.
class ChangeSignal {
 public:
  /// An empty path, or a file that cannot be made: within this process only.
  explicit ChangeSignal(const std::string& path);
  ~ChangeSignal();
  ChangeSignal(const ChangeSignal&) = delete;
  ChangeSignal& operator=(const ChangeSignal&) = delete;

  void raise();
  std::uint32_t count() const;
  /// Without what this object raised.
  std::uint32_t foreignCount() const { return count() - raised_.load(std::memory_order_acquire); }
  /// True: the count is not `seen` any more.
  bool wait(std::uint32_t seen, Duration atMost);

 private:
  /// Nothing: it was cut, and cannot be made whole.
  bool readShared(std::uint32_t& value) const;
  bool shared() const { return shared_ != nullptr && !lost_; }

  std::atomic<std::uint32_t> raised_{0};
  mutable std::atomic<std::uint32_t> own_{0};  // where nothing is shared
  mutable std::atomic<bool> lost_{false};
  int file_ = -1;
  void* shared_ = nullptr;
};

}  // namespace tether::sqlite
