#include "editor.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>
#include <system_error>

#include "tether/error.hpp"
#include "tether/text.hpp"

namespace tether::cli {
namespace {

namespace fs = std::filesystem;

std::string editorOf(const Session& session) {
  if (const auto editor = session.env("VISUAL")) return *editor;
  if (const auto editor = session.env("EDITOR")) return *editor;
  if (session.streams().inIsTerminal && session.streams().outIsTerminal) return "vi";
  throw Error(ErrorCode::Invalid,
              "say what to change with --set, or name an editor in VISUAL or EDITOR");
}

fs::path privateFolder() {
  std::error_code error;
  auto folder = (fs::temp_directory_path(error) / "tether-XXXXXX").string();
  if (error || mkdtemp(folder.data()) == nullptr) {  // 0700
    throw Error(ErrorCode::Unavailable,
                fmt::format("cannot make a folder {}: {}", folder, std::strerror(errno)));
  }
  return folder;
}

/// Keys that end the editor's work must not end ours.
class Deaf {
 public:
  Deaf() {
    for (auto& [number, before] : signals_) before = std::signal(number, SIG_IGN);
  }
  ~Deaf() {
    for (const auto& [number, before] : signals_) std::signal(number, before);
  }
  Deaf(const Deaf&) = delete;
  Deaf& operator=(const Deaf&) = delete;

 private:
  struct Ignored {
    int number;
    void (*before)(int);
  };
  std::array<Ignored, 2> signals_ = {Ignored{SIGINT, SIG_DFL}, Ignored{SIGQUIT, SIG_DFL}};
};

/// "$EDITOR" may have arguments, so a shell reads it. Returns how it ended, as a shell has it.
int runEditor(const std::string& editor, const fs::path& file) {
  std::string shell = "sh";
  std::string option = "-c";
  std::string script = editor + " \"$1\"";
  std::string path = file.string();
  std::array<char*, 6> arguments = {shell.data(), option.data(), script.data(),
                                    shell.data(), path.data(),   nullptr};
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t defaults;
  sigemptyset(&defaults);
  for (const int number : {SIGINT, SIGQUIT, SIGPIPE}) sigaddset(&defaults, number);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);

  const Deaf deaf;
  pid_t child = 0;
  const int failed =
      posix_spawn(&child, "/bin/sh", nullptr, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  if (failed != 0) {
    throw Error(ErrorCode::Unavailable,
                fmt::format("cannot start editor {}: {}", quote(editor), std::strerror(failed)));
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

EditedText::EditedText(const std::string& name, std::string before)
    : folder_(privateFolder()), file_(folder_ / name), before_(std::move(before)), text_(before_) {
  const int file = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const auto written = file < 0 ? -1 : ::write(file, text_.data(), text_.size());
  const int error = errno;
  if (file >= 0) ::close(file);
  if (written == static_cast<ssize_t>(text_.size())) return;
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
  throw Error(ErrorCode::Unavailable,
              fmt::format("cannot write file {}: {}", file_.string(), std::strerror(error)));
}

void EditedText::edit(Session& session) {
  const auto editor = editorOf(session);
  session.print().flush();
  const int exit = runEditor(editor, file_);
  read();
  if (exit == 0) return;
  throw Error(ErrorCode::Invalid,
              fmt::format("editor {} ended with {}; nothing was edited{}", quote(editor), exit,
                          changed() ? ", your text is kept in " + keep() : ""));
}

EditedText::~EditedText() {
  std::error_code ignored;
  if (!kept_) fs::remove_all(folder_, ignored);
}

void EditedText::read() {
  std::ifstream in(file_, std::ios::binary);
  if (!in)
    throw Error(ErrorCode::Invalid, fmt::format("the editor left no file {}", file_.string()));
  text_.assign(std::istreambuf_iterator<char>(in), {});
}

std::string EditedText::keep() {
  kept_ = true;
  return file_.string();
}

}  // namespace tether::cli
