#include "catalog/source_text.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <system_error>
#include <utility>
#include <vector>

#include "tether/error.hpp"
#include "tether/json.hpp"
#include "tether/text.hpp"

namespace tether {
namespace {

using nlohmann::json;
using Pointer = json::json_pointer;

class FileHandle {
 public:
  explicit FileHandle(int handle) : handle_(handle) {}
  ~FileHandle() {
    if (handle_ >= 0) ::close(handle_);
  }
  FileHandle(const FileHandle&) = delete;
  FileHandle& operator=(const FileHandle&) = delete;
  int get() const { return handle_; }

 private:
  int handle_;
};

[[noreturn]] void refuse(const std::filesystem::path& path, ErrorCode code,
                         const std::string& problem) {
  throw Error(code, escapeForTerminal(path.native()) + ": " + problem);
}

std::string systemMessage(int error) { return std::generic_category().message(error); }

/// parseJson tells the byte; editors want file:line:column.
json parseNamed(const std::string& name, const std::string& text) {
  try {
    return parseJsonWithComments(name, text);
  } catch (const Error& error) {
    const std::string_view message = error.what();
    const std::string start = name + ", byte ";
    const auto problem = message.find(": ", start.size());
    std::size_t offset = 0;
    if (!message.starts_with(start) || problem == message.npos ||
        std::from_chars(&message[start.size()], message.data() + problem, offset).ec !=
            std::errc{}) {
      throw;
    }
    throw Error(error.code(), placeIn(name, text, offset) + std::string(message.substr(problem)));
  }
}

[[noreturn]] void refuseToOpen(const std::filesystem::path& path, int reason) {
  if (reason == EMFILE || reason == ENFILE) {
    refuse(path, ErrorCode::Unavailable, systemMessage(reason));
  }
  if (reason != ENOENT && reason != ENOTDIR) {
    refuse(path, ErrorCode::Invalid, systemMessage(reason));
  }
  std::error_code noLink;
  const auto target = std::filesystem::read_symlink(path, noLink);
  if (noLink) refuse(path, ErrorCode::NotFound, "no such file");
  refuse(path, ErrorCode::Invalid,
         "is a link to " + quote(target.native()) +
             ", which is not there: put the file there, or remove the link");
}

}  // namespace

std::string readTextFile(const std::filesystem::path& path, std::size_t bytesMax) {
  // Not blocking: a FIFO must be refused, not waited for.
  const FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0) refuseToOpen(path, errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) refuse(path, ErrorCode::Invalid, systemMessage(errno));
  if (S_ISDIR(status.st_mode)) refuse(path, ErrorCode::Invalid, "is a directory, not a file");
  if (!S_ISREG(status.st_mode)) refuse(path, ErrorCode::Invalid, "is not a regular file");

  std::string text;
  std::vector<char> buffer(64 * 1024);
  while (true) {
    const auto got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) refuse(path, ErrorCode::Invalid, systemMessage(errno));
    if (got == 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > bytesMax) {
      refuse(path, ErrorCode::Invalid, "has more than " + std::to_string(bytesMax) + " bytes");
    }
  }
  if (!validUtf8(text)) refuse(path, ErrorCode::Invalid, "is not UTF-8 text");
  return text;
}

std::string placeIn(std::string_view name, std::string_view text, std::size_t offset) {
  const auto before = text.substr(0, std::min(offset, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const auto lineStart = before.rfind('\n') + 1;  // npos + 1 is 0
  return escapeForTerminal(name) + ":" + std::to_string(line) + ":" +
         std::to_string(before.size() - lineStart + 1);
}

SourceText::SourceText(std::string name, std::string text)
    : name_(std::move(name)), text_(std::move(text)), json_(parseNamed(name_, text_)) {}

SourceText SourceText::read(const std::filesystem::path& path) {
  return SourceText(path.native(), readTextFile(path));
}

const SourcePlaces& SourceText::places() const {
  if (!places_) places_.emplace(text_);
  return *places_;
}

std::string SourceText::place(const Pointer& pointer) const {
  return placeAt(places().find(text_, pointer).value);
}

std::string SourceText::placeOfKey(const Pointer& pointer) const {
  return placeAt(places().find(text_, pointer).key);
}

std::string SourceText::placeAt(std::size_t offset) const {
  return escapeForTerminal(name_) + ":" + places().lineAndColumn(offset);
}

std::string SourceText::replaced(const Pointer& pointer, const nlohmann::json& value) const {
  const auto begin = places().find(text_, pointer).value;
  auto text = text_;
  // What is no UTF-8 text cannot stand in a file.
  return text.replace(begin, SourcePlaces::end(text_, begin) - begin,
                      value.dump(-1, ' ', false, json::error_handler_t::replace));
}

void SourceText::fail(const Pointer& pointer, const std::string& problem) const {
  const std::string where = pointer.empty() ? "" : escapeForTerminal(pointer.to_string()) + ": ";
  throw Error(ErrorCode::Invalid, place(pointer) + ": " + where + problem);
}

void SourceText::failAtKey(const Pointer& pointer, const std::string& problem) const {
  throw Error(ErrorCode::Invalid, placeOfKey(pointer) + ": " + problem);
}

}  // namespace tether
