// credential_process: a program of the user's that prints keys.
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <nlohmann/json.hpp>

#include "tether/error.hpp"
#include "transport/sqs/credentials_json.hpp"
#include "transport/sqs/credentials_source.hpp"
#include "transport/sqs/http_client.hpp"
#include "transport/sqs/json_members.hpp"

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX leaves it to us

namespace tether::sqs {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kOutputBytesMax = std::size_t{64} * 1024;
constexpr int kExitPollMillis = 10;

[[noreturn]] void fail(const std::string& what, const std::string& problem) {
  throw Error(ErrorCode::Unavailable, what + ' ' + problem);
}

struct Pipe {
  Pipe() {
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
      throw Error(ErrorCode::Unavailable, std::string("no pipe: ") + std::strerror(errno));
    }
  }
  ~Pipe() {
    ::close(ends[0]);
    closeWriter();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void closeWriter() {
    if (ends[1] >= 0) ::close(ends[1]);
    ends[1] = -1;
  }

  std::array<int, 2> ends{-1, -1};
};

/// A shell in a process group of its own, so that all it started can be ended with it.
class Shell {
 public:
  Shell(const std::string& command, int output) {
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t signals;
    sigemptyset(&signals);  // those that a thread of ours holds back are not held back there
    posix_spawnattr_setsigmask(&attributes, &signals);
    sigaddset(&signals, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    std::string shell = "sh";
    std::string option = "-c";
    std::string text = command;
    std::array<char*, 4> arguments = {shell.data(), option.data(), text.data(), nullptr};
    const int error =
        ::posix_spawn(&pid_, "/bin/sh", &files, &attributes, arguments.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    if (error != 0) {
      throw Error(ErrorCode::Unavailable, std::string("/bin/sh: ") + std::strerror(error));
    }
  }
  ~Shell() {
    if (pid_ <= 0) return;
    ::kill(-pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
  }
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;

  /// Its status once it has ended.
  std::optional<int> ended() {
    int status = 0;
    const auto found = ::waitpid(pid_, &status, WNOHANG);
    if (found == 0 || (found < 0 && errno == EINTR)) return std::nullopt;
    pid_ = 0;
    // A host that ignores SIGCHLD takes the exit code away; then the answer has to speak for
    // itself.
    return found < 0 ? 0 : status;
  }

 private:
  pid_t pid_ = 0;
};

class Deadline {
 public:
  explicit Deadline(Duration limit) : limit_(limit), end_(systemClock().steady() + limit) {}

  int millisLeft(const std::string& what) const {
    const auto left = end_ - systemClock().steady();
    if (left <= 0s) fail(what, "did not end within " + toText(limit_) + " and was killed");
    return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left).count());
  }

 private:
  Duration limit_;
  Duration end_;
};

std::string readAll(const std::string& what, int from, const Deadline& deadline) {
  std::string text;
  std::array<char, 4096> block{};
  while (true) {
    pollfd ready{from, POLLIN, 0};
    if (::poll(&ready, 1, deadline.millisLeft(what)) <= 0) continue;
    const auto count = ::read(from, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(what, std::string("cannot be read: ") + std::strerror(errno));
    if (count == 0) return text;
    text.append(block.data(), static_cast<std::size_t>(count));
    if (text.size() > kOutputBytesMax) fail(what, "printed more than 64 KiB and was killed");
  }
}

std::string outputOf(const std::string& what, const std::string& command, Duration limit) {
  const Deadline deadline(limit);
  Pipe pipe;
  Shell shell(command, pipe.ends[1]);
  pipe.closeWriter();
  auto text = readAll(what, pipe.ends[0], deadline);
  auto status = shell.ended();
  while (!status) {  // it has closed its output, so this is short
    ::poll(nullptr, 0, std::min(kExitPollMillis, deadline.millisLeft(what)));
    status = shell.ended();
  }
  if (WIFSIGNALED(*status)) {
    fail(what, "was ended by signal " + std::to_string(WTERMSIG(*status)));
  }
  if (WEXITSTATUS(*status) != 0) {
    fail(what, "failed with exit code " + std::to_string(WEXITSTATUS(*status)));
  }
  return text;
}

void requireVersion1(const std::string& what, const std::string& text) {
  const auto answer = parseAnswer(text);
  if (!answer.is_object()) return;  // the next reader says so
  const auto version = answer.find("Version");
  if (version != answer.end() && *version == 1) return;
  throw Error(ErrorCode::Invalid, what + " gave no \"Version\": 1, the only one there is");
}

}  // namespace

Credentials runCredentialProcess(const std::string& command, const std::string& place,
                                 const SourceContext& context) {
  const auto what = place + ": credential_process";
  const auto text = outputOf(what, command, context.settings.processTimeout);
  requireVersion1(what, text);
  return readCredentials(what, text, "SessionToken", context.now());
}

}  // namespace tether::sqs
