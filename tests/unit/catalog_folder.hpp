// A folder of catalog files; it goes with the object.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "conformance/temp_folder.hpp"

namespace tether {

class CatalogFolder {
 public:
  std::filesystem::path at(const std::string& name) const { return folder_.file(name); }

  std::filesystem::path write(const std::string& name, const std::string& text) const {
    const auto file = at(name);
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
    return file;
  }

 private:
  conformance::TempFolder folder_;
};

}  // namespace tether
