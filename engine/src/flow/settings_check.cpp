#include "flow/settings_check.hpp"

#include <algorithm>

#include "tether/envelope.hpp"
#include "tether/error.hpp"
#include "tether/text.hpp"

namespace tether::flow {

namespace {

[[noreturn]] void refuse(const std::string& name, const std::string& must,
                         const std::string& value) {
  throw Error(ErrorCode::Invalid, name + " must be " + must + ", not " + value);
}

void atLeast(const std::string& name, std::int64_t least, std::int64_t value) {
  if (value < least) refuse(name, "at least " + std::to_string(least), std::to_string(value));
}

void notTooLong(const std::string& name, Duration value) {
  if (value <= kLongestDuration) return;
  refuse(name, "at most " + toText(kLongestDuration), toText(value));
}

void positive(const std::string& name, Duration value) {
  if (value <= Duration{0}) refuse(name, "more than zero", toText(value));
  notTooLong(name, value);
}

void notNegative(const std::string& name, Duration value) {
  if (value < Duration{0}) refuse(name, "zero or more", toText(value));
}

void checkRetry(const std::string& name, const RetryPolicy& retry) {
  atLeast(name + ".maxAttempts", 1, retry.maxAttempts);
  notNegative(name + ".initial", retry.initial);
  notNegative(name + ".max", retry.max);
  notNegative(name + ".retryFor", retry.retryFor);
  for (const auto& [pattern, policy] : retry.errors) {
    checkRetry(name + ".errors[\"" + pattern + "\"]", policy);
  }
}

void checkBreaker(const std::string& name, const Breaker& breaker) {
  atLeast(name + ".failures", 0, breaker.failures);
  positive(name + ".probe", breaker.probe);
}

/// It stands in every envelope: what no envelope can say would be made, and never leave.
void checkSource(const std::string& source) {
  checkAttribute("source", source);
  if (source.find(' ') != source.npos) refuse("source", "without spaces", quote(source));
}

/// Who asks for answers must hear them.
void checkReplyTo(const EngineOptions& options, const std::vector<std::string>& known) {
  const auto& name = options.replyTo;
  if (name.empty()) return;
  if (name == "commands") {
    throw Error(ErrorCode::Invalid, "replyTo must be another queue than \"commands\"");
  }
  if (!options.queues.contains(name)) {
    throw Error(ErrorCode::Invalid, "replyTo names the queue " + quote(name) +
                                        ", which is not among queues" + didYouMean(name, known));
  }
  if (std::ranges::find(options.listen, name) == options.listen.end()) {
    throw Error(ErrorCode::Invalid, "replyTo names the queue " + quote(name) +
                                        ", which is not in listen: nobody would hear the answers");
  }
}

void checkQueues(const EngineOptions& options) {
  if (options.addressOf("commands").inMemory() && !options.volatileCommands) {
    throw Error(
        ErrorCode::Invalid,
        "queues[\"commands\"] = \"memory\" forgets accepted commands when the process ends; "
        "set volatileCommands if that is meant");
  }
  std::vector<std::string> known;
  for (const auto& [queue, address] : options.queues) known.push_back(queue);
  for (auto queue = options.listen.begin(); queue != options.listen.end(); ++queue) {
    if (!options.queues.contains(*queue)) {
      throw Error(ErrorCode::Invalid, "listen names the queue " + quote(*queue) +
                                          ", which is not among queues" +
                                          didYouMean(*queue, known));
    }
    if (std::find(options.listen.begin(), queue, *queue) != queue) {
      throw Error(ErrorCode::Invalid, "listen names the queue \"" + *queue + "\" twice");
    }
  }
  checkReplyTo(options, known);
}

}  // namespace

void checkOptions(const EngineOptions& options) {
  atLeast("prefetch", 1, static_cast<std::int64_t>(std::min<std::size_t>(options.prefetch, 1)));
  atLeast("workers", 1, options.workers);
  atLeast("relayBatch", 1, static_cast<std::int64_t>(std::min<std::size_t>(options.relayBatch, 1)));
  checkSource(options.source);
  positive("poll", options.poll);
  positive("idlePoll", options.idlePoll);
  positive("ownerLease", options.ownerLease);
  positive("timeout", options.timeout);
  positive("hold", options.hold);
  for (const auto& [name, value] :
       {std::pair{"retention", options.retention}, std::pair{"idempotency", options.idempotency},
        std::pair{"resend", options.resend}, std::pair{"dedupWindow", options.dedupWindow}}) {
    notNegative(name, value);
    notTooLong(name, value);
  }
  checkRetry("retry", options.retry);
  checkBreaker("breaker", options.breaker);
  checkQueues(options);
}

void checkSettings(const std::string& type, const CommandSettings& settings) {
  if (settings.timeout) positive(type + ": timeout", *settings.timeout);
  if (settings.hold) positive(type + ": hold", *settings.hold);
  if (settings.retry) checkRetry(type + ": retry", *settings.retry);
  if (settings.breaker) checkBreaker(type + ": breaker", *settings.breaker);
}

}  // namespace tether::flow
