// A folder of its own for a test; it goes with the object.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace tether::conformance {

class TempFolder {
 public:
  TempFolder() : path_((std::filesystem::temp_directory_path() / "tether-XXXXXX").string()) {
    if (mkdtemp(path_.data()) == nullptr) std::abort();
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  std::string file(const std::string& name) const { return path_ + '/' + name; }

 private:
  std::string path_;
};

}  // namespace tether::conformance
