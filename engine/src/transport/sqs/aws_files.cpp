#include "transport/sqs/aws_files.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tether/error.hpp"
#include "tether/text.hpp"

namespace tether::sqs {

namespace {

constexpr std::string_view kSpaces = " \t\r\f\v";
constexpr std::string_view kKeyLetters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

/// A comment in a line starts after a space: keys and URLs may have # and ; in them.
std::string_view withoutComment(std::string_view text) {
  for (std::size_t at = 1; at < text.size(); ++at) {
    const bool starts = text[at] == '#' || text[at] == ';';
    if (starts && kSpaces.find(text[at - 1]) != std::string_view::npos) return text.substr(0, at);
  }
  return text;
}

std::string lowerCase(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

/// Reads line by line. What is indented deeper than the key above belongs to it.
class FileReader {
 public:
  explicit FileReader(const std::string& name) : name_(name) {}

  void read(std::string_view line) {
    ++number_;
    const auto indent = line.find_first_not_of(kSpaces);
    if (indent == std::string_view::npos || line[indent] == '#' || line[indent] == ';') return;
    const auto text = trimmed(withoutComment(line));
    if (indent == 0 && text.front() == '[') {
      openSection(text);
    } else if (section_ == nullptr) {
      fail("stands before the first section; write [default] above it");
    } else if (outer_ != nullptr && indent > indent_ && belongsAbove(text)) {
      readBelow(text);
    } else {
      indent_ = indent;
      readKey(text);
    }
  }

  AwsSections take() { return std::move(sections_); }

 private:
  [[noreturn]] void fail(const std::string& problem) const {
    throw Error(ErrorCode::Invalid, place() + ": " + problem);
  }
  std::string place() const { return name_ + ':' + std::to_string(number_); }

  void openSection(std::string_view text) {
    if (text.back() != ']') fail("a section must be one word or two in brackets: [profile NAME]");
    section_ = &sections_[sectionName(text.substr(1, text.size() - 2))];
    outer_ = nullptr;
  }

  /// `profile "with spaces"` loses its quotes, and the space after the first word becomes one.
  static std::string sectionName(std::string_view text) {
    text = trimmed(text);
    const auto space = text.find_first_of(kSpaces);
    if (space == std::string_view::npos) return std::string(text);
    auto rest = trimmed(text.substr(space));
    const bool quoted = rest.size() >= 2 && rest.front() == rest.back() &&
                        (rest.front() == '"' || rest.front() == '\'');
    if (quoted) rest = rest.substr(1, rest.size() - 2);
    return std::string(text.substr(0, space)) + ' ' + std::string(rest);
  }

  void readKey(std::string_view text) {
    const auto equals = text.find('=');
    if (equals == std::string_view::npos || trimmed(text.substr(0, equals)).empty()) {
      fail("must be KEY = VALUE");
    }
    outerName_ = lowerCase(trimmed(text.substr(0, equals)));
    outer_ = &(*section_)[outerName_];
    *outer_ = {std::string(trimmed(text.substr(equals + 1))), place()};
  }

  /// An odd indent alone does not make a key a part of the value above it.
  bool belongsAbove(std::string_view text) const {
    const auto key = trimmed(text.substr(0, text.find('=')));
    const bool word = key.size() < text.size() && key.find_first_not_of(kKeyLetters) == key.npos;
    return outer_->value.empty() || !word;
  }

  /// Below an empty value there are keys of its own; a value that is not empty goes on.
  void readBelow(std::string_view text) {
    if (!outer_->value.empty()) {
      outer_->value.append("\n").append(text);
      return;
    }
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) fail("must be KEY = VALUE, below the key above it");
    const auto name = outerName_ + '.' + lowerCase(trimmed(text.substr(0, equals)));
    (*section_)[name] = {std::string(trimmed(text.substr(equals + 1))), place()};
  }

  const std::string& name_;
  AwsSections sections_;
  AwsSection* section_ = nullptr;
  AwsSetting* outer_ = nullptr;
  std::string outerName_;
  std::size_t indent_ = 0;
  std::size_t number_ = 0;
};

[[noreturn]] void failToRead(const std::string& name, const std::string& why) {
  throw Error(ErrorCode::Invalid, "cannot read " + escapeForTerminal(name) + ": " + why);
}

AwsSections readAwsFile(const std::string& name) {
  std::error_code error;
  if (name.empty() || !std::filesystem::exists(name, error)) {
    // A file that may not be looked at is no missing file: its keys would silently not count.
    if (error) failToRead(name, error.message());
    return {};
  }
  if (std::filesystem::is_directory(name, error)) failToRead(name, "it is a folder");
  std::ifstream file(name, std::ios::binary);
  if (!file.is_open()) failToRead(name, std::strerror(errno));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return parseAwsFile(escapeForTerminal(name), text);
}

const AwsSection* find(const AwsSections& sections, const std::string& name) {
  const auto found = sections.find(name);
  return found == sections.end() ? nullptr : &found->second;
}

}  // namespace

AwsSections parseAwsFile(const std::string& name, std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  FileReader reader(name);
  while (!text.empty()) {
    const auto end = text.find('\n');
    reader.read(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return reader.take();
}

AwsFiles::AwsFiles(const std::string& credentialsName, const std::string& configName)
    : credentials_(readAwsFile(credentialsName)), config_(readAwsFile(configName)) {}

const AwsSection* AwsFiles::credentials(const std::string& profile) const {
  return find(credentials_, profile);
}

const AwsSection* AwsFiles::config(const std::string& profile) const {
  const auto* section = find(config_, "profile " + profile);
  return section == nullptr && profile == "default" ? find(config_, profile) : section;
}

const AwsSection* AwsFiles::services(const std::string& name) const {
  return find(config_, "services " + name);
}

}  // namespace tether::sqs
