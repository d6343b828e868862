// A JSON file that a person wrote, with its text at hand, so that an error can say where it is.
#pragma once

#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "catalog/source_places.hpp"

namespace tether {

/// The whole file. Errors, each naming the path: NotFound; Invalid when it is a directory or
/// another special file, has more than `bytesMax` bytes or is not UTF-8 text.
std::string readTextFile(const std::filesystem::path& path, std::size_t bytesMax = 1024 * 1024);

/// "name:line:column"; both count from 1, the column in bytes.
std::string placeIn(std::string_view name, std::string_view text, std::size_t offset);

/// Thread safety: one thread at a time, as it learns where its values stand when a place is asked
/// for.
class SourceText {
 public:
  /// Comments are allowed. Throws Invalid with name:line:column for what parseJson refuses.
  SourceText(std::string name, std::string text);
  /// Reads the file; its path is the name.
  static SourceText read(const std::filesystem::path& path);

  const std::string& name() const { return name_; }
  const std::string& text() const { return text_; }
  const nlohmann::json& json() const { return json_; }

  /// "name:line:column" of the value, or nearest what there is.
  std::string place(const nlohmann::json::json_pointer& pointer) const;
  /// The same of the name of a member.
  std::string placeOfKey(const nlohmann::json::json_pointer& pointer) const;
  /// The text with another value there. Comments and everything else stay as they are.
  std::string replaced(const nlohmann::json::json_pointer& pointer,
                       const nlohmann::json& value) const;

  /// Throws Invalid: "name:line:column: /pointer: problem", at the value or nearest what there is.
  [[noreturn]] void fail(const nlohmann::json::json_pointer& pointer,
                         const std::string& problem) const;
  /// The same about the name of a member: "name:line:column: problem".
  [[noreturn]] void failAtKey(const nlohmann::json::json_pointer& pointer,
                              const std::string& problem) const;

 private:
  const SourcePlaces& places() const;
  std::string placeAt(std::size_t offset) const;

  std::string name_;
  std::string text_;
  nlohmann::json json_;
  mutable std::optional<SourcePlaces> places_;  // of what has no mistakes nobody asks
};

}  // namespace tether
