// The AWS settings of a test: its own environment and its own files, never those of the machine.
#pragma once

#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "transport/sqs/aws_config.hpp"
#include "unit/catalog_folder.hpp"

namespace tether::testing {

using Variables = std::map<std::string, std::string>;

class AwsFolder {
 public:
  AwsFolder(std::initializer_list<Variables::value_type> variables = {})
      : variables_(std::make_shared<Variables>(variables)) {
    variables_->emplace("HOME", folder_.at("home").string());
    variables_->emplace("AWS_EC2_METADATA_DISABLED", "true");
  }

  void set(const std::string& name, const std::string& value) { (*variables_)[name] = value; }
  std::string config(const std::string& text) const { return file("home/.aws/config", text); }
  std::string credentials(const std::string& text) const {
    return file("home/.aws/credentials", text);
  }
  std::string file(const std::string& name, const std::string& text) const {
    return folder_.write(name, text).string();
  }
  std::string at(const std::string& name) const { return folder_.at(name).string(); }

  sqs::Environment environment() const {
    return [variables = variables_](const std::string& name) -> std::optional<std::string> {
      const auto found = variables->find(name);
      if (found == variables->end()) return std::nullopt;
      return found->second;
    };
  }
  sqs::AwsConfig aws() const { return sqs::AwsConfig(environment()); }

 private:
  CatalogFolder folder_;
  std::shared_ptr<Variables> variables_;
};

}  // namespace tether::testing
