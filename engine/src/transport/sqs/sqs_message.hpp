// A message as SQS has it: what may be in it, how its size counts, its checksums, and the one
// attribute in which our own metadata travels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tether/transport.hpp"

namespace tether::sqs {

inline constexpr std::size_t kBatchMax = 10;
inline constexpr std::size_t kBytesMax = std::size_t{1024} * 1024;  // of a message, and of a batch
inline constexpr std::int64_t kCountMax = 1'000'000'000'000'000;    // of messages, that we believe
/// What a body leaves for the metadata.
inline constexpr std::size_t kMetadataBytes = 1024;

struct Attribute {
  std::string type = "String";
  std::string value;    // of a binary one: its base64
  bool binary = false;  // "Binary", or "Binary.something"

  bool operator==(const Attribute&) const = default;
};
using Attributes = std::map<std::string, Attribute>;

/// Ten are allowed for a message; this is the only one that we take.
inline constexpr const char* kOwnAttribute = "tether";

/// The id and the key, as ASCII JSON. Throws Invalid when one is not UTF-8.
Attribute ownAttribute(const std::string& id, const std::string& key);

struct Origin {
  std::string id;
  std::string key;
};
/// Nothing for a message of somebody else, or an attribute that is not ours after all.
std::optional<Origin> originOf(const Attributes& attributes);

/// UTF-8 without control characters other than tab and line breaks, and without U+FFFE and U+FFFF.
bool allowedText(std::string_view text);

std::size_t sizeOf(std::string_view body, const Attributes& attributes);

/// Lower-case hex; empty where OpenSSL offers no MD5, as under FIPS.
std::string md5Hex(std::string_view text);
/// Empty without attributes, and for base64 that is none.
std::string md5Of(const Attributes& attributes);

/// The text itself where SQS takes it for a group or deduplication id, else its SHA-256.
std::string asFifoId(const std::string& text);

/// Indices in their order, so that a batch keeps both limits. A message over the limit is alone.
std::vector<std::vector<std::size_t>> packBatches(std::span<const std::size_t> sizes);

}  // namespace tether::sqs
