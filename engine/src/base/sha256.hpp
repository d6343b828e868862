// SHA-256 for derived ids and content hashes.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace tether {

using Sha256Digest = std::array<std::uint8_t, 32>;

/// Thread safety: from any thread.
Sha256Digest sha256Digest(std::string_view text);

}  // namespace tether
