#include "transport/sqs/aws_config.hpp"

#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "tether/error.hpp"
#include "tether/text.hpp"
#include "transport/sqs/endpoint_url.hpp"

namespace tether::sqs {

namespace {

bool isTrueWord(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text == "true";
}

std::string inProfile(const AwsConfig& config, const AwsSetting& setting) {
  return "profile " + escapeForTerminal(config.profile()) + " in " + setting.place;
}

std::string upperCase(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

bool configuredUrlsIgnored(const AwsConfig& config) {
  const std::string variable = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS";
  if (config.variable(variable)) return config.isTrue(variable);
  const auto setting = config.setting("ignore_configured_endpoint_urls");
  return setting && isTrueWord(setting->value);
}

struct Region {
  std::string name;
  std::string source;
};

std::optional<Region> configuredRegion(const SqsAddress& address, const AwsConfig& config) {
  if (address.region) return Region{*address.region, "the queue address"};
  for (const std::string name : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
    if (const auto value = config.variable(name)) return Region{checkRegion(name, *value), name};
  }
  const auto setting = config.setting("region");
  if (!setting || setting->value.empty()) return std::nullopt;
  return Region{checkRegion(setting->place + ": region", setting->value),
                inProfile(config, *setting)};
}

Region anyRegion(const SqsAddress& address, const AwsConfig& config, bool loopback,
                 const RegionLookup& machineRegion) {
  if (auto region = configuredRegion(address, config)) return std::move(*region);
  if (loopback) return {"us-east-1", "none is set, and a loopback endpoint takes any"};
  auto code = ErrorCode::Invalid;
  std::string failure;
  try {
    if (const auto region = machineRegion ? machineRegion() : std::nullopt) {
      return {checkRegion("the region of the instance metadata", *region), "instance metadata"};
    }
  } catch (const Error& error) {  // this may be no instance of AWS: one way of several
    code = error.code();
    failure = std::string(" (") + error.what() + ')';
  }
  throw Error(code, "no AWS region for queue " + address.name + ": write sqs://" + address.name +
                        "?region=…, or set AWS_REGION, or region in " + config.fileNames() +
                        failure);
}

}  // namespace

Environment processEnvironment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe)
    if (value == nullptr) return std::nullopt;
    return value;
  };
}

AwsConfig::AwsConfig(Environment environment) : environment_(std::move(environment)) {}

std::optional<std::string> AwsConfig::variable(const std::string& name) const {
  auto value = environment_(name);
  if (value && value->empty()) return std::nullopt;
  return value;
}

bool AwsConfig::isTrue(const std::string& variable) const {
  return isTrueWord(this->variable(variable).value_or(""));
}

std::string AwsConfig::profile() const {
  const auto name = variable("AWS_PROFILE");
  return name ? *name : variable("AWS_DEFAULT_PROFILE").value_or("default");
}

void AwsConfig::requireProfile(const std::string& profile) const {
  if (profile == "default") return;
  const auto& all = files();
  if (all.credentials(profile) != nullptr || all.config(profile) != nullptr) return;
  const std::string hint = all.hasBareSection(profile)
                               ? "; in the config file write [profile " +
                                     escapeForTerminal(profile) + "], not the name alone"
                               : "";
  throw Error(ErrorCode::Invalid,
              "AWS profile " + quote(profile) + " is not in " + fileNames() + hint);
}

std::optional<AwsSetting> AwsConfig::setting(const std::string& profile,
                                             const std::string& key) const {
  const auto& all = files();
  for (const auto* section : {all.credentials(profile), all.config(profile)}) {
    if (section == nullptr) continue;
    if (const auto found = section->find(key); found != section->end()) return found->second;
  }
  return std::nullopt;
}

std::optional<AwsSetting> AwsConfig::serviceEndpoint(const std::string& service) const {
  const auto name = setting("services");
  if (!name) return std::nullopt;
  const auto* section = files().services(name->value);
  if (section == nullptr) {
    throw Error(ErrorCode::Invalid,
                name->place + ": no [services " + escapeForTerminal(name->value) + "] is there");
  }
  const auto found = section->find(service + ".endpoint_url");
  if (found == section->end()) return std::nullopt;
  return found->second;
}

