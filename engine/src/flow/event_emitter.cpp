#include "flow/event_emitter.hpp"

#include "base/log.hpp"

namespace tether::flow {

std::vector<SendResult> SubscriberEmitter::emit(std::span<const OutgoingMessage> messages) {
  std::vector<SendResult> results;
  for (const auto& message : messages) {
    try {
      events_.tell(name_, parseEnvelope(message.body));
      results.push_back({});
    } catch (const std::exception& error) {
      log::warn("a subscriber failed",
                {{"subscriber", name_}, {"eventId", message.id}, {"error", error.what()}});
      results.push_back({SendResult::Kind::Transient, error.what()});
    } catch (...) {
      log::warn("a subscriber failed", {{"subscriber", name_}, {"eventId", message.id}});
      results.push_back({SendResult::Kind::Transient, "something that is no std::exception"});
    }
  }
  return results;
}

}  // namespace tether::flow
