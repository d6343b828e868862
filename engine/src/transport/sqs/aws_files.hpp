// The two files of profiles, ~/.aws/credentials and ~/.aws/config, as every AWS tool reads them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace tether::sqs {

/// A value of a profile file and where it stands: "/home/ann/.aws/config:3".
struct AwsSetting {
  std::string value;
  std::string place;
};

/// A key that is indented below another is "outer.inner"; keys are in lower case.
using AwsSection = std::map<std::string, AwsSetting>;
/// By the text in the brackets, without spaces around it: "profile ann".
using AwsSections = std::map<std::string, AwsSection>;

/// A later value wins over an earlier one. Throws Invalid, "NAME:LINE: …", that quotes nothing of
/// the text: any line may hold a secret.
AwsSections parseAwsFile(const std::string& name, std::string_view text);

/// Thread safety: none is needed, it does not change.
class AwsFiles {
 public:
  /// A file that does not exist has nothing in it. Throws Invalid for one that cannot be read.
  AwsFiles(const std::string& credentialsName, const std::string& configName);

  const AwsSection* credentials(const std::string& profile) const;
  const AwsSection* config(const std::string& profile) const;
  const AwsSection* services(const std::string& name) const;
  /// A section of the config file that lacks the word "profile": AWS tools do not see it.
  bool hasBareSection(const std::string& name) const { return config_.count(name) > 0; }

 private:
  AwsSections credentials_;
  AwsSections config_;
};

}  // namespace tether::sqs
