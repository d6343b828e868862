#include "catalog/retry_section.hpp"

#include <map>
#include <string>
#include <vector>

#include "tether/text.hpp"

namespace tether {
namespace {

constexpr int kAttemptsMax = 1000;

/// What this section says for itself; its classes are another matter.
void apply(const ConfigValue& section, RetryPolicy& policy) {
  using Backoff = RetryPolicy::Backoff;
  using Jitter = RetryPolicy::Jitter;
  using OnExhausted = RetryPolicy::OnExhausted;
  section.allowKeys({"maxAttempts", "backoff", "initial", "max", "multiplier", "jitter", "retryFor",
                     "onExhausted", "errors"});
  if (const auto field = section.find("maxAttempts")) {
    policy.maxAttempts = field->integer(1, kAttemptsMax);
  }
  if (const auto field = section.find("backoff")) {
    policy.backoff = field->choice<Backoff>({{"none", Backoff::None},
                                             {"fixed", Backoff::Fixed},
                                             {"exponential", Backoff::Exponential}});
  }
  if (const auto field = section.find("initial")) policy.initial = field->duration();
  if (const auto field = section.find("max")) policy.max = field->duration();
  if (const auto field = section.find("multiplier")) policy.multiplier = field->number(1);
  if (const auto field = section.find("jitter")) {
    policy.jitter = field->choice<Jitter>(
        {{"none", Jitter::None}, {"full", Jitter::Full}, {"equal", Jitter::Equal}});
  }
  if (const auto field = section.find("retryFor")) policy.retryFor = field->durationOrZero();
  if (const auto field = section.find("onExhausted")) {
    policy.onExhausted =
        field->choice<OnExhausted>({{"dead", OnExhausted::Dead}, {"reject", OnExhausted::Reject}});
  }
}

void refuseLateStart(const RetryPolicy& policy, const ConfigValue& at, const std::string& whose) {
  if (policy.backoff == RetryPolicy::Backoff::None || policy.initial <= policy.max) return;
  at.fail("the first delay " + whose + "(initial " + toText(policy.initial) +
          ") is longer than max " + toText(policy.max));
}

/// Pattern to the sections that speak of it; a later one stands over those before it.
using Classes = std::map<std::string, std::vector<ConfigValue>>;

void collect(const ConfigValue& section, Classes& classes) {
  const auto errors = section.find("errors");
  if (!errors) return;
  for (const auto& [pattern, value] : errors->members()) {
    if (pattern.empty() || hasControls(pattern)) {
      value.failAtKey(
          "a class of errors needs a code such as \"card_declined\" or \"net_*\", not " +
          quote(pattern));
    }
    RetryPolicy ignored;
    apply(value, ignored);  // a mistake of its own is told before what comes of it
    if (const auto nested = value.find("errors")) {
      nested->failAtKey("a class of errors has no \"errors\" of its own");
    }
    classes[pattern].push_back(value);
  }
}

}  // namespace

RetryPolicy parseRetry(const ConfigValue& section, const std::optional<ConfigValue>& defaults) {
  RetryPolicy policy;
  Classes classes;
  if (defaults) {
    apply(*defaults, policy);
    collect(*defaults, classes);
  }
  apply(section, policy);
  collect(section, classes);
  refuseLateStart(policy, section, "");
  std::map<std::string, RetryPolicy, std::less<>> errors;
  for (const auto& [pattern, layers] : classes) {
    auto& rule = errors[pattern] = policy;
    for (const auto& layer : layers) apply(layer, rule);
    const auto own = section.find("errors");
    const bool here = own && own->find(pattern);
    refuseLateStart(rule, here ? layers.back() : section, "for " + quote(pattern) + " ");
  }
  policy.errors = std::move(errors);
  return policy;
}

}  // namespace tether
