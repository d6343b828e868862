#include "files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

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

void writeFile(const std::filesystem::path& path, const std::string& shown, std::string_view text,
               const Writing& how) {
  const auto failed = [&](int error) {
    return Error(codeOfWriting(error),
                 fmt::format("cannot write file {}: {}", quote(shown), std::strerror(error)));
  };
  const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (how.over ? O_TRUNC : O_EXCL);
  const int file = ::open(path.c_str(), flags, how.isPrivate ? 0600 : 0666);
  if (file < 0 && errno == EEXIST) {
    throw Error(ErrorCode::Conflict,
                fmt::format("{} is there already{}", quote(shown), how.instead));
  }
  if (file < 0) throw failed(errno);
  while (!text.empty()) {
    const auto written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int error = errno;
      ::close(file);
      throw failed(error);
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::close(file) != 0) throw failed(errno);
}

}  // namespace tether::cli
