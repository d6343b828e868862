// Files that the command line names, to be written.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "tether/error.hpp"

namespace tether::cli {

/// Of an errno: Invalid when another path or other permissions help, Unavailable when the disk is
/// full or broken.
ErrorCode codeOfWriting(int error);

struct Writing {
  bool over = false;         // a file that is there
  bool isPrivate = false;    // nobody else may read it
  const char* instead = "";  // what to do about one that is there: "; --force writes over it"
};

/// `shown`: the path as it was given. Throws Conflict, Invalid, Unavailable.
void writeFile(const std::filesystem::path& path, const std::string& shown, std::string_view text,
               const Writing& how = {});
/// A text that is too long to hold: `next` gives one piece after the other, and false at the end.
/// What it throws leaves no file behind that was not there.
void writeFile(const std::filesystem::path& path, const std::string& shown,
               const std::function<bool(std::string&)>& next, const Writing& how = {});

}  // namespace tether::cli
