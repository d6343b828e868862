#include "transport/sqs/sqs_address.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <vector>

#include "tether/error.hpp"
#include "tether/text.hpp"
#include "transport/sqs/endpoint_url.hpp"
#include "transport/sqs/refuse.hpp"

namespace tether::sqs {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view kScheme = "sqs://";
constexpr std::string_view kFifo = ".fifo";
constexpr std::size_t kNameBytesMax = 80;

const std::vector<std::string>& keys() {
  static const std::vector<std::string> kKeys = {"region", "endpoint", "visibility", "wait",
                                                 "fifo",   "dlq",      "create",     "insecure"};
  return kKeys;
}

bool isFifoName(std::string_view name) { return name.ends_with(kFifo); }

void checkName(const std::string& what, const std::string& name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  };
  const auto stem = std::string_view(name).substr(0, name.size() - (isFifoName(name) ? 5 : 0));
  if (!stem.empty() && name.size() <= kNameBytesMax &&
      std::all_of(stem.begin(), stem.end(), allowed)) {
    return;
  }
  refuse(what +
         " must be 1 to 80 of A-Z a-z 0-9 - _, for a FIFO queue with .fifo at the end, not " +
         quote(name));
}

int hexDigit(char c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto at = kDigits.find(c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

/// A plus sign stands for itself: this is no form.
std::string decoded(const std::string& key, std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      out += text[at];
      continue;
    }
    const int high = at + 2 < text.size() ? hexDigit(text[at + 1]) : -1;
    const int low = at + 2 < text.size() ? hexDigit(text[at + 2]) : -1;
    if (high < 0 || low < 0) {
      refuse(key + " has a % without two hex digits after it; a percent sign is written %25");
    }
    out += static_cast<char>(high * 16 + low);
    at += 2;
  }
  if (out.empty()) refuse(key + " is empty");
  if (hasControls(out) || !validUtf8(out)) refuse(key + " has control characters");
  return out;
}

bool truth(const std::string& key, const std::string& value) {
  if (value != "true" && value != "false") {
    refuse(key + " must be true or false, not " + quote(value));
  }
  return value == "true";
}

Duration wholeSeconds(const std::string& key, const std::string& value, Duration least,
                      Duration most) {
  Duration duration{};
  try {
    duration = parseDuration(value);
  } catch (const Error& error) {
    refuse(key + ": " + error.what());
  }
  if (duration < least || duration > most || duration % 1s != 0s) {
    refuse(key + " must be whole seconds from " + toText(least) + " to " + toText(most) + ", not " +
           quote(value));
  }
  return duration;
}

void set(SqsAddress& address, const std::string& key, const std::string& value) {
  if (key == "region") {
    address.region = checkRegion(key, value);
  } else if (key == "endpoint") {
    address.endpoint = checkEndpointUrl(key, value);
  } else if (key == "visibility") {
    address.visibility = wholeSeconds(key, value, 0s, 12h);
  } else if (key == "wait") {
    address.wait = wholeSeconds(key, value, 1s, 20s);
  } else if (key == "fifo") {
    if (truth(key, value) && !address.fifo) {
      refuse("fifo=true needs a name that ends in .fifo, as SQS wants it: " + address.name +
             std::string(kFifo));
    }
    if (value == "false" && address.fifo) refuse("fifo=false, but a name in .fifo is a FIFO queue");
  } else if (key == "dlq") {
    checkName(key, value);
    address.dlq = value;
  } else if (key == "create") {
    address.create = truth(key, value);
  } else {
    address.insecure = truth(key, value);
  }
}

void readQuery(SqsAddress& address, std::string_view query) {
  std::set<std::string> seen;
  while (true) {
    const auto end = query.find('&');
    const auto part = query.substr(0, end);
    const auto equals = part.find('=');
    const std::string key(part.substr(0, equals));
    if (std::find(keys().begin(), keys().end(), key) == keys().end()) {
      refuse("unknown key " + quote(key) + didYouMean(key, keys()));
    }
    if (equals == std::string_view::npos) refuse(key + " has no value; write " + key + "=…");
    if (!seen.insert(key).second) refuse(key + " is given twice");
    set(address, key, decoded(key, part.substr(equals + 1)));
    if (end == std::string_view::npos) return;
    query.remove_prefix(end + 1);
  }
}

SqsAddress read(std::string_view text) {
  if (!text.starts_with(kScheme)) refuse("must start with sqs://");
  if (text.find('#') != std::string_view::npos) {
    refuse("has a fragment; in a value # is written %23");
  }
  text.remove_prefix(kScheme.size());
  const auto question = text.find('?');
  SqsAddress address;
  address.name = text.substr(0, question);
  checkName("the name", address.name);
  address.fifo = isFifoName(address.name);
  if (question != std::string_view::npos) readQuery(address, text.substr(question + 1));

  if (address.endpoint) requireSafeUrl("endpoint", *address.endpoint, address.insecure);
  if (address.dlq == address.name) refuse("dlq is the queue itself");
  if (address.dlq && isFifoName(*address.dlq) != address.fifo) {
    refuse(std::string("dlq must ") + (address.fifo ? "" : "not ") +
           "end in .fifo, like the queue itself: SQS wants both of one kind");
  }
  return address;
}

}  // namespace

SqsAddress parseSqsAddress(const std::string& address) {
  // No part has an @ of its own, and what holds a password is not quoted.
  if (address.find('@') != std::string::npos || address.find("%40") != std::string::npos) {
    refuse(
        "a queue address has a user or password: keys come from the AWS settings (environment, "
        "profile, role), never from an address");
  }
  try {
    return read(address);
  } catch (const Error& error) {
    throw Error(error.code(), "queue address " + quote(address) + ": " + error.what());
  }
}

}  // namespace tether::sqs
