#include "transport/sqs/sqs_error.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace tether;
using namespace tether::sqs;

namespace {

HttpResponse answer(int status, const std::string& body) {
  return {.status = status, .headers = {}, .body = body};
}

HttpResponse refusal(int status, const std::string& code, const std::string& message = "why") {
  return answer(status, nlohmann::json{{"__type", code}, {"message", message}}.dump());
}

Remedy remedyOf(int status, const std::string& code, const std::string& message = "why") {
  return remedyFor(parseServiceError(refusal(status, code, message)));
}

}  // namespace

TEST_CASE("sqs errors: a code is the same whoever says it and however") {
  for (const char* type : {"com.amazonaws.sqs#QueueDoesNotExist", "QueueDoesNotExist",
                           "com.amazon.coral.service#QueueDoesNotExistException",
                           "AWS.SimpleQueueService.NonExistentQueue",
                           "com.amazonaws.sqs#QueueDoesNotExist:http://internal.amazon.com/"}) {
    CAPTURE(type);
    CHECK(parseServiceError(refusal(400, type)).code == "QueueDoesNotExist");
  }
  auto header = refusal(400, "com.amazonaws.sqs#SomethingElse");
  header.headers["x-amzn-query-error"] = "AWS.SimpleQueueService.PurgeQueueInProgress;Sender";
  CHECK(parseServiceError(header).code == "PurgeQueueInProgress");
  CHECK(plainCode("Exception") == "Exception");
}

TEST_CASE("sqs errors: XML is understood and anything else goes by its status") {
  const auto xml = parseServiceError(
      answer(403,
             "<?xml version=\"1.0\"?><ErrorResponse><Error><Type>Sender</Type><Code>"
             "InvalidClientTokenId</Code><Message>no such key</Message></Error>"));
  CHECK(xml.text() == "InvalidClientTokenId: no such key");
  for (const char* body : {"", "<html><body>Bad gateway</body></html>", "null", "[]", "\"text\"",
                           "{\"__type\":7,\"message\":[]}", "<Code>", "{\"__type\":", "\xFF\xFE"}) {
    CAPTURE(body);
    const auto error = parseServiceError(answer(502, body));
    CHECK(error.code == "HTTP 502");
    CHECK(remedyFor(error) == Remedy::TryAgain);
  }
  CHECK(remedyFor(parseServiceError(answer(301, ""))) == Remedy::FixSettings);
}

