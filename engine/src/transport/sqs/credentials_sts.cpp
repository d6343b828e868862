// Roles: STS gives short-lived keys for other keys, or for the token of an identity provider. It
// speaks the query protocol and answers in XML, of which a few fields are taken, strictly.
#include <algorithm>
#include <array>
#include <utility>

#include "tether/error.hpp"
#include "tether/text.hpp"
#include "transport/sqs/credentials_json.hpp"
#include "transport/sqs/credentials_source.hpp"
#include "transport/sqs/http_client.hpp"

namespace tether::sqs {

namespace {

using Form = std::vector<std::pair<std::string, std::string>>;

[[noreturn]] void fail(ErrorCode code, const std::string& problem) { throw Error(code, problem); }

std::string encoded(const std::string& text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-_.~").find(c) != std::string_view::npos;
    const auto byte = static_cast<unsigned char>(c);
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

std::string body(const Form& form) {
  std::string text;
  for (const auto& [name, value] : form) {
    if (value.empty()) continue;
    text.append(text.empty() ? "" : "&").append(name).append("=").append(encoded(value));
  }
  return text;
}

std::string unescaped(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, char>, 5> kEntities = {
      {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}}};
  std::string out;
  while (!text.empty()) {
    const auto* const entity =
        std::find_if(kEntities.begin(), kEntities.end(),
                     [&](const auto& one) { return text.starts_with(one.first); });
    const bool known = entity != kEntities.end();
    out += known ? entity->second : text.front();
    text.remove_prefix(known ? entity->first.size() : 1);
  }
  return out;
}

/// What stands in the one element of this name; nothing when there is none, or more than one.
std::optional<std::string_view> element(std::string_view xml, const std::string& name) {
  const auto open = '<' + name + '>';
  const auto close = "</" + name + '>';
  const auto start = xml.find(open);
  if (start == std::string_view::npos) return std::nullopt;
  const auto from = start + open.size();
  const auto end = xml.find(close, from);
  if (end == std::string_view::npos || xml.find(open, from) != std::string_view::npos) {
    return std::nullopt;
  }
  return xml.substr(from, end - from);
}

std::string field(const std::string& what, std::string_view xml, const std::string& name) {
  auto text = element(xml, name);
  if (!text) fail(ErrorCode::Invalid, what + " gave no " + name);
  constexpr std::string_view kXmlSpaces = " \t\r\n";
  const auto first = text->find_first_not_of(kXmlSpaces);
  if (first == std::string_view::npos) fail(ErrorCode::Invalid, what + " gave no " + name);
  return unescaped(text->substr(first, text->find_last_not_of(kXmlSpaces) - first + 1));
}

Credentials read(const std::string& what, const std::string& xml, Time now) {
  const auto inner = element(xml, "Credentials");
  if (!inner) fail(ErrorCode::Invalid, what + " gave no Credentials");
  Credentials keys;
  keys.accessKeyId = field(what, *inner, "AccessKeyId");
  keys.secretAccessKey = field(what, *inner, "SecretAccessKey");
  keys.sessionToken = field(what, *inner, "SessionToken");
  const auto expiration = field(what, *inner, "Expiration");
  try {
    keys.expiration = parseTime(expiration);
  } catch (const Error&) {
    fail(ErrorCode::Invalid, what + " gave an Expiration that is no time");
  }
  checkCredentials(what, keys, now);
  return keys;
}

/// Only the code: a message of AWS may repeat the request, and the token in it.
[[noreturn]] void refused(const std::string& what, const HttpResponse& response) {
  const auto code = element(response.body, "Code").value_or("");
  const bool word =
      !code.empty() && code.size() <= 80 && std::all_of(code.begin(), code.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.';
      });
  // A token that has expired is renewed by others, so trying again helps with it too.
  const bool passing = response.status >= 500 || response.status == 429 ||
                       code.find("Throttl") != std::string_view::npos ||
                       code.find("Expired") != std::string_view::npos ||
                       code == "IDPCommunicationError" || !word;
  fail(passing ? ErrorCode::Unavailable : ErrorCode::Invalid,
       what + " answered " + std::to_string(response.status) +
           (word ? ' ' + std::string(code) : ""));
}

Credentials ask(const Role& role, Form form, const std::optional<Credentials>& by,
                const SourceContext& context) {
  const auto what = "STS for role " + escapeForTerminal(role.arn);
  const auto& region = context.settings.endpoint.region;
  const auto millis =
      std::chrono::floor<std::chrono::milliseconds>(context.now().time_since_epoch()).count();
  const auto name =
      role.sessionName.empty() ? "tether-" + std::to_string(millis) : role.sessionName;
  form.insert(form.end(), {{"Version", "2011-06-15"},
                           {"RoleArn", role.arn},
                           {"RoleSessionName", name},
                           {"DurationSeconds", role.duration}});
  const auto url = configuredUrl("sts", context.config).value_or(defaultUrl("sts", region)).url;
  HttpRequest request;
  request.url = url + '/';
  request.headers = {"Content-Type: application/x-www-form-urlencoded"};
  request.body = body(form);
  request.caBundle = context.settings.endpoint.caBundle;
  if (by) {
    request.signing =
        Signing{by->accessKeyId, by->secretAccessKey, by->sessionToken, region, "sts"};
  }
  const auto response = context.settings.http(request);
  if (response.status != 200) refused(what, response);
  return read(what, response.body, context.now());
}

}  // namespace

Credentials assumeRole(const Role& role, const Credentials& by, const SourceContext& context) {
  return ask(role, {{"Action", "AssumeRole"}, {"ExternalId", role.externalId}}, by, context);
}

Credentials assumeRoleWithToken(const Role& role, const std::string& tokenFile,
                                const SourceContext& context) {
  auto token = readSecretFile("the web identity token", tokenFile);
  while (token.ends_with('\n') || token.ends_with('\r')) token.pop_back();
  return ask(role, {{"Action", "AssumeRoleWithWebIdentity"}, {"WebIdentityToken", token}}, {},
             context);
}

std::optional<CredentialsSource> webIdentitySource(const SourceContext& context) {
  const auto file = context.config.variable("AWS_WEB_IDENTITY_TOKEN_FILE");
  if (!file) return std::nullopt;
  const auto arn = context.config.variable("AWS_ROLE_ARN");
  if (!arn) fail(ErrorCode::Invalid, "AWS_WEB_IDENTITY_TOKEN_FILE is set without AWS_ROLE_ARN");
  const Role role{*arn, context.config.variable("AWS_ROLE_SESSION_NAME").value_or(""), "", ""};
  return CredentialsSource{"role " + escapeForTerminal(*arn) + " of AWS_ROLE_ARN, by web identity",
                           [=, &context] { return assumeRoleWithToken(role, *file, context); }};
}

}  // namespace tether::sqs
