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

bool addAndWake(void* counter) {
  constexpr int kAddOne = FUTEX_OP(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_LT, 0);
  return ::syscall(SYS_futex, counter, FUTEX_WAKE_OP, INT_MAX, 0L, counter, kAddOne) >= 0;
}

void waitWhile(void* counter, std::uint32_t seen, Duration atMost) {
  timespec timeout{};
  timeout.tv_sec = static_cast<time_t>(atMost.count() / 1'000'000);
  timeout.tv_nsec = static_cast<long>(atMost.count() % 1'000'000) * 1000;
  ::syscall(SYS_futex, counter, FUTEX_WAIT, seen, &timeout, nullptr, 0);
}

}  // namespace

ChangeSignal::ChangeSignal(const std::string& path) {
  if (path.empty()) return;
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file_ < 0) return;
  struct stat status {};
  if (::fstat(file_, &status) != 0 || !S_ISREG(status.st_mode) ||
      ::posix_fallocate(file_, 0, kFileBytes) != 0) {
    return;
  }
  void* memory = ::mmap(nullptr, kFileBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0);
  if (memory != MAP_FAILED) shared_ = memory;
}

ChangeSignal::~ChangeSignal() {
  if (shared_ != nullptr) ::munmap(shared_, kFileBytes);
  if (file_ >= 0) ::close(file_);
}

void ChangeSignal::raise() {
  raised_.fetch_add(1, std::memory_order_release);
  std::uint32_t value = 0;
  if (shared() && (addAndWake(shared_) || (readShared(value) && addAndWake(shared_)))) return;
  addAndWake(&own_);
}

bool ChangeSignal::readShared(std::uint32_t& value) const {
  for (int time = 0; time < 2; ++time) {
    if (::pread(file_, &value, sizeof value, 0) == sizeof value) return true;
    if (::posix_fallocate(file_, 0, kFileBytes) != 0) break;
  }
  lost_ = true;  // as if it could not have been made
  return false;
}

std::uint32_t ChangeSignal::count() const {
  std::uint32_t value = 0;
  if (shared() && readShared(value)) return value;
  return own_.load(std::memory_order_acquire);
}

bool ChangeSignal::wait(std::uint32_t seen, Duration atMost) {
  using Steady = std::chrono::steady_clock;
  const auto began = Steady::now();
  while (count() == seen) {
    const auto left = atMost - std::chrono::floor<Duration>(Steady::now() - began);
    if (left <= Duration{0}) return false;
    // One that was cut is whole again, and at 0, as soon as it is read.
    waitWhile(shared() ? shared_ : &own_, seen, left);
  }
  return true;
}

}  // namespace tether::sqlite
