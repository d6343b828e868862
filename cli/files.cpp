#include "files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "tether/text.hpp"

namespace tether::cli {

ErrorCode codeOfWriting(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EIO:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return ErrorCode::Unavailable;
    default:
      return ErrorCode::Invalid;
  }
}

namespace {

/// Closes a file that was not finished, and takes away what was made of it.
class NewFile {
 public:
  NewFile(const std::filesystem::path& path, const std::string& shown, const Writing& how)
      : path_(path), shown_(shown), removes_(!how.over) {
    const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (how.over ? O_TRUNC : O_EXCL);
    file_ = ::open(path.c_str(), flags, how.isPrivate ? 0600 : 0666);
    if (file_ >= 0) return;
    if (errno != EEXIST) throw failed(errno);
    throw Error(ErrorCode::Conflict,
                fmt::format("{} is there already{}", quote(shown), how.instead));
  }
  ~NewFile() {
    if (file_ < 0) return;
    ::close(file_);
    if (removes_) ::unlink(path_.c_str());
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void write(std::string_view text) const {
    while (!text.empty()) {
      const auto written = ::write(file_, text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) throw failed(errno);
      text.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  void finish() {
    const int file = std::exchange(file_, -1);
    if (::close(file) != 0) throw failed(errno);
  }

 private:
  Error failed(int error) const {
    return {codeOfWriting(error),
            fmt::format("cannot write file {}: {}", quote(shown_), std::strerror(error))};
  }

  const std::filesystem::path& path_;
  const std::string& shown_;
  bool removes_;
  int file_ = -1;
};

}  // namespace

void writeFile(const std::filesystem::path& path, const std::string& shown,
               const std::function<bool(std::string&)>& next, const Writing& how) {
  NewFile file(path, shown, how);
  for (std::string piece; next(piece);) file.write(piece);
  file.finish();
}

void writeFile(const std::filesystem::path& path, const std::string& shown, std::string_view text,
               const Writing& how) {
  NewFile file(path, shown, how);
  file.write(text);
  file.finish();
}

}  // namespace tether::cli
