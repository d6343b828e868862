// Bringing home what a remote queue's own redrive policy has set aside.
#include <algorithm>

#include "base/log.hpp"
#include "flow/arrival.hpp"
#include "flow/dead_letter_desk.hpp"
#include "tether/error.hpp"
#include "tether/json.hpp"

namespace tether::flow {

namespace {

constexpr Duration kLease = std::chrono::minutes{1};
// A short poll may miss what is there.
constexpr Duration kWait = std::chrono::seconds{1};

NewDeadLetter pulledLetter(const Delivery& delivery, const std::string& queue, Time now) {
  NewDeadLetter letter;
  letter.queue = queue;
  letter.body = lettersBody(delivery, queue);
  try {
    const auto envelope = parseEnvelope(envelopeText(delivery, queue));
    letter.type = envelope.type;
    letter.correlationId = envelope.correlationId;
  } catch (const Error&) {
    // That may be why it was set aside: the letter keeps the bytes.
  }
  letter.id = deriveId(delivery.id, "pulled/" + queue + sha256(letter.body));
  letter.error = {"redriven", "was received again and again and never taken in"};
  letter.failedAt = now;
  return letter;
}

}  // namespace

std::vector<std::string> DeadLetterDesk::pull(const std::string& queue, Transport& from,
                                              std::size_t max, const Operator& by) {
  std::vector<std::string> ids;
  while (ids.size() < max) {
    const auto room = std::min(max - ids.size(), from.features().batchMax);
    const auto deliveries = from.receive(room, kLease, kWait);
    if (deliveries.empty()) break;
    const auto now = clock_.now();
    std::vector<std::string> receipts;
    store_.commit(Durability::Durable, [&](Unit& unit) {
      receipts.clear();
      for (const auto& delivery : deliveries) {
        const auto letter = pulledLetter(delivery, queue, now);
        unit.bury(letter);
        AuditEntry entry;
        entry.at = now;
        entry.action = "pulled";
        entry.letterId = letter.id;
        entry.type = letter.type;
        entry.correlationId = letter.correlationId;
        entry.by = by;
        unit.audit(entry);
        receipts.push_back(delivery.receipt);
      }
    });
    for (const auto& delivery : deliveries) ids.push_back(pulledLetter(delivery, queue, now).id);
    // What is not deleted comes again, and is the same letter.
    const auto acked = from.ackAll(receipts);
    if (std::ranges::count(acked, false) > 0) {
      log::warn("a message was pulled and not deleted", {{"queue", queue}});
    }
  }
  return ids;
}

}  // namespace tether::flow
