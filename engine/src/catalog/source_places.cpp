#include "catalog/source_places.hpp"

#include <algorithm>
#include <charconv>

namespace tether {
namespace {

using nlohmann::json;

std::size_t afterSpace(std::string_view text, std::size_t at) {
  while (true) {
    at = std::min(text.find_first_not_of(" \t\r\n", at), text.size());
    if (at == text.size() || text[at] != '/') return at;
    const bool line = text.substr(at, 2) == "//";
    const auto end = text.find(line ? "\n" : "*/", at + 2);
    at = end == text.npos ? text.size() : end + (line ? 0 : 2);
  }
}

std::size_t afterString(std::string_view text, std::size_t at) {
  for (++at; text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return at + 1;
}

}  // namespace

SourcePlaces::SourcePlaces(std::string_view text) {
  for (auto at = text.find('\n'); at != text.npos; at = text.find('\n', at + 1)) {
    lines_.push_back(at + 1);
  }
  std::vector<std::vector<std::size_t>*> open;
  for (auto at = afterSpace(text, 0); at < text.size(); at = afterSpace(text, at)) {
    const char c = text[at];
    const auto begin = at;
    at = c == '"' ? afterString(text, at) : at + 1;
    if (c == '[' || c == '{') open.push_back(&children_[begin]);
    if ((c == ']' || c == '}') && !open.empty()) open.pop_back();
    if (c != '[' && c != '{' && c != ',') continue;
    const auto child = afterSpace(text, at);
    if (!open.empty() && text[child] != ']' && text[child] != '}') open.back()->push_back(child);
  }
}

SourcePlaces::Found SourcePlaces::find(std::string_view text, json::json_pointer pointer) const {
  std::vector<std::string> tokens;
  for (; !pointer.empty(); pointer.pop_back()) tokens.push_back(pointer.back());
  const auto root = afterSpace(text, 0);
  Found found{root, root};
  for (; !tokens.empty() && enter(text, tokens.back(), found); tokens.pop_back()) {
  }
  return found;
}

bool SourcePlaces::enter(std::string_view text, const std::string& token, Found& found) const {
  const auto inside = children_.find(found.value);
  if (inside == children_.end()) return false;
  const auto& children = inside->second;
  if (text[found.value] == '[') {
    std::size_t index = 0;
    std::from_chars(token.data(), token.data() + token.size(), index);
    if (index >= children.size() || std::to_string(index) != token) return false;
    found = {children[index], children[index]};
    return true;
  }
  for (const auto key : children) {
    const auto behind = afterString(text, key);
    if (json::parse(text.substr(key, behind - key)) != token) continue;
    found = {key, afterSpace(text, afterSpace(text, behind) + 1)};  // the colon is between
    return true;
  }
  return false;
}

std::size_t SourcePlaces::end(std::string_view text, std::size_t begin) {
  auto at = begin;
  int depth = 0;
  do {
    at = afterSpace(text, at);
    const char c = text[at];
    depth += c == '{' || c == '[' ? 1 : c == '}' || c == ']' ? -1 : 0;
    at = c == '"' ? afterString(text, at) : at + 1;
  } while (depth > 0);
  // The rest of a number or a literal.
  return std::min(text.find_first_of(",]} \t\r\n/", at), text.size());
}

std::string SourcePlaces::lineAndColumn(std::size_t offset) const {
  const auto next = std::ranges::upper_bound(lines_, offset);
  return std::to_string(next - lines_.begin()) + ":" + std::to_string(offset - *(next - 1) + 1);
}

}  // namespace tether
