// The yardstick of tests/bench/sqs: how fast a plain program on libcurl sends messages to SQS, ten
// a batch, on connections that stay open. It reads no answer, and has no store and no retries.
//
//   sqs_loop QUEUE_URL ENTRY COUNT SIDE_BY_SIDE
//
// ENTRY is what an entry of SendMessageBatch has besides its Id, as JSON without the braces. Keys,
// region and endpoint come from the environment variables of AWS. Prints messages/s.
#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

constexpr std::size_t kBatch = 10;

std::string setting(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) throw std::runtime_error(name + " is not set");
  return value;
}

/// The bodies of the requests, one after the other.
class Batches {
 public:
  Batches(const std::string& queueUrl, const std::string& entry, std::size_t count)
      : queueUrl_(queueUrl), entry_(entry), left_(count) {}

  /// False: there are no more.
  bool next(std::string& body) {
    if (left_ == 0) return false;
    body = R"({"QueueUrl":")" + queueUrl_ + R"(","Entries":[)";
    const auto size = std::min(kBatch, left_);
    for (std::size_t at = 0; at < size; ++at) {
      if (at > 0) body += ',';
      body += R"({"Id":")" + std::to_string(at) + R"(",)" + entry_ + '}';
    }
    body += "]}";
    left_ -= size;
    return true;
  }

 private:
  const std::string& queueUrl_;
  const std::string& entry_;
  std::size_t left_;
};

std::size_t ignoreAnswer(const char* /*data*/, std::size_t size, std::size_t count, void* /*to*/) {
  return size * count;
}

/// A handle with all that stays the same. Sends one batch at a time.
class Sender {
 public:
  Sender() : handle_(curl_easy_init(), curl_easy_cleanup), headers_(nullptr, curl_slist_free_all) {
    addHeader("Content-Type: application/x-amz-json-1.0");
    addHeader("X-Amz-Target: AmazonSQS.SendMessageBatch");
    if (std::getenv("AWS_SESSION_TOKEN") != nullptr) {
      addHeader("X-Amz-Security-Token: " + setting("AWS_SESSION_TOKEN"));
    }
    set(CURLOPT_URL, (setting("AWS_ENDPOINT_URL_SQS") + "/").c_str());
    set(CURLOPT_AWS_SIGV4, ("aws:amz:" + setting("AWS_REGION") + ":sqs").c_str());
    set(CURLOPT_USERNAME, setting("AWS_ACCESS_KEY_ID").c_str());
    set(CURLOPT_PASSWORD, setting("AWS_SECRET_ACCESS_KEY").c_str());
    set(CURLOPT_HTTPHEADER, headers_.get());
    set(CURLOPT_WRITEFUNCTION, &ignoreAnswer);
    set(CURLOPT_NOPROXY, "*");
    set(CURLOPT_PRIVATE, this);
  }

  CURL* handle() { return handle_.get(); }

  /// False: there is no more to send.
  bool load(Batches& batches) {
    if (!batches.next(body_)) return false;
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body_.size()));
    set(CURLOPT_POSTFIELDS, body_.data());
    return true;
  }

  void check(CURLcode code) {
    if (code != CURLE_OK) throw std::runtime_error(curl_easy_strerror(code));
    long status = 0;
    curl_easy_getinfo(handle(), CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) throw std::runtime_error("status " + std::to_string(status));
  }

 private:
  template <class Value>
  void set(CURLoption option, Value value) {
    const auto code = curl_easy_setopt(handle(), option, value);
    if (code != CURLE_OK) throw std::runtime_error(curl_easy_strerror(code));
  }

  void addHeader(const std::string& line) {
    curl_slist* first = curl_slist_append(headers_.get(), line.c_str());
    if (first == nullptr) throw std::bad_alloc();
    if (headers_ == nullptr) headers_.reset(first);
  }

  std::unique_ptr<CURL, void (*)(CURL*)> handle_;
  std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers_;
  std::string body_;
};

void sendOneAfterTheOther(Batches& batches) {
  Sender sender;
  while (sender.load(batches)) sender.check(curl_easy_perform(sender.handle()));
}

void sendSideBySide(Batches& batches, std::size_t most) {
  const std::unique_ptr<CURLM, CURLMcode (*)(CURLM*)> multi(curl_multi_init(), curl_multi_cleanup);
  std::vector<Sender> senders(most);  // gone before the multi handle
  std::size_t underWay = 0;
  const auto start = [&](Sender& sender) {
    if (!sender.load(batches)) return;
    curl_multi_add_handle(multi.get(), sender.handle());
    ++underWay;
  };
  for (auto& sender : senders) start(sender);
  while (underWay > 0) {
    int count = 0;
    curl_multi_perform(multi.get(), &count);
    while (const CURLMsg* message = curl_multi_info_read(multi.get(), &count)) {
      const auto code = message->data.result;
      Sender* sender = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &sender);
      curl_multi_remove_handle(multi.get(), sender->handle());
      --underWay;
      sender->check(code);
      start(*sender);
    }
    if (underWay > 0) curl_multi_poll(multi.get(), nullptr, 0, 1000, nullptr);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() != 4) {
    std::fprintf(stderr, "usage: sqs_loop QUEUE_URL ENTRY COUNT SIDE_BY_SIDE\n");
    return 2;
  }
  try {
    const auto count = std::stoul(arguments[2]);
    const auto sideBySide = std::stoul(arguments[3]);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    Batches batches(arguments[0], arguments[1], count);
    const auto start = std::chrono::steady_clock::now();
    if (sideBySide > 1) {
      sendSideBySide(batches, sideBySide);
    } else {
      sendOneAfterTheOther(batches);
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    std::printf("%.0f\n", static_cast<double>(count) / took.count());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sqs_loop: %s\n", error.what());
    return 1;
  }
  return 0;
}
