#include "base/repeated.hpp"

#include <algorithm>

namespace tether {

namespace {

constexpr std::size_t kReasons = 8;  // said of one row of failures
constexpr Duration kSoon = std::chrono::minutes{1};
constexpr Duration kQuietLeast = std::chrono::seconds{1};

}  // namespace

Repeated::~Repeated() {
  if (times_ > 1) say(": to the end");
}

void Repeated::failed(const std::string& error) {
  const std::lock_guard lock(mutex_);
  const auto now = clock_.steady();
  if (times_ == 0) {
    const bool soon = lastAt_ && now - *lastAt_ < kSoon;
    quiet_ = soon ? std::clamp(quiet_ * 2, kQuietLeast, kSoon) : Duration{0};
    beganAt_ = now;
    said_.clear();
  }
  ++times_;
  lastAt_ = now;
  if (said_.size() >= kReasons || !said_.insert(error).second) return;
  auto fields = fields_;
  fields.emplace_back("error", error);
  log::warn(what_, fields);
}

void Repeated::passed() {
  if (times_ == 0) return;
  const std::lock_guard lock(mutex_);
  if (times_ == 0 || clock_.steady() - *lastAt_ < quiet_) return;
  say(": it is over");
  times_ = 0;
}

void Repeated::say(const char* how) {
  auto fields = fields_;
  fields.emplace_back("times", std::to_string(times_));
  fields.emplace_back(
      "within",
      toText(std::chrono::floor<std::chrono::milliseconds>(lastAt_.value_or(beganAt_) - beganAt_)));
  log::warn(what_ + how, fields);
}

}  // namespace tether
