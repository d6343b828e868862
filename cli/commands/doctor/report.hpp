// What doctor found, check by check.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace tether::cli {

enum class Health { Good, Note, Problem };

struct Check {
  std::string name;
  Health health = Health::Good;
  std::string message;
};

class Report {
 public:
  void good(std::string name, std::string message) {
    checks_.push_back({std::move(name), Health::Good, std::move(message)});
  }
  void note(std::string name, std::string message) {
    checks_.push_back({std::move(name), Health::Note, std::move(message)});
  }
  void problem(std::string name, std::string message) {
    checks_.push_back({std::move(name), Health::Problem, std::move(message)});
  }

  const std::vector<Check>& checks() const { return checks_; }

 private:
  std::vector<Check> checks_;
};

}  // namespace tether::cli
