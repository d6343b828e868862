// The URL of a service, and the region in it: both end up in a request, so both are read strictly.
#pragma once

#include <string>
#include <string_view>

namespace tether::sqs {

/// `text` without a slash at its end. Throws Invalid, "WHAT …", unless it is http:// or https://
/// with a host and without user, query and fragment. A URL that is refused for its user is not
/// quoted: it may hold a password.
std::string checkEndpointUrl(std::string_view what, const std::string& text);

/// Throws Invalid, "WHAT …", unless it can be part of a host name.
std::string checkRegion(std::string_view what, const std::string& text);

/// In lower case, without port; an IPv6 address without its brackets.
std::string hostOf(const std::string& url);

/// 127.0.0.0/8, ::1 or localhost.
bool isLoopbackUrl(const std::string& url);

/// Throws Invalid, "WHAT …", for http:// to another machine: that is `insecure` at best, and never
/// to AWS itself.
void requireSafeUrl(std::string_view what, const std::string& url, bool insecure);

}  // namespace tether::sqs
