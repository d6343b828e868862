#include "transport/sqs/sqs_batches.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "transport/sqs/json_members.hpp"

namespace tether::sqs {

namespace {

using Json = nlohmann::json;

/// Refused is for good, so only what blames the entry itself: the rest is mended by people, who
/// find the message where it was.
EntryOutcome outcomeOf(const EntryFailure& failure) {
  using Kind = EntryOutcome::Kind;
  const auto remedy = remedyFor(failure);
  const auto kind = remedy == Remedy::LeaseIsOver   ? Kind::Lost
                    : remedy == Remedy::ChangeEntry ? Kind::Refused
                                                    : Kind::TryLater;
  return {kind, failure.error.text()};
}

std::size_t placeOf(const Json& entry) {
  return static_cast<std::size_t>(toNumber(stringMember(entry, "Id")));
}

}  // namespace

Call Batches::call(const std::vector<std::size_t>& batch) {
  Json entries = Json::array();
  for (const auto at : batch) {
    entries_[at]["Id"] = std::to_string(at);
    entries.push_back(std::move(entries_[at]));
  }
  return callOf(std::move(entries));
}

Call Batches::callOf(Json entries) {
  Call call;
  call.action = action_;
  call.timeout = timeout_;
  call.body["QueueUrl"] = url_;
  call.body["Entries"] = std::move(entries);
  call.take = [this](Json& body, const Json& answer) { return take(body, answer); };
  return call;
}

std::vector<Call> Batches::settle(std::vector<Call>& calls) {
  std::vector<Call> pieces;
  for (Call& call : calls) {
    if (!call.failure) continue;
    const auto remedy = call.failure->remedy;
    const bool entry = remedy == Remedy::ChangeEntry || remedy == Remedy::LeaseIsOver;
    auto& left = call.body.at("Entries");
    for (auto& one : left) {
      if (entry && left.size() > 1) {
        pieces.push_back(callOf(Json::array({std::move(one)})));
        continue;
      }
      auto& outcome = outcomes_[placeOf(one)];
      outcome.error = call.failure->message;
      if (entry) {
        outcome.kind =
            remedy == Remedy::LeaseIsOver ? EntryOutcome::Kind::Lost : EntryOutcome::Kind::Refused;
      }
    }
    if (!entry && !failure_) failure_ = call.failure;
  }
  return pieces;
}

std::vector<EntryOutcome> Batches::result() {
  const bool nothing = std::all_of(outcomes_.begin(), outcomes_.end(), [](const auto& outcome) {
    return outcome.kind == EntryOutcome::Kind::TryLater;
  });
  // That the queue has gone is true for all of them.
  if (failure_ && (nothing || failure_->code == ErrorCode::NotFound)) {
    throw Error(failure_->code, failure_->message);
  }
  return std::move(outcomes_);
}

bool Batches::take(Json& body, const Json& answer) {
  std::map<std::string, EntryOutcome> told;
  for (const auto& failed : arrayMember(answer, "Failed")) {
    const auto failure = parseEntryFailure(failed);
    told[failure.id] = outcomeOf(failure);
  }
  for (const auto& done : arrayMember(answer, "Successful")) {
    const auto id = stringMember(done, "Id");
    const auto at = placeOf(done);
    const bool good = !arrived_ || (at < entries_.size() && arrived_(at, done));
    told[id] = good ? EntryOutcome{EntryOutcome::Kind::Done, {}}
                    : EntryOutcome{EntryOutcome::Kind::TryLater, "it was damaged on its way"};
  }
  Json left = Json::array();
  for (auto& entry : body.at("Entries")) {
    const auto id = stringMember(entry, "Id");
    auto& outcome = outcomes_[placeOf(entry)];
    const auto found = told.find(id);
    outcome = found != told.end()
                  ? found->second
                  : EntryOutcome{EntryOutcome::Kind::TryLater, "SQS did not answer for it"};
    if (outcome.kind == EntryOutcome::Kind::TryLater) left.push_back(std::move(entry));
  }
  body["Entries"] = std::move(left);
  return body["Entries"].empty();
}

}  // namespace tether::sqs
