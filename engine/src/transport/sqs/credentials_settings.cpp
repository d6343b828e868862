// Keys that stand in the settings themselves: environment, profile, or none at all.
#include <algorithm>
#include <utility>

#include "tether/error.hpp"
#include "tether/text.hpp"
#include "transport/sqs/credentials_json.hpp"
#include "transport/sqs/credentials_source.hpp"
#include "transport/sqs/endpoint_url.hpp"
#include "transport/sqs/http_client.hpp"
#include "transport/sqs/imds.hpp"
#include "transport/sqs/refuse.hpp"

namespace tether::sqs {

namespace {

/// Profiles whose roles led to the one that is being looked at.
using Visited = std::vector<std::string>;

std::optional<CredentialsSource> sourceOf(const SourceContext& context, const std::string& profile,
                                          Visited visited);

std::string named(const std::string& profile, const AwsSetting& setting) {
  return "profile " + escapeForTerminal(profile) + " in " + setting.place;
}

/// An empty value counts as one that is not there.
std::optional<AwsSetting> given(const SourceContext& context, const std::string& profile,
                                const std::string& key) {
  auto setting = context.config.setting(profile, key);
  if (setting && setting->value.empty()) return std::nullopt;
  return setting;
}

const AwsSetting* find(const AwsSection& section, const std::string& key) {
  const auto found = section.find(key);
  return found == section.end() || found->second.value.empty() ? nullptr : &found->second;
}

CredentialsSource always(std::string words, Credentials keys, const SourceContext& context) {
  checkCredentials(words, keys, context.now());
  return {std::move(words), [keys = std::move(keys)] { return keys; }};
}

/// Both halves and the token come from one file: a mixture would be refused without a reason.
std::optional<CredentialsSource> staticKeys(const SourceContext& context,
                                            const std::string& profile) {
  const auto& files = context.config.files();
  for (const auto* section : {files.credentials(profile), files.config(profile)}) {
    if (section == nullptr) continue;
    const auto* const id = find(*section, "aws_access_key_id");
    const auto* const secret = find(*section, "aws_secret_access_key");
    if (id == nullptr && secret == nullptr) continue;
    if (secret == nullptr) refuse(id->place + ": aws_access_key_id without aws_secret_access_key");
    if (id == nullptr) refuse(secret->place + ": aws_secret_access_key without aws_access_key_id");
    const auto* const token = find(*section, "aws_session_token");
    return always(named(profile, *id),
                  {id->value, secret->value, token == nullptr ? "" : token->value, {}}, context);
  }
  return std::nullopt;
}

CredentialsSource credentialSource(const SourceContext& context, const AwsSetting& setting) {
  std::optional<CredentialsSource> source;
  if (setting.value == "Environment") {
    source = environmentSource(context);
  } else if (setting.value == "EcsContainer") {
    source = containerSource(context);
  } else if (setting.value == "Ec2InstanceMetadata") {
    source = metadataSource(context);
  } else {
    refuse(setting.place + ": credential_source must be Environment, EcsContainer or " +
           "Ec2InstanceMetadata, not " + quote(setting.value));
  }
  if (!source) refuse(setting.place + ": credential_source " + setting.value + " has no keys");
  return std::move(*source);
}

CredentialsSource sourceProfile(const SourceContext& context, const std::string& profile,
                                const AwsSetting& setting, Visited visited) {
  const auto& name = setting.value;
  context.config.requireProfile(name);
  visited.push_back(profile);
  std::optional<CredentialsSource> source;
  if (name == profile) {
    source = staticKeys(context, name);
  } else if (std::find(visited.begin(), visited.end(), name) != visited.end()) {
    refuse(setting.place + ": source_profile " + quote(name) + " leads back to itself");
  } else {
    source = sourceOf(context, name, std::move(visited));
  }
  if (!source) refuse(setting.place + ": source_profile " + quote(name) + " has no keys");
  return std::move(*source);
}

CredentialsSource roleSource(const SourceContext& context, const std::string& profile,
                             const AwsSetting& arn, Visited visited) {
  const auto text = [&](const std::string& key) {
    const auto setting = given(context, profile, key);
    return setting ? setting->value : "";
  };
  const Role role{arn.value, text("role_session_name"), text("external_id"),
                  text("duration_seconds")};
  const auto words = "role " + escapeForTerminal(arn.value) + " of " + named(profile, arn);
  if (const auto file = given(context, profile, "web_identity_token_file")) {
    return {words + ", by web identity",
            [=, &context] { return assumeRoleWithToken(role, file->value, context); }};
  }
  if (const auto mfa = given(context, profile, "mfa_serial")) {
    throw Error(ErrorCode::Unsupported,
                mfa->place + ": mfa_serial needs somebody to type a code; write " +
                    "credential_process = aws configure export-credentials --profile NAME");
  }
  const auto origin = given(context, profile, "source_profile");
  const auto kind = given(context, profile, "credential_source");
  if (origin.has_value() == kind.has_value()) {
    refuse(arn.place + ": role_arn needs " + (kind ? "only " : "") +
           "one of source_profile, credential_source and web_identity_token_file");
  }
  auto by = origin ? sourceProfile(context, profile, *origin, std::move(visited))
                   : credentialSource(context, *kind);
  return {words + ", by " + by.words,
          [=, &context] { return assumeRole(role, by.fetch(), context); }};
}

/// A role comes first: its own profile may hold the keys that assume it.
std::optional<CredentialsSource> sourceOf(const SourceContext& context, const std::string& profile,
                                          Visited visited) {
  if (const auto arn = given(context, profile, "role_arn")) {
    return roleSource(context, profile, *arn, std::move(visited));
  }
  if (auto keys = staticKeys(context, profile)) return keys;
  if (const auto process = given(context, profile, "credential_process")) {
    return CredentialsSource{"credential_process of " + named(profile, *process),
                             [place = process->place, command = process->value, &context] {
                               return runCredentialProcess(command, place, context);
                             }};
  }
  for (const std::string key : {"sso_session", "sso_start_url"}) {
    const auto sso = given(context, profile, key);
    if (!sso) continue;
    throw Error(ErrorCode::Unsupported,
                sso->place + ": Tether does not sign in by SSO itself; in a profile of its own " +
                    "write credential_process = aws configure export-credentials --profile " +
                    escapeForTerminal(profile));
  }
  return std::nullopt;
}

std::string withoutCredentials(const SourceContext& context) {
  return "no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write a profile "
         "in " +
         context.config.fileNames() + ", or run where a role gives them (container, instance)";
}

}  // namespace

std::optional<CredentialsSource> environmentSource(const SourceContext& context) {
  const auto id = context.config.variable("AWS_ACCESS_KEY_ID");
  const auto secret = context.config.variable("AWS_SECRET_ACCESS_KEY");
  if (!id && !secret) return std::nullopt;
  if (!secret) refuse("AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY");
  if (!id) refuse("AWS_SECRET_ACCESS_KEY is set without AWS_ACCESS_KEY_ID");
  const auto token = context.config.variable("AWS_SESSION_TOKEN").value_or("");
  return always("AWS_ACCESS_KEY_ID", {*id, *secret, token, {}}, context);
}

std::optional<CredentialsSource> profileSource(const SourceContext& context) {
  const auto profile = context.config.profile();
  context.config.requireProfile(profile);
  return sourceOf(context, profile, {});
}

std::optional<CredentialsSource> loopbackSource(const SourceContext& context) {
  const auto& url = context.settings.endpoint.url;
  if (!isLoopbackUrl(url)) return std::nullopt;
  return always("none are set: dummy keys, because " + url + " is loopback",
                {"dummy", "dummy", "", {}}, context);
}

std::optional<CredentialsSource> metadataSource(const SourceContext& context) {
  if (!Imds(context.settings.http, context.config).enabled()) return std::nullopt;
  return CredentialsSource{
      "instance metadata (IMDSv2)", [&context] {
        std::optional<Credentials> keys;
        try {
          keys = Imds(context.settings.http, context.config).credentials(context.now());
        } catch (const Error& error) {  // this may be no instance of AWS: one way of several
          throw Error(error.code(), withoutCredentials(context) + " (" + error.what() + ')');
        }
        if (!keys) failWithoutCredentials(context);
        return std::move(*keys);
      }};
}

void failWithoutCredentials(const SourceContext& context) { refuse(withoutCredentials(context)); }

}  // namespace tether::sqs
