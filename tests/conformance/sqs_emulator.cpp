#include "conformance/sqs_emulator.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <memory>

#include "conformance/words.hpp"

namespace tether::conformance {

using namespace std::chrono_literals;

SqsEmulator& SqsEmulator::instance() {
  static SqsEmulator emulator;
  return emulator;
}

SqsEmulator::SqsEmulator() {
  std::array<int, 2> in{};
  std::array<int, 2> out{};
  REQUIRE(pipe2(in.data(), O_CLOEXEC) == 0);
  REQUIRE(pipe2(out.data(), O_CLOEXEC) == 0);
  const std::string folder = TETHER_SOURCE "/tests/sqs/";
  const auto clock = folder + "moved_clock.mjs";
  const auto script = folder + "emulator.mjs";
  const pid_t parent = getpid();
  child_ = fork();
  REQUIRE(child_ >= 0);
  if (child_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);  // it died before it could be said
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    execlp("node", "node", "--import", clock.c_str(), script.c_str(), "0", nullptr);
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  in_ = in[1];
  out_ = out[0];
  const auto ready = readLine();
  REQUIRE_MESSAGE(ready.starts_with("ready "),
                  "no SQS to test against: install Node 20 and run tests/sqs/install");
  endpoint_ = "http://127.0.0.1:" + ready.substr(ready.find(' ') + 1);
}

SqsEmulator::~SqsEmulator() {
  kill(child_, SIGKILL);
  waitpid(child_, nullptr, 0);
  close(in_);
  close(out_);
}

std::string SqsEmulator::readLine() {
  for (;;) {
    if (const auto end = read_.find('\n'); end != std::string::npos) {
      auto line = read_.substr(0, end);
      read_.erase(0, end + 1);
      return line;
    }
    std::array<char, 256> buffer{};
    const auto size = ::read(out_, buffer.data(), buffer.size());
    if (size <= 0) return {};
    read_.append(buffer.data(), static_cast<std::size_t>(size));
  }
}

void SqsEmulator::pass(Duration time) {
  const auto line = "advance " +
                    std::to_string(std::chrono::ceil<std::chrono::milliseconds>(time).count()) +
                    "\n";
  REQUIRE(write(in_, line.data(), line.size()) == static_cast<ssize_t>(line.size()));
  REQUIRE(readLine() == "advanced");
}

std::string SqsEmulator::newName(bool fifo) {
  return "queue-" + std::to_string(++names_) + (fifo ? ".fifo" : "");
}

sqs::SqsTransportSettings SqsEmulator::settings(const std::string& name, const Clock& clock) const {
  sqs::SqsTransportSettings settings{
      .address = sqs::parseSqsAddress("sqs://" + name + "?create=true&endpoint=" + endpoint_),
      .closeGrace = 100ms,
      .clock = clock};
  settings.environment = [](const std::string& variable) -> std::optional<std::string> {
    if (variable == "AWS_ACCESS_KEY_ID" || variable == "AWS_SECRET_ACCESS_KEY") return "test";
    return std::nullopt;
  };
  return settings;
}

}  // namespace tether::conformance
