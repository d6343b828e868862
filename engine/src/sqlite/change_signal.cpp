#include "sqlite/change_signal.hpp"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <ctime>

namespace tether::sqlite {

namespace {

constexpr std::size_t kFileBytes = 4096;

static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

}  // namespace

ChangeSignal::ChangeSignal(const std::string& path) {
  if (path.empty()) return;
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return;
  struct stat status {};
  if (::fstat(file, &status) == 0 && S_ISREG(status.st_mode) &&
      ::posix_fallocate(file, 0, kFileBytes) == 0) {
    void* memory = ::mmap(nullptr, kFileBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory != MAP_FAILED) counter_ = static_cast<std::atomic<std::uint32_t>*>(memory);
  }
  ::close(file);
}

ChangeSignal::~ChangeSignal() {
  if (counter_ != &own_) ::munmap(counter_, kFileBytes);
}

void ChangeSignal::raise() {
  raised_.fetch_add(1, std::memory_order_release);
  counter_->fetch_add(1, std::memory_order_release);
  ::syscall(SYS_futex, counter_, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

std::uint32_t ChangeSignal::count() const { return counter_->load(std::memory_order_acquire); }

bool ChangeSignal::wait(std::uint32_t seen, Duration atMost) {
  using Steady = std::chrono::steady_clock;
  const auto began = Steady::now();
  while (count() == seen) {
    const auto left = atMost - std::chrono::floor<Duration>(Steady::now() - began);
    if (left <= Duration{0}) return false;
    timespec timeout{};
    timeout.tv_sec = static_cast<time_t>(left.count() / 1'000'000);
    timeout.tv_nsec = static_cast<long>(left.count() % 1'000'000) * 1000;
    ::syscall(SYS_futex, counter_, FUTEX_WAIT, seen, &timeout, nullptr, 0);
  }
  return true;
}

}  // namespace tether::sqlite
