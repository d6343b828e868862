// Bringing home what a remote queue's own redrive policy has set aside.
#include <algorithm>

#include "base/log.hpp"
#include "flow/arrival.hpp"
#include "flow/dead_letter_service.hpp"
#include "model/audit.hpp"
#include "tether/error.hpp"
#include "tether/json.hpp"

namespace tether::flow {

namespace {

constexpr Duration kLease = std::chrono::minutes{1};
// A short poll may miss what is there.
constexpr Duration kWait = std::chrono::seconds{1};

NewDeadLetter pulledLetter(const Delivery& delivery, const std::string& queue, Time now) {
  const Failure why{"redriven", "was received again and again and never taken in"};
  auto letter = letterOf(delivery, queue, "pulled", why, now);
  try {
    letter.correlationId = parseEnvelope(letter.body).correlationId;
  } catch (const Error&) {
    // That may be why it was set aside: the letter keeps the bytes.
  }
  return letter;
}

}  // namespace

std::vector<std::string> DeadLetterService::pull(const std::string& queue, Transport& from,
                                                 std::size_t max, const Operator& by) {
  std::vector<std::string> ids;
  while (ids.size() < max) {
    const auto room = std::min(max - ids.size(), from.features().batchMax);
    const auto deliveries = from.receive(room, kLease, kWait);
    if (deliveries.empty()) break;
    const auto now = clock_.now();
    std::vector<NewDeadLetter> letters;
    std::vector<std::string> receipts;
    for (const auto& delivery : deliveries) {
      letters.push_back(pulledLetter(delivery, queue, now));
      receipts.push_back(delivery.receipt);
    }
    store_.commit(Durability::Durable, [&](Unit& unit) {
      for (const auto& letter : letters) {
        unit.bury(letter);
        auto entry = auditOf("pulled", by, now);
        entry.letterId = letter.id;
        entry.type = letter.type;
        entry.correlationId = letter.correlationId;
        unit.audit(entry);
      }
    });
    for (auto& letter : letters) ids.push_back(std::move(letter.id));
    // What is not deleted comes again, and is the same letter.
    try {
      const auto acked = from.ackAll(receipts);
      if (std::ranges::count(acked, false) > 0) {
        log::warn("a message was pulled and not deleted", {{"queue", queue}});
      }
    } catch (const Error& error) {  // what is here is to be told all the same
      log::warn("messages were pulled and not deleted: the next pull finds them again",
                {{"queue", queue}, {"error", error.what()}});
      break;
    }
  }
  return ids;
}

}  // namespace tether::flow
