#include "signals.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cstdint>

#include "tether/error.hpp"

namespace tether::cli {

Signals::Signals() {
  sigset_t mine;
  sigemptyset(&mine);
  sigaddset(&mine, SIGINT);
  sigaddset(&mine, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &mine, &before_);
  signals_ = signalfd(-1, &mine, SFD_CLOEXEC);
  cancelled_ = eventfd(0, EFD_CLOEXEC);
  if (signals_ < 0 || cancelled_ < 0) {
    throw Error(ErrorCode::Unavailable, "cannot wait for signals: no file descriptor left");
  }
}

Signals::~Signals() {
  close(signals_);
  close(cancelled_);
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

std::optional<int> Signals::wait(Duration atMost) {
  std::array<pollfd, 2> ready = {pollfd{signals_, POLLIN, 0}, pollfd{cancelled_, POLLIN, 0}};
  const auto millis =
      static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(atMost).count());
  if (poll(ready.data(), ready.size(), millis) <= 0) return {};
  if (ready[0].revents != 0) {
    signalfd_siginfo info{};
    if (read(signals_, &info, sizeof info) == sizeof info) return static_cast<int>(info.ssi_signo);
  }
  std::uint64_t count = 0;
  [[maybe_unused]] const auto bytes = read(cancelled_, &count, sizeof count);
  return {};
}

void Signals::cancel() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto bytes = write(cancelled_, &one, sizeof one);
}

}  // namespace tether::cli
