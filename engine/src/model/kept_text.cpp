#include "model/kept_text.hpp"

#include "tether/text.hpp"

namespace tether {

namespace {

constexpr std::size_t kCodeBytesMax = 256;
constexpr std::size_t kNameBytesMax = 1024;
constexpr std::size_t kMessageBytesMax = std::size_t{16} * 1024;

}  // namespace

Failure kept(const Failure& failure) {
  return {keptText(failure.code, kCodeBytesMax), keptText(failure.message, kMessageBytesMax)};
}

Operator kept(const Operator& by) {
  return {keptText(by.name, kNameBytesMax), keptText(by.from, kNameBytesMax),
          keptText(by.reason, kMessageBytesMax)};
}

}  // namespace tether
