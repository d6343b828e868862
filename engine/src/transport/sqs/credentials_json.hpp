// Keys as the metadata services and credential_process write them.
#pragma once

#include <string>

#include "transport/sqs/credentials.hpp"

namespace tether::sqs {

struct HttpResponse;

/// Of {"AccessKeyId", "SecretAccessKey", TOKEN_KEY?, "Expiration"?}. Throws Invalid, "WHAT …",
/// which quotes nothing of the text, also for keys that have expired.
Credentials readCredentials(const std::string& what, const std::string& text,
                            const std::string& tokenKey, Time now);

/// Throws Invalid, "WHAT …", when a key could break out of a header or has expired.
void checkCredentials(const std::string& what, const Credentials& credentials, Time now);

/// Throws Unavailable, "WHAT answered STATUS…", unless the status is 200.
void requireOk(const std::string& what, const HttpResponse& response);

}  // namespace tether::sqs
