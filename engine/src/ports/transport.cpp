#include "tether/transport.hpp"

namespace tether {

std::vector<bool> Transport::ackAll(std::span<const std::string> receipts) {
  std::vector<bool> acked;
  for (const auto& receipt : receipts) acked.push_back(ack(receipt));
  return acked;
}

}  // namespace tether
