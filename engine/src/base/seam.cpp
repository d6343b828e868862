#include "tether/seam.hpp"

#include <charconv>
#include <csignal>
#include <string>
#include <vector>

#include "tether/error.hpp"
#include "tether/text.hpp"

namespace tether {
namespace {

std::string dotted(std::string name) {
  name[name.find('_')] = '.';
  return name;
}

const std::vector<std::string>& names() {
  static const std::vector<std::string> kNames = {
#define TETHER_SEAM_TEXT(name) dotted(#name),
      TETHER_SEAMS(TETHER_SEAM_TEXT)
#undef TETHER_SEAM_TEXT
  };
  return kNames;
}

std::atomic<Seam> crashAt{};
std::atomic<unsigned> passesLeft{0};

bool crashHook(Seam seam) {
  // SIGKILL, because nothing may run after it: no handler, no destructor, no flush.
  if (seam == crashAt.load() && passesLeft.fetch_sub(1) == 1) std::raise(SIGKILL);
  return false;
}

}  // namespace

std::atomic<SeamHook> seamHook{nullptr};

std::string_view toString(Seam seam) { return names().at(static_cast<std::size_t>(seam)); }

std::optional<Seam> parseSeam(std::string_view text) {
  for (std::size_t at = 0; at < names().size(); ++at) {
    if (names()[at] == text) return static_cast<Seam>(at);
  }
  return std::nullopt;
}

void setSeamHook(SeamHook hook) noexcept { seamHook.store(hook); }

void armCrash(std::string_view setting) {
  const auto colon = setting.find(':');
  const auto name = setting.substr(0, colon);
  const auto seam = parseSeam(name);
  if (!seam) {
    throw Error(ErrorCode::Invalid, "unknown seam " + quote(name) + didYouMean(name, names()));
  }
  unsigned hit = 1;
  if (colon != std::string_view::npos) {
    const auto digits = setting.substr(colon + 1);
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), hit);
    const bool whole = read.ptr == digits.data() + digits.size();
    if (read.ec != std::errc{} || !whole || hit == 0) {
      throw Error(ErrorCode::Invalid,
                  "hit " + quote(digits) + " of seam " + std::string(name) + " must be 1 or more");
    }
  }
  crashAt = *seam;
  passesLeft = hit;
  setSeamHook(crashHook);
}

}  // namespace tether
