#include "transport/sqs/endpoint_url.hpp"

#include <arpa/inet.h>

#include <algorithm>

#include "tether/error.hpp"
#include "tether/text.hpp"

namespace tether::sqs {

namespace {

[[noreturn]] void refuseUrl(std::string_view what, const std::string& problem) {
  throw Error(ErrorCode::Invalid, std::string(what) + ' ' + problem);
}

bool isPrintable(char c) { return c > 0x20 && c < 0x7F; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// What stands between "://" and the first slash.
std::string_view authorityOf(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  url.remove_prefix(scheme + 3);
  return url.substr(0, url.find_first_of("/?#"));
}

bool isPort(std::string_view text) {
  const bool digits = text.find_first_not_of("0123456789") == std::string_view::npos;
  return digits && !text.empty() && text.size() <= 5 && std::stoi(std::string(text)) <= 65535;
}

/// "host", "host:port", "[address]" or "[address]:port".
bool isAuthority(std::string_view text) {
  const bool bracketed = text.starts_with('[');
  const auto end = bracketed ? text.find(']') : text.find(':');
  const auto host = text.substr(bracketed ? 1 : 0, bracketed ? end - 1 : end);
  if (host.empty() || (bracketed && end == std::string_view::npos)) return false;
  if (end == std::string_view::npos) return true;
  const auto rest = text.substr(bracketed ? end + 1 : end);
  return rest.empty() || (rest.starts_with(':') && isPort(rest.substr(1)));
}

}  // namespace

std::string checkEndpointUrl(std::string_view what, const std::string& text) {
  if (text.find('@') != std::string::npos) {
    refuseUrl(what, "has a user or password: keys come from the AWS settings, never from a URL");
  }
  const bool printable = std::all_of(text.begin(), text.end(), isPrintable);
  const bool web = text.starts_with("http://") || text.starts_with("https://");
  if (!printable || !web || !isAuthority(authorityOf(text))) {
    refuseUrl(what, "must be a URL such as http://127.0.0.1:4566, not " + quote(text));
  }
  if (text.find_first_of("?#") != std::string::npos) {
    refuseUrl(what, "must have neither ? nor #, not " + quote(text));
  }
  std::string url = text;
  while (url.ends_with('/')) url.pop_back();
  return url;
}

std::string checkRegion(std::string_view what, const std::string& text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  const bool word = !text.empty() && text.size() <= 63 && !text.starts_with('-') &&
                    !text.ends_with('-') && std::all_of(text.begin(), text.end(), allowed);
  if (!word) refuseUrl(what, "must be a region such as eu-west-1, not " + quote(text));
  return text;
}

std::string hostOf(const std::string& url) {
  auto host = authorityOf(url);
  if (const auto user = host.rfind('@'); user != std::string_view::npos) {
    host.remove_prefix(user + 1);
  }
  if (host.starts_with('[')) {
    host = host.substr(1, host.find(']') - 1);
  } else {
    host = host.substr(0, host.find(':'));
  }
  std::string result(host);
  std::transform(result.begin(), result.end(), result.begin(), lower);
  return result;
}

bool isLoopbackUrl(const std::string& url) {
  const auto host = hostOf(url);
  if (host == "localhost" || host == "::1") return true;
  in_addr address{};  // strictly four numbers: a name may start with "127." as well
  return inet_pton(AF_INET, host.c_str(), &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

void requireSafeUrl(std::string_view what, const std::string& url, bool insecure) {
  if (url.starts_with("https://") || isLoopbackUrl(url)) return;
  auto host = '.' + hostOf(url);
  while (host.ends_with('.')) host.pop_back();
  for (const std::string_view aws : {".amazonaws.com", ".amazonaws.com.cn", ".api.aws"}) {
    if (host.ends_with(aws)) refuseUrl(what, quote(url) + " is AWS itself: use https://");
  }
  if (insecure) return;
  refuseUrl(what, quote(url) + " is another machine: use https://, or say insecure=true in the " +
                      "address of the queue");
}

}  // namespace tether::sqs
