// The text of a command's SQL script, and which parameters it binds.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace tether {

/// Read from the text alone, in no particular dialect: whether the SQL is right is the store's to
/// say.
class SqlScript {
 public:
  struct Parameter {
    std::string name;    // without the colon
    std::size_t offset;  // of its first use
  };

  /// Throws Invalid with name:line:column for a script without a statement, an open comment or
  /// quote, a parameter that is not :name, and statements that end the command's transaction or
  /// leave it.
  SqlScript(std::string name, std::string text);

  const std::string& name() const { return name_; }
  const std::string& text() const { return text_; }
  /// Each once, in the order of their first use.
  const std::vector<Parameter>& parameters() const { return parameters_; }

  /// Throws Invalid: "name:line:column: problem".
  [[noreturn]] void fail(std::size_t offset, const std::string& problem) const;

 private:
  std::string name_;
  std::string text_;
  std::vector<Parameter> parameters_;
};

/// Whether the text has anything but comments and semicolons.
bool hasStatement(const std::string& sql);

}  // namespace tether