const AwsFiles& AwsConfig::files() const {
  if (files_ == nullptr) {
    files_ =
        std::make_shared<AwsFiles>(fileName("AWS_SHARED_CREDENTIALS_FILE", "/.aws/credentials"),
                                   fileName("AWS_CONFIG_FILE", "/.aws/config"));
  }
  return *files_;
}

std::string AwsConfig::fileName(const std::string& variable, const std::string& inHome) const {
  const auto home = this->variable("HOME");
  auto name = this->variable(variable);
  if (!name) return home ? *home + inHome : "";
  return this->inHome(*std::move(name));
}

std::string AwsConfig::inHome(std::string name) const {
  const auto home = variable("HOME");
  return home && name.starts_with("~/") ? *home + name.substr(1) : name;
}

std::string AwsConfig::caBundle() const {
  const std::string variable = "AWS_CA_BUNDLE";
  std::string place = variable;
  auto name = this->variable(variable);
  if (!name) {
    std::optional<AwsSetting> setting;
    try {
      setting = this->setting("ca_bundle");
    } catch (const Error&) {
      // Who needs the broken file says so; with all the rest in the address nobody does.
    }
    if (!setting || setting->value.empty()) return {};
    place = setting->place + ": ca_bundle";
    name = setting->value;
  }
  auto path = inHome(*std::move(name));
  if (::access(path.c_str(), R_OK) != 0) {
    throw Error(ErrorCode::Invalid, place + ": " + quote(path) + " cannot be read");
  }
  return path;
}

std::string AwsConfig::fileNames() const {
  const auto shown = [this](const std::string& variable, const std::string& inHome) {
    return escapeForTerminal(this->variable(variable).value_or("~" + inHome));
  };
  return shown("AWS_CONFIG_FILE", "/.aws/config") + " or " +
         shown("AWS_SHARED_CREDENTIALS_FILE", "/.aws/credentials");
}

std::optional<ServiceUrl> configuredUrl(const std::string& service, const AwsConfig& config) {
  // The environment comes first, so that a broken file is no reason not to use it.
  const bool ignored = config.isTrue("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
  for (const auto& name :
       {"AWS_ENDPOINT_URL_" + upperCase(service), std::string("AWS_ENDPOINT_URL")}) {
    const auto value = ignored ? std::nullopt : config.variable(name);
    if (value) return ServiceUrl{checkEndpointUrl(name, *value), name};
  }
  if (configuredUrlsIgnored(config)) return std::nullopt;
  auto setting = config.serviceEndpoint(service);
  if (!setting) setting = config.setting("endpoint_url");
  if (!setting) return std::nullopt;
  return ServiceUrl{checkEndpointUrl(setting->place + ": endpoint_url", setting->value),
                    inProfile(config, *setting)};
}

ServiceUrl defaultUrl(const std::string& service, const std::string& region) {
  const std::string china = region.starts_with("cn-") ? ".cn" : "";
  return {"https://" + service + '.' + region + ".amazonaws.com" + china, "AWS, by the region"};
}

Endpoint resolveEndpoint(const SqsAddress& address, const AwsConfig& config,
                         const RegionLookup& machineRegion) {
  std::optional<ServiceUrl> url;
  if (address.endpoint) {
    url = ServiceUrl{*address.endpoint, "the queue address"};
  } else {
    url = configuredUrl("sqs", config);
  }
  config.requireProfile(config.profile());
  auto region = anyRegion(address, config, url && isLoopbackUrl(url->url), machineRegion);
  if (!url) url = defaultUrl("sqs", region.name);
  requireSafeUrl(url->source + ": endpoint", url->url, address.insecure);
  return {url->url,         std::move(region.name), url->source, std::move(region.source),
          address.insecure, config.caBundle()};
}

}  // namespace tether::sqs
