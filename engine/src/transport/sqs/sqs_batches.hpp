// Entries on their way in batches: which are done, which are to be sent again, and by whose fault.
#pragma once

#include <cstddef>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "transport/sqs/sqs_call.hpp"
#include "transport/sqs/sqs_client.hpp"

namespace tether::sqs {

/// The id of an entry is its place among all. What the constructor is given must outlive it.
class Batches {
 public:
  Batches(const std::string& action, const std::string& url, std::vector<nlohmann::json> entries,
          const Arrived& arrived, Duration timeout)
      : action_(action),
        url_(url),
        entries_(std::move(entries)),
        arrived_(arrived),
        timeout_(timeout),
        outcomes_(entries_.size()) {}

  /// With the entries themselves, which may be large: each goes into one call. Its answer goes into
  /// the outcomes; what failed for a while stays in its body.
  Call call(const std::vector<std::size_t>& batch);

  /// Takes what became of calls. Returns those that were refused as a whole, in pieces of one: one
  /// bad entry may be to blame.
  std::vector<Call> settle(std::vector<Call>& calls);

  /// Throws what failed when nothing was done, and when the queue does not exist.
  std::vector<EntryOutcome> result();

 private:
  Call callOf(nlohmann::json entries);
  bool take(nlohmann::json& body, const nlohmann::json& answer);

  const std::string& action_;
  const std::string& url_;
  std::vector<nlohmann::json> entries_;  // those of no call yet
  const Arrived& arrived_;
  Duration timeout_;
  std::vector<EntryOutcome> outcomes_;
  std::optional<CallFailure> failure_;
};

}  // namespace tether::sqs
