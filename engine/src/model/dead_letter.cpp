#include "tether/dead_letter.hpp"

#include "base/ascii.hpp"
#include "tether/json.hpp"

namespace tether {

namespace {

bool isWord(char c) { return isDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Whether this is a number, or an id: hexadecimal digits with at least one decimal one, in
/// whatever it is joined with by dashes.
bool varies(std::string_view word) {
  bool digit = false;
  bool hex = true;
  for (const char c : word) {
    digit = digit || isDigit(c);
    hex = hex && (isHexDigit(c) || c == '-');
  }
  return digit && (hex || isDigit(word.front()) || isDigit(word.back()));
}

/// A message as it reads for every letter of its group.
std::string patternOf(std::string_view message) {
  std::string pattern;
  for (std::size_t at = 0; at < message.size();) {
    const char c = message[at];
    if (c == '"' || c == '\'' || c == '`') {
      const auto close = message.find(c, at + 1);
      // An apostrophe has no partner, or a letter before it.
      const bool apostrophe = c == '\'' && at > 0 && isWord(message[at - 1]);
      if (close != std::string_view::npos && !apostrophe) {
        pattern += "\"\"";
        at = close + 1;
        continue;
      }
    }
    if (!isWord(c)) {
      pattern += c;
      ++at;
      continue;
    }
    auto end = at;
    while (end < message.size() && (isWord(message[end]) || message[end] == '-')) ++end;
    const auto word = message.substr(at, end - at);
    pattern += varies(word) ? std::string_view("#") : word;
    at = end;
  }
  return pattern;
}

}  // namespace

std::string_view toString(DeadLetterKind kind) {
  switch (kind) {
    case DeadLetterKind::Command:
      return "command";
    case DeadLetterKind::Delivery:
      return "delivery";
    case DeadLetterKind::Message:
      return "message";
  }
  return "message";
}

DeadLetterKind parseDeadLetterKind(std::string_view text) {
  for (const auto kind : {DeadLetterKind::Command, DeadLetterKind::Delivery}) {
    if (text == toString(kind)) return kind;
  }
  return DeadLetterKind::Message;
}

std::string_view toString(DeadLetterState state) {
  switch (state) {
    case DeadLetterState::Waiting:
      return "waiting";
    case DeadLetterState::Replayed:
      return "replayed";
    case DeadLetterState::Archived:
      return "archived";
  }
  return "waiting";
}

std::optional<DeadLetterState> parseDeadLetterState(std::string_view text) {
  for (const auto state :
       {DeadLetterState::Waiting, DeadLetterState::Replayed, DeadLetterState::Archived}) {
    if (text == toString(state)) return state;
  }
  return {};
}

DeadLetterState DeadLetter::state() const {
  if (replayedAt) return DeadLetterState::Replayed;
  return archivedAt ? DeadLetterState::Archived : DeadLetterState::Waiting;
}

std::string groupOf(DeadLetterKind kind, std::string_view type, const Failure& error) {
  std::string text(toString(kind));
  text += '\n';
  text += type;
  text += '\n' + error.code + '\n' + patternOf(error.message);
  return sha256(text).substr(0, 12);
}

}  // namespace tether
