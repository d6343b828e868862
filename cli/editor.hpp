// A text in the hands of a person: a private file, and the editor that they named.
#pragma once

#include <filesystem>
#include <string>

#include "session.hpp"

namespace tether::cli {

/// The file goes with this object unless it is kept.
class EditedText {
 public:
  EditedText(const std::string& name, std::string before);
  ~EditedText();
  EditedText(const EditedText&) = delete;
  EditedText& operator=(const EditedText&) = delete;

  /// Opens it in $VISUAL, else $EDITOR, and waits for its end. Throws Invalid when none is named
  /// and there is no terminal, and when it fails; a text that it changed is kept then.
  void edit(Session& session);

  bool changed() const { return text_ != before_; }
  const std::string& text() const { return text_; }
  /// Leaves the file where it is; returns where.
  std::string keep();

 private:
  void read();

  std::filesystem::path folder_;
  std::filesystem::path file_;
  std::string before_;
  std::string text_;
  bool kept_ = false;
};

}  // namespace tether::cli
