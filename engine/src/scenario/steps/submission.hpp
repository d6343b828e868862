// What submit and batch have in common: one command as a scenario writes it.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "scenario/step.hpp"

namespace tether::scenario {

struct Submission {
  std::string id;
  std::string as;  // the id when nothing else was said
  nlohmann::json written;

  /// With its references resolved, at this time.
  CommandRequest request(const Run& run) const;
  /// What is known of it before a receipt is.
  void announce(Run& run) const;
};

std::vector<Submission> parseSubmissions(const ConfigValue& value, Reading& reading);
nlohmann::json submissionSchema();

/// Fails at a member that is neither a text nor a $ref.
void checkTexts(const ConfigValue& value, std::initializer_list<const char*> members);

/// Calls submit; what is refused goes to run.refused.
void submitOrBeRefused(Run& run, const std::function<void()>& submit);

}  // namespace tether::scenario
