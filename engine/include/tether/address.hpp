// Where a store and a queue are. Both are made from their text, as a catalog or a host writes it.
#pragma once

#include <compare>
#include <filesystem>
#include <string>
#include <utility>

namespace tether {

/// A file, memory (":memory:", a store that lives in one object), or a server, "scheme://…".
class StoreAddress {
 public:
  StoreAddress() = default;
  // NOLINTBEGIN(google-explicit-constructor): options are written as texts and paths
  StoreAddress(std::string text) : text_(std::move(text)) {}
  StoreAddress(const char* text) : text_(text) {}
  StoreAddress(const std::filesystem::path& file) : text_(file.string()) {}
  // NOLINTEND(google-explicit-constructor)

  bool inMemory() const { return text_ == ":memory:"; }
  bool isServer() const {
    const auto scheme = text_.find("://");
    return scheme != 0 && scheme != std::string::npos && text_.find('/') > scheme;
  }
  bool isFile() const { return !inMemory() && !isServer(); }
  const std::string& text() const { return text_; }

  bool operator==(const StoreAddress&) const = default;

 private:
  std::string text_;
};

/// "local" (in the store), "memory" (in this process), or remote: "scheme://…".
class QueueAddress {
 public:
  QueueAddress() = default;  // local
  // NOLINTBEGIN(google-explicit-constructor): options are written as texts
  QueueAddress(std::string text) : text_(std::move(text)) {}
  QueueAddress(const char* text) : text_(text) {}
  // NOLINTEND(google-explicit-constructor)

  bool isLocal() const { return text_ == "local"; }
  bool inMemory() const { return text_ == "memory"; }
  bool isRemote() const { return !isLocal() && !inMemory(); }
  /// It has the form of one of the three; whether a remote one can be opened is for its transport
  /// to say.
  bool isValid() const {
    const auto scheme = text_.find("://");
    return !isRemote() || (scheme != 0 && scheme != std::string::npos && scheme + 3 < text_.size());
  }
  const std::string& text() const { return text_; }

  auto operator<=>(const QueueAddress&) const = default;

 private:
  std::string text_ = "local";
};

}  // namespace tether
