// Write a small working project. See man/tether-store.1.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <ranges>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "all.hpp"
#include "files.hpp"
#include "init_project.hpp"
#include "tether/error.hpp"

namespace tether::cli {
namespace {

namespace fs = std::filesystem;

struct InitOptions {
  std::string folder = ".";
};

/// Takes back what was made, unless it is kept: a half project would stand in the way of the next.
class Made {
 public:
  Made() = default;
  ~Made() {
    if (kept_) return;
    std::error_code ignored;  // a folder that others have put something into stays
    for (const auto& path : named(store_)) {
      if (!before_.contains(path)) add(path);
    }
    std::ranges::for_each(paths_ | std::views::reverse,
                          [&](const fs::path& path) { fs::remove(path, ignored); });
  }
  Made(const Made&) = delete;
  Made& operator=(const Made&) = delete;

  void add(fs::path path) { paths_.push_back(std::move(path)); }
  /// A store that is about to be made: what it is kept in begins with its name.
  void addStore(fs::path path) {
    store_ = std::move(path);
    before_ = named(store_);
  }
  void keep() { kept_ = true; }

 private:
  /// What begins with the name of a file, beside it.
  static std::set<fs::path> named(const fs::path& path) {
    std::set<fs::path> found;
    std::error_code none;
    const fs::directory_iterator end;
    for (fs::directory_iterator at(path.parent_path(), none); !none && at != end;
         at.increment(none)) {
      if (at->path().filename().native().starts_with(path.filename().native())) {
        found.insert(at->path());
      }
    }
    return found;
  }

  std::vector<fs::path> paths_;
  fs::path store_;
  std::set<fs::path> before_;  // what was there, and is others'
  bool kept_ = false;
};

/// Never over a file that is there, nor through a link: O_EXCL.
void writeNew(const fs::path& path, std::string_view text, Made& made) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (file < 0) {
    const int reason = errno;
    throw Error(reason == EEXIST ? ErrorCode::Conflict : codeOfWriting(reason),
                fmt::format("cannot create {}: {}", path.string(), std::strerror(reason)));
  }
  made.add(path);
  std::string_view rest = text;
  bool written = true;
  while (written && !rest.empty()) {
    const auto count = ::write(file, rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    written = count > 0;
    if (written) rest.remove_prefix(static_cast<std::size_t>(count));
  }
  if (::close(file) != 0 || !written) {
    throw Error(codeOfWriting(errno),
                fmt::format("cannot write {}: {}", path.string(), std::strerror(errno)));
  }
}

/// Looked for before the first file is written, so that nothing is left half done.
void checkNothingIsInTheWay(const fs::path& folder) {
  std::vector<fs::path> paths;
  for (const auto& file : kProjectFiles) paths.push_back(folder / file.path);
  paths.push_back(folder / kProjectStore);
  for (const auto& path : paths) {
    if (fs::exists(fs::symlink_status(path))) {
      throw Error(ErrorCode::Conflict, fmt::format("{} is there already; nothing was written",
                                                   path.lexically_normal().string()));
    }
  }
}

void makeFolder(const fs::path& folder, Made& made) {
  if (folder.empty() || fs::exists(folder)) return;
  makeFolder(folder.parent_path(), made);
  if (fs::create_directory(folder)) made.add(folder);
}

void makeFolders(const fs::path& folder, Made& made) {
  for (const auto& file : kProjectFiles) {
    const auto path = (folder / file.path).parent_path();
    try {
      makeFolder(path, made);
      if (fs::is_directory(path)) continue;
      throw Error(ErrorCode::Invalid,
                  fmt::format("cannot make the folder {}: a file has its name", path.string()));
    } catch (const fs::filesystem_error& error) {
      throw Error(
          codeOfWriting(error.code().value()),
          fmt::format("cannot make the folder {}: {}", path.string(), error.code().message()));
    }
  }
}

void makeStore(const fs::path& folder, Made& made) {
  const auto catalog = Catalog::load(folder / "tether.json");
  made.addStore(folder / kProjectStore);
  const Engine engine(catalog.options());  // applies the migration
}

/// For a shell; quoted only when it must be.
std::string shellWord(const std::string& word) {
  constexpr std::string_view kSafe =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./+";
  if (!word.empty() && word.front() != '-' && word.find_first_not_of(kSafe) == std::string::npos) {
    return word;
  }
  std::string quoted = "'";
  for (const char letter : word) {
    if (letter == '\'') {
      quoted += "'\\''";
    } else {
      quoted += letter;
    }
  }
  return quoted + "'";
}

int runInit(const InitOptions& options, Session& session) {
  const auto folder = session.resolve(options.folder);
  checkNothingIsInTheWay(folder);
  Made made;
  makeFolders(folder, made);

  std::vector<std::string> written;
  for (const auto& file : kProjectFiles) {
    writeNew(folder / file.path, file.text, made);
    written.emplace_back(file.path);
  }
  makeStore(folder, made);
  made.keep();
  written.emplace_back(kProjectStore);

  std::vector<std::string> next;
  if (options.folder != ".") {
    next.push_back(
        "cd " + shellWord(options.folder.front() == '-' ? "./" + options.folder : options.folder));
  }
  next.insert(next.end(), kNextSteps.begin(), kNextSteps.end());

  auto& print = session.print();
  print.answer("init", {{"folder", folder.string()}, {"files", written}, {"next", next}}, [&] {
    if (print.quiet()) return;
    print.line({"wrote a project in ", {folder.string(), Style::Strong}});
    for (const auto& path : written) print.line({"  ", path});
    print.line({""});
    print.line({"now try:"});
    for (const auto& step : next) print.line({"  ", step});
  });
  return kDone;
}

}  // namespace

void addInit(const Verb& tool, Action& chosen) {
  auto options = std::make_shared<InitOptions>();
  const auto verb = addVerb(tool, "init", "Write a small working project", "tether init shop");
  verb.argument("DIR", options->folder, "Folder of the project (default: the working folder)");
  onChosen(verb, chosen, options, runInit);
}

}  // namespace tether::cli
