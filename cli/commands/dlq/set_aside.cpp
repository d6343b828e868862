#include "set_aside.hpp"

#include <fmt/format.h>

#include "views.hpp"

namespace tether::cli {

std::optional<SetAside> setAside(const std::string& address,
                                 const std::optional<SqsRedrive>& redrive, Duration within) {
  if (!redrive || redrive->missing) return {};
  const auto aside = sqsAddressOf(address, redrive->queue);
  const auto counts = makeSqsTransport(aside, systemClock(), within)->counts();
  const auto count = counts.ready + counts.leased + counts.delayed;
  if (count == 0) return {};
  return SetAside{aside, count};
}

std::string describe(const SetAside& aside, const std::string& queue) {
  return fmt::format("about {} set aside by SQS at {}; 'tether dlq pull {}' brings {} home",
                     countText(static_cast<std::size_t>(aside.count), "message"), aside.address,
                     queue, aside.count == 1 ? "it" : "them");
}

}  // namespace tether::cli