TEST_CASE("sqs errors: what is said is cut and fit for a terminal") {
  CHECK(parseServiceError(refusal(400, "X", "a\x1b[31mb")).message == "a\\u001b[31mb");
  CHECK(parseServiceError(refusal(400, "X", std::string(10'000, 'x'))).message.size() < 400);
  const auto echo = parseServiceError(
      refusal(403, "SignatureDoesNotMatch",
              "The signature does not match.\n\nThe Canonical String for this request should have "
              "been\n'POST\n/\n\nx-amz-security-token:TOKEN\n'"));
  CHECK(echo.message == "The signature does not match.");
}

TEST_CASE("sqs errors: overload is tried again, also where its status is 403") {
  for (const char* code : {"ThrottlingException", "RequestThrottled", "KmsThrottled", "OverLimit",
                           "TooManyRequestsException", "ServiceUnavailable", "InternalFailure"}) {
    CAPTURE(code);
    CHECK(remedyOf(400, code) == Remedy::TryAgain);
    CHECK(remedyOf(403, code) == Remedy::TryAgain);
  }
  for (const int status : {429, 500, 502, 503, 504}) {
    CHECK(remedyOf(status, "Unheard") == Remedy::TryAgain);
  }
}

TEST_CASE("sqs errors: each refusal has its remedy") {
  CHECK(remedyOf(400, "QueueDoesNotExist") == Remedy::MakeQueue);
  CHECK(remedyOf(403, "PurgeQueueInProgress") == Remedy::WaitMinute);
  CHECK(remedyOf(400, "ExpiredTokenException") == Remedy::NewKeys);
  CHECK(remedyOf(403, "InvalidClientTokenId") == Remedy::NewKeys);
  CHECK(remedyOf(400, "UnrecognizedClientException") == Remedy::NewKeys);
  CHECK(remedyOf(403, "RequestTimeTooSkewed") == Remedy::SetClock);
  CHECK(remedyOf(403, "SignatureDoesNotMatch", "Signature expired: 2026… is now earlier than") ==
        Remedy::SetClock);
  CHECK(remedyOf(403, "SignatureDoesNotMatch", "Signature not yet current") == Remedy::SetClock);
  CHECK(remedyOf(403, "SignatureDoesNotMatch", "The signature does not match") ==
        Remedy::FixSettings);
  CHECK(remedyOf(403, "AccessDeniedException") == Remedy::FixSettings);
  CHECK(remedyOf(400, "InvalidMessageContents") == Remedy::ChangeEntry);
  CHECK(remedyOf(400, "InvalidParameterValue", "Message must be shorter than 262144 bytes.") ==
        Remedy::ChangeEntry);
  CHECK(remedyOf(404, "ReceiptHandleIsInvalid") == Remedy::LeaseIsOver);
  CHECK(remedyOf(400, "MessageNotInflight") == Remedy::LeaseIsOver);
  CHECK(remedyOf(400, "InvalidParameterValue",
                 "Value x for parameter ReceiptHandle is invalid. Reason: The receipt handle has "
                 "expired.") == Remedy::LeaseIsOver);
  CHECK(remedyOf(400, "InvalidParameterValue",
                 "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]") ==
        Remedy::LeaseIsOver);
}

TEST_CASE("sqs errors: the skew of the clock is told from the date of the answer") {
  auto response = answer(403, "");
  const auto now = parseTime("2026-01-01T12:00:00Z");
  CHECK(skewInWords(response, now).empty());
  response.headers["date"] = "Thu, 01 Jan 2026 12:20:00 GMT";
  CHECK(skewInWords(response, now) == "20m behind");
  response.headers["date"] = "Thu, 01 Jan 2026 11:59:00 GMT";
  CHECK(skewInWords(response, now) == "1m ahead");
  response.headers["date"] = "Thu, 01 Jan 2026 12:00:00 GMT";
  CHECK(skewInWords(response, now).empty());
  response.headers["date"] = "yesterday";
  CHECK(skewInWords(response, now).empty());
}

TEST_CASE("sqs errors: an entry is to blame only for what is in it") {
  const auto remedyOfEntry = [](const char* code, bool senderFault) {
    return remedyFor(
        parseEntryFailure({{"Id", "3"}, {"Code", code}, {"SenderFault", senderFault}}));
  };
  for (const char* code : {"InvalidMessageContents", "MessageTooLong", "Unheard", ""}) {
    CAPTURE(code);
    CHECK(remedyOfEntry(code, true) == Remedy::ChangeEntry);
    CHECK(remedyOfEntry(code, false) == Remedy::TryAgain);
  }
  for (const char* code : {"AccessDeniedException", "SignatureDoesNotMatch", "KmsNotFound",
                           "KMS.DisabledException", "InvalidAddress"}) {
    CAPTURE(code);
    CHECK(remedyOfEntry(code, true) == Remedy::FixSettings);
  }
  CHECK(remedyOfEntry("InvalidClientTokenId", true) == Remedy::NewKeys);
  CHECK(remedyOfEntry("RequestTimeTooSkewed", true) == Remedy::SetClock);
  CHECK(remedyOfEntry("QueueDoesNotExist", true) == Remedy::MakeQueue);
  CHECK(remedyOfEntry("KMS.ThrottlingException", true) == Remedy::TryAgain);
  CHECK(remedyOfEntry("ReceiptHandleIsInvalid", true) == Remedy::LeaseIsOver);
}

TEST_CASE("sqs errors: an entry of a batch is read whatever form it has") {
  const auto fault = [](const nlohmann::json& value) {
    return parseEntryFailure({{"Id", "3"}, {"Code", "x"}, {"SenderFault", value}}).senderFault;
  };
  CHECK(fault(true));
  CHECK(fault("true"));
  CHECK_FALSE(fault(false));
  CHECK_FALSE(fault("false"));
  CHECK_FALSE(fault(nullptr));
  const auto failure = parseEntryFailure(
      {{"Id", "3"}, {"Code", "AWS.SimpleQueueService.InvalidMessageContents"}, {"Message", "bad"}});
  CHECK(failure.id == "3");
  CHECK(failure.error.text() == "InvalidMessageContents: bad");
  for (const char* text : {"{}", "null", "[]", "7", "\"x\"", "{\"Id\":{},\"Code\":[]}"}) {
    CHECK(parseEntryFailure(nlohmann::json::parse(text)).error.code == "unknown");
  }
}
