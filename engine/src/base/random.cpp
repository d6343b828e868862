#include <pthread.h>
#include <sys/random.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <system_error>

#include "tether/error.hpp"
#include "tether/ids.hpp"

namespace tether {
namespace {

std::atomic<unsigned> forks{0};

/// A system call for each number would cost more than the id that is made of it, so each thread
/// keeps a few in stock. A forked child must not hand out its parent's.
class Stock {
 public:
  std::uint64_t take() {
    const unsigned now = forks.load(std::memory_order_relaxed);
    if (left_ == 0 || now != forksSeen_) refill(now);
    return words_[--left_];
  }

 private:
  void refill(unsigned forksNow) {
    // Up to 256 bytes come whole, or not at all.
    static_assert(sizeof(words_) <= 256);
    while (getrandom(words_.data(), sizeof(words_), 0) != static_cast<ssize_t>(sizeof(words_))) {
      if (errno == EINTR) continue;
      throw Error(ErrorCode::Internal,
                  "the system gives no randomness: " + std::generic_category().message(errno));
    }
    left_ = words_.size();
    forksSeen_ = forksNow;
  }

  std::array<std::uint64_t, 32> words_{};
  std::size_t left_ = 0;
  unsigned forksSeen_ = 0;
};

class SystemRandom final : public Random {
 public:
  SystemRandom() {
    pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });
  }

  std::uint64_t next() override {
    thread_local Stock stock;
    return stock.take();
  }
};

}  // namespace

double Random::unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

Random& systemRandom() {
  static SystemRandom random;
  return random;
}

// SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
std::uint64_t SeededRandom::next() {
  const std::lock_guard lock(mutex_);
  std::uint64_t mixed = state_ += 0x9E3779B97F4A7C15;
  mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9;
  mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB;
  return mixed ^ mixed >> 31;
}

}  // namespace tether
