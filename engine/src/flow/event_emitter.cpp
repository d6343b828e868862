#include "flow/event_emitter.hpp"

namespace tether::flow {

std::vector<SendResult> SubscriberEmitter::emit(std::span<const OutgoingMessage> messages) {
  std::vector<SendResult> results;
  for (const auto& message : messages) {
    try {
      events_.tell(name_, parseEnvelope(message.body));
      failed_.passed();
      results.push_back({});
    } catch (const std::exception& error) {
      failed_.failed("of event " + message.id + ": " + error.what());
      results.push_back({SendResult::Kind::Transient, error.what()});
    } catch (...) {
      failed_.failed("of event " + message.id + ": something that is no std::exception");
      results.push_back({SendResult::Kind::Transient, "something that is no std::exception"});
    }
  }
  return results;
}

}  // namespace tether::flow
