#include "transport/sqs/sqs_error.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string_view>

#include "tether/text.hpp"
#include "transport/sqs/json_members.hpp"
#include "transport/sqs/libcurl.hpp"

namespace tether::sqs {

namespace {

constexpr std::size_t kMessageBytesMax = 300;

bool isOneOf(std::string_view code, std::initializer_list<std::string_view> codes) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// The text between <name> and </name>, wherever it stands.
std::string xmlElement(std::string_view text, const std::string& name) {
  const auto open = "<" + name + ">";
  const auto begin = text.find(open);
  if (begin == std::string_view::npos) return {};
  const auto from = begin + open.size();
  const auto end = text.find("</" + name + ">", from);
  return end == std::string_view::npos ? std::string() : std::string(text.substr(from, end - from));
}

/// AWS repeats the whole request, with its token, to explain a wrong signature.
std::string fit(std::string message) {
  for (const std::string_view echo : {"The Canonical String", "The String-to-Sign"}) {
    message = message.substr(0, message.find(echo));
  }
  while (!message.empty() && static_cast<unsigned char>(message.back()) <= ' ') message.pop_back();
  if (message.size() > kMessageBytesMax) message = message.substr(0, kMessageBytesMax) + "...";
  return escapeForTerminal(message);
}

/// Whether a code is known to be for keys, rights or the settings of the queue. Of an entry that
/// was refused with any other, SQS has to say whose fault it is.
bool blamesSettings(std::string_view code) {
  return code.starts_with("Kms") || code.starts_with("KMS.") ||
         isOneOf(code, {"AccessDenied", "AuthFailure", "Blocked", "IncompleteSignature",
                        "InvalidAccessKeyId", "InvalidAction", "InvalidAddress", "InvalidSecurity",
                        "InvalidSignature", "MissingAuthenticationToken", "MissingClientTokenId",
                        "NotAuthorized", "OptInRequired", "SignatureDoesNotMatch",
                        "UnauthorizedAccess", "UnauthorizedOperation", "UnsupportedOperation"});
}

std::string codeOfHeader(const HttpResponse& response) {
  const auto header = response.headers.find("x-amzn-query-error");
  if (header == response.headers.end()) return {};
  return header->second.substr(0, header->second.find(';'));
}

}  // namespace

std::string plainCode(std::string code) {
  if (const auto hash = code.rfind('#'); hash != std::string::npos) code = code.substr(hash + 1);
  code = code.substr(0, code.find(':'));
  for (const std::string_view prefix : {"AWS.SimpleQueueService.", "AWS."}) {
    if (code.starts_with(prefix)) code = code.substr(prefix.size());
  }
  constexpr std::string_view kException = "Exception";
  if (code.size() > kException.size() && code.ends_with(kException)) {
    code.resize(code.size() - kException.size());
  }
  return code == "NonExistentQueue" ? "QueueDoesNotExist" : code;
}

std::string ServiceError::text() const { return message.empty() ? code : code + ": " + message; }

ServiceError parseServiceError(const HttpResponse& response) {
  std::string code = codeOfHeader(response);
  std::string message;
  const auto json = parseAnswer(response.body);
  if (json.is_object()) {
    if (code.empty()) code = stringMember(json, "__type");
    if (code.empty()) code = stringMember(json, "code");
    message = stringMember(json, "message");
    if (message.empty()) message = stringMember(json, "Message");
  } else {
    if (code.empty()) code = xmlElement(response.body, "Code");
    message = xmlElement(response.body, "Message");
  }
  code = escapeForTerminal(plainCode(code).substr(0, kMessageBytesMax));
  if (code.empty()) code = "HTTP " + std::to_string(response.status);
  return {std::move(code), fit(std::move(message)), response.status};
}

Remedy remedyFor(const ServiceError& error) {
  const std::string& code = error.code;
  if (code == "QueueDoesNotExist") return Remedy::MakeQueue;
  if (code == "PurgeQueueInProgress") return Remedy::WaitMinute;
  const bool signature = isOneOf(code, {"SignatureDoesNotMatch", "InvalidSignature"});
  if (isOneOf(code, {"RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"}) ||
      (signature &&
       (has(error.message, "Signature expired") || has(error.message, "not yet current")))) {
    return Remedy::SetClock;
  }
  if (isOneOf(code, {"ExpiredToken", "TokenRefreshRequired", "InvalidClientTokenId",
                     "UnrecognizedClient"})) {
    return Remedy::NewKeys;
  }
  if (isOneOf(code,
              {"Throttling", "Throttled", "RequestThrottled", "TooManyRequests", "KmsThrottled",
               "KMS.Throttling", "OverLimit", "RequestLimitExceeded", "BandwidthLimitExceeded",
               "SlowDown", "PriorRequestNotComplete", "ServiceUnavailable", "InternalFailure",
               "InternalError", "InternalServerError", "RequestTimeout"})) {
    return Remedy::TryAgain;
  }
  if (isOneOf(code, {"ReceiptHandleIsInvalid", "MessageNotInflight"})) return Remedy::LeaseIsOver;
  // A FIFO queue says so of a receipt whose time is over, and any queue after twelve hours.
  if (code == "InvalidParameterValue" &&
      (has(error.message, "ReceiptHandle") || has(error.message, "receipt handle") ||
       has(error.message, "Total VisibilityTimeout") ||
       has(error.message, "not available for visibility timeout change"))) {
    return Remedy::LeaseIsOver;
  }
  if (error.status >= 500 || error.status == 429 || error.status == 408) return Remedy::TryAgain;
  const bool entry = isOneOf(
      code, {"InvalidMessageContents", "InvalidParameterValue", "MissingParameter",
             "InvalidAttributeValue", "BatchRequestTooLong", "MessageTooLong",
             "InvalidParameterCombination", "Validation", "MalformedInput", "Serialization"});
  return entry ? Remedy::ChangeEntry : Remedy::FixSettings;
}

std::string skewInWords(const HttpResponse& response, Time now) {
  const auto date = response.headers.find("date");
  if (date == response.headers.end()) return {};
  const time_t theirs = libcurl().getdate(date->second.c_str(), nullptr);
  if (theirs < 0) return {};
  const auto ours = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch());
  const auto skew = ours - std::chrono::seconds{theirs};
  if (skew >= std::chrono::seconds{-1} && skew <= std::chrono::seconds{1}) return {};
  return toText(Duration{std::chrono::abs(skew)}) + (skew.count() < 0 ? " behind" : " ahead");
}

EntryFailure parseEntryFailure(const nlohmann::json& entry) {
  EntryFailure failure;
  failure.id = stringMember(entry, "Id");
  failure.error.code = escapeForTerminal(plainCode(stringMember(entry, "Code")));
  if (failure.error.code.empty()) failure.error.code = "unknown";
  failure.error.message = fit(stringMember(entry, "Message"));
  // Some answer with the word instead of the value.
  if (const auto fault = entry.find("SenderFault"); fault != entry.end()) {
    failure.senderFault = *fault == true || *fault == "true" || *fault == "True";
  }
  return failure;
}

Remedy remedyFor(const EntryFailure& failure) {
  const auto remedy = remedyFor(failure.error);
  const bool unknown = remedy == Remedy::FixSettings && !blamesSettings(failure.error.code);
  if (!unknown && remedy != Remedy::ChangeEntry) return remedy;
  return failure.senderFault ? Remedy::ChangeEntry : Remedy::TryAgain;
}

}  // namespace tether::sqs
