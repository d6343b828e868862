#include "transport/sqs/sqs_message.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "tether/error.hpp"
#include "tether/json.hpp"
#include "tether/text.hpp"
#include "transport/sqs/json_members.hpp"

namespace tether::sqs {

namespace {

constexpr std::size_t kFifoIdBytesMax = 128;

/// With its length before it, as the checksum of attributes wants it.
void appendField(std::string& to, std::string_view field) {
  const auto size = static_cast<std::uint32_t>(field.size());
  for (const int shift : {24, 16, 8, 0}) to += static_cast<char>((size >> shift) & 0xFFU);
  to += field;
}

std::optional<std::string> fromBase64(const std::string& text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string bytes(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  const auto padding = std::min<std::size_t>(2, text.size() - (text.find_last_not_of('=') + 1));
  bytes.resize(static_cast<std::size_t>(size) - padding);
  return bytes;
}

}  // namespace

Attribute ownAttribute(const std::string& id, const std::string& key) {
  nlohmann::json metadata = {{"id", id}};
  if (!key.empty()) metadata["key"] = key;
  return {.value = canonicalJson(metadata)};
}

std::optional<Origin> originOf(const Attributes& attributes) {
  const auto own = attributes.find(kOwnAttribute);
  if (own == attributes.end() || own->second.binary) return std::nullopt;
  const auto metadata = parseAnswer(own->second.value);
  Origin origin{stringMember(metadata, "id"), stringMember(metadata, "key")};
  if (origin.id.empty()) return std::nullopt;
  return origin;
}

bool allowedText(std::string_view text) {
  if (!validUtf8(text)) return false;
  const bool control = std::any_of(text.begin(), text.end(), [](char letter) {
    return letter >= 0 && letter < ' ' && letter != '\t' && letter != '\n' && letter != '\r';
  });
  constexpr std::string_view kNoCharacter1 = "\xEF\xBF\xBE";
  constexpr std::string_view kNoCharacter2 = "\xEF\xBF\xBF";
  return !control && text.find(kNoCharacter1) == std::string_view::npos &&
         text.find(kNoCharacter2) == std::string_view::npos;
}

std::size_t sizeOf(std::string_view body, const Attributes& attributes) {
  std::size_t size = body.size();
  for (const auto& [name, attribute] : attributes) {
    size += name.size() + attribute.type.size() + attribute.value.size();
  }
  return size;
}

std::string md5Hex(std::string_view text) {
  static EVP_MD* const kAlgorithm = EVP_MD_fetch(nullptr, "MD5", nullptr);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (kAlgorithm == nullptr ||
      EVP_Digest(text.data(), text.size(), digest.data(), &size, kAlgorithm, nullptr) != 1) {
    return {};
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (unsigned int at = 0; at < size; ++at) {
    hex += kDigits[digest.at(at) >> 4U];
    hex += kDigits[digest.at(at) & 0xFU];
  }
  return hex;
}

std::string md5Of(const Attributes& attributes) {
  if (attributes.empty()) return {};
  std::string bytes;
  for (const auto& [name, attribute] : attributes) {  // by name, as it has to be
    appendField(bytes, name);
    appendField(bytes, attribute.type);
    bytes += attribute.binary ? '\x02' : '\x01';
    const auto value = attribute.binary ? fromBase64(attribute.value) : attribute.value;
    if (!value) return {};
    appendField(bytes, *value);
  }
  return md5Hex(bytes);
}

std::string asFifoId(const std::string& text) {
  const bool taken = !text.empty() && text.size() <= kFifoIdBytesMax &&
                     std::all_of(text.begin(), text.end(),
                                 [](char letter) { return letter > ' ' && letter <= '~'; });
  return taken ? text : sha256(text);
}

std::vector<std::vector<std::size_t>> packBatches(std::span<const std::size_t> sizes) {
  std::vector<std::vector<std::size_t>> batches;
  std::size_t bytes = 0;
  for (std::size_t at = 0; at < sizes.size(); ++at) {
    const bool full =
        batches.empty() || batches.back().size() == kBatchMax || bytes + sizes[at] > kBytesMax;
    if (full) {
      batches.emplace_back();
      bytes = 0;
    }
    batches.back().push_back(at);
    bytes += sizes[at];
  }
  return batches;
}

}  // namespace tether::sqs
