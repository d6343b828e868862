#include "tether/ids.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/ascii.hpp"
#include "base/sha256.hpp"
#include "tether/error.hpp"
#include "tether/text.hpp"

namespace tether {
namespace {

constexpr std::size_t kUuidLength = 36;
constexpr std::size_t kTimePrefixLength = 13;  // 48 bits and a dash
constexpr std::size_t kIdLengthMax = 128;

// RFC 9562, section 6.2, method 1: a counter after the milliseconds, started at random with its top
// bit clear. 12 bits of it lie before the variant and 6 behind it: ten times what one thread can
// use up in a millisecond.
constexpr std::uint32_t kCounterMax = (1U << 18) - 1;
constexpr std::uint32_t kCounterStartMask = kCounterMax >> 1;

bool isDash(std::size_t at) { return at == 8 || at == 13 || at == 18 || at == 23; }

char lowerHex(char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string uuidText(std::uint64_t high, std::uint64_t low) {
  std::string out(kUuidLength, '-');
  int shift = 124;
  for (std::size_t at = 0; at < kUuidLength; ++at) {
    if (isDash(at)) continue;
    out[at] = "0123456789abcdef"[(shift >= 64 ? high >> (shift - 64) : low >> shift) & 0xF];
    shift -= 4;
  }
  return out;
}

/// Versions 7 and 8 are the ones that begin with a time, or with what we gave them for one.
bool hasTimePrefix(std::string_view id) {
  if (id.size() != kUuidLength || (id[14] != '7' && id[14] != '8')) return false;
  for (std::size_t at = 0; at < kUuidLength; ++at) {
    if (isDash(at) ? id[at] != '-' : !isHexDigit(id[at])) return false;
  }
  return std::string_view("89abAB").find(id[19]) != std::string_view::npos;
}

std::uint64_t bigEndian(const std::uint8_t* bytes) {
  std::uint64_t value = 0;
  for (int at = 0; at < 8; ++at) value = value << 8 | bytes[at];
  return value;
}

/// `version` and the variant of RFC 9562 over 128 bits.
std::string shaped(std::uint64_t version, std::uint64_t high, std::uint64_t low) {
  return uuidText((high & ~0xF000ULL) | version << 12, (low & ~0ULL >> 2) | 1ULL << 63);
}

}  // namespace

std::string IdGenerator::next() {
  const std::lock_guard lock(mutex_);
  const auto sinceEpoch = clock_.now().time_since_epoch();
  const auto millis = static_cast<std::uint64_t>(
      std::max(std::chrono::floor<std::chrono::milliseconds>(sinceEpoch).count(), std::int64_t{0}));
  if (millis > lastMillis_) {
    lastMillis_ = millis;
    counter_ = static_cast<std::uint32_t>(random_.next()) & kCounterStartMask;
  } else if (counter_ == kCounterMax) {
    // More than the counter holds, or a clock that went back: run ahead of the clock instead.
    ++lastMillis_;
    counter_ = static_cast<std::uint32_t>(random_.next()) & kCounterStartMask;
  } else {
    ++counter_;
  }
  const std::uint64_t counter = counter_;
  return shaped(7, lastMillis_ << 16 | counter >> 6, (counter & 0x3F) << 56 | random_.next() >> 8);
}

std::string deriveId(std::string_view cause, std::string_view role) {
  std::string input;
  input.reserve(cause.size() + 1 + role.size());
  input.append(cause).append(1, '\n').append(role);
  const Sha256Digest digest = sha256Digest(input);
  std::string id = shaped(8, bigEndian(digest.data()), bigEndian(digest.data() + 8));
  if (hasTimePrefix(cause)) {
    std::transform(cause.begin(), cause.begin() + kTimePrefixLength, id.begin(), lowerHex);
  }
  return id;
}

void checkId(std::string_view what, std::string_view id) {
  const auto allowed = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == ':' || c == '-';
  };
  const bool good =
      !id.empty() && id.size() <= kIdLengthMax && std::all_of(id.begin(), id.end(), allowed);
  if (good) return;
  throw Error(ErrorCode::Invalid, std::string(what) + ' ' + quote(id) +
                                      " must be 1 to 128 characters of A-Z a-z 0-9 . _ : -");
}

}  // namespace tether
