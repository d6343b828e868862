#include "transport/sqs/http_client.hpp"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>
#include <set>
#include <utility>

#include "base/log.hpp"
#include "tether/error.hpp"
#include "tether/text.hpp"
#include "transport/sqs/endpoint_url.hpp"
#include "transport/sqs/libcurl.hpp"

namespace tether::sqs {

namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t kParallel = 16;
constexpr std::size_t kAnswerBytesMax = std::size_t{64} * 1024 * 1024;
constexpr long kPollMillis = 1000;
// Some servers never answer "Expect: 100-continue", which curl adds to large bodies. It may not be
// removed: curl 7.88 would sign the removed header.
constexpr long kExpectMillis = 100;

struct EasyEnd {
  void operator()(CURL* handle) const { libcurl().easyCleanup(handle); }
};
struct MultiEnd {
  void operator()(CURLM* handle) const { libcurl().multiCleanup(handle); }
};
struct ListEnd {
  void operator()(curl_slist* list) const { libcurl().slistFreeAll(list); }
};
struct UrlEnd {
  void operator()(CURLU* url) const { libcurl().urlCleanup(url); }
};
struct TextEnd {
  void operator()(char* text) const { libcurl().free(text); }
};
using Easy = std::unique_ptr<CURL, EasyEnd>;
using Multi = std::unique_ptr<CURLM, MultiEnd>;
using List = std::unique_ptr<curl_slist, ListEnd>;

Error invalid(const std::string& message) { return {ErrorCode::Invalid, message}; }

/// What of a URL may be shown: its path may be a secret.
struct Target {
  std::string origin;
  bool loopback = false;
};

std::string partOf(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (libcurl().urlGet(url, part, &text, 0) != CURLUE_OK) return {};
  const std::unique_ptr<char, TextEnd> owner(text);
  return text;
}

/// The addresses from which AWS hands out credentials never leave the machine either.
bool isLinkLocal(const std::string& host) {
  constexpr std::array kHosts = {"169.254.169.254", "169.254.170.2", "169.254.170.23",
                                 "[fd00:ec2::23]", "[fd00:ec2::254]"};
  return std::find(kHosts.begin(), kHosts.end(), host) != kHosts.end();
}

Target check(const HttpRequest& request) {
  const std::unique_ptr<CURLU, UrlEnd> url(libcurl().url());
  if (url == nullptr ||
      libcurl().urlSet(url.get(), CURLUPART_URL, request.url.c_str(), 0) != CURLUE_OK)
    throw invalid("not a URL: " + quote(request.url));
  const auto scheme = partOf(url.get(), CURLUPART_SCHEME);
  const auto host = partOf(url.get(), CURLUPART_HOST);
  const auto port = partOf(url.get(), CURLUPART_PORT);
  Target target{scheme + "://" + host + (port.empty() ? "" : ":" + port)};
  // Of what curl has read, not of the text: two readers could find two hosts in it.
  target.loopback = isLoopbackUrl(target.origin);
  if (scheme != "https" && scheme != "http") {
    throw invalid(quote(target.origin) + " is neither https:// nor http://");
  }
  if (!isLinkLocal(host)) requireSafeUrl("the address", target.origin, request.insecure);
  for (const auto& header : request.headers) {
    if (header.find_first_of("\r\n") != std::string::npos) {
      throw invalid("a header for " + target.origin + " has a line break in it");
    }
  }
  return target;
}

/// One request on its way.
struct Transfer {
  const HttpRequest* request = nullptr;
  Target target;
  Easy handle;
  List headers;
  HttpResponse response;
  bool tooLarge = false;
  std::array<char, CURL_ERROR_SIZE> reason{};
};

std::size_t onHeader(const char* data, std::size_t size, std::size_t count, void* to) {
  auto& headers = static_cast<Transfer*>(to)->response.headers;
  std::string_view line(data, size * count);
  if (line.starts_with("HTTP/")) headers.clear();  // it followed a 100
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return size * count;
  std::string name(line.substr(0, colon));
  for (char& letter : name) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  line.remove_prefix(colon + 1);
  while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
  while (!line.empty() && static_cast<unsigned char>(line.back()) <= ' ') line.remove_suffix(1);
  headers[std::move(name)] = line;
  return size * count;
}

std::size_t onBody(const char* data, std::size_t size, std::size_t count, void* to) {
  auto& transfer = *static_cast<Transfer*>(to);
  if (transfer.response.body.size() + size * count > kAnswerBytesMax) {
    transfer.tooLarge = true;
    return 0;
  }
  transfer.response.body.append(data, size * count);
  return size * count;
}

long toMillis(Duration time) {
  return static_cast<long>(std::chrono::ceil<std::chrono::milliseconds>(time).count());
}

template <class Value>
void set(CURL* handle, CURLoption option, Value value) {
  const auto code = libcurl().easySetopt(handle, option, value);
  if (code != CURLE_OK) {
    throw Error(ErrorCode::Internal, "libcurl refuses option " +
                                         std::to_string(static_cast<int>(option)) + ": " +
                                         libcurl().easyStrerror(code));
  }
}

void addHeader(Transfer& transfer, const std::string& line) {
  curl_slist* first = libcurl().slistAppend(transfer.headers.get(), line.c_str());
  if (first == nullptr) throw std::bad_alloc();
  if (transfer.headers == nullptr) transfer.headers.reset(first);
}

void sign(Transfer& transfer, const Signing& signing) {
  CURL* handle = transfer.handle.get();
  const auto scope = "aws:amz:" + signing.region + ":" + signing.service;
  set(handle, CURLOPT_AWS_SIGV4, scope.c_str());
  set(handle, CURLOPT_USERNAME, signing.accessKeyId.c_str());
  set(handle, CURLOPT_PASSWORD, signing.secretAccessKey.c_str());
  if (!signing.sessionToken.empty()) {
    addHeader(transfer, "X-Amz-Security-Token: " + signing.sessionToken);
  }
}

void prepare(Transfer& transfer) {
  const HttpRequest& request = *transfer.request;
  CURL* handle = transfer.handle.get();
  set(handle, CURLOPT_URL, request.url.c_str());
  set(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  set(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(handle, CURLOPT_NOSIGNAL, 1L);
  // Or a name that cannot be resolved holds up a timeout, and end().
  set(handle, CURLOPT_QUICK_EXIT, 1L);
  set(handle, CURLOPT_TCP_KEEPALIVE, 1L);
  set(handle, CURLOPT_EXPECT_100_TIMEOUT_MS, kExpectMillis);
  set(handle, CURLOPT_TIMEOUT_MS, std::max(1L, toMillis(request.timeout)));
  set(handle, CURLOPT_CONNECTTIMEOUT_MS, std::max(1L, toMillis(request.connectTimeout)));
  if (!request.useProxy || transfer.target.loopback) set(handle, CURLOPT_NOPROXY, "*");
  if (!request.caBundle.empty()) set(handle, CURLOPT_CAINFO, request.caBundle.c_str());
  if (request.method == "GET") {
    set(handle, CURLOPT_HTTPGET, 1L);
  } else {
    set(handle, CURLOPT_POST, 1L);
    set(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set(handle, CURLOPT_POSTFIELDS, request.body.data());
    if (request.method != "POST") set(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
  for (const auto& header : request.headers) addHeader(transfer, header);
  if (request.signing) sign(transfer, *request.signing);
  set(handle, CURLOPT_HTTPHEADER, transfer.headers.get());
  set(handle, CURLOPT_HEADERFUNCTION, &onHeader);
  set(handle, CURLOPT_HEADERDATA, static_cast<void*>(&transfer));
  set(handle, CURLOPT_WRITEFUNCTION, &onBody);
  set(handle, CURLOPT_WRITEDATA, static_cast<void*>(&transfer));
  set(handle, CURLOPT_ERRORBUFFER, transfer.reason.data());
  set(handle, CURLOPT_PRIVATE, static_cast<void*>(&transfer));
}

HttpResult finish(Transfer& transfer, CURLcode code) {
  HttpResult result;
  if (code == CURLE_OK) {
    long status = 0;
    libcurl().easyGetinfo(transfer.handle.get(), CURLINFO_RESPONSE_CODE, &status);
    transfer.response.status = static_cast<int>(status);
    result.response = std::move(transfer.response);
  } else if (transfer.tooLarge) {
    result.error = transfer.target.origin + ": the answer is larger than 64 MiB";
  } else {
    const char* reason =
        transfer.reason.front() == '\0' ? libcurl().easyStrerror(code) : transfer.reason.data();
    result.error = transfer.target.origin + ": " + escapeForTerminal(reason);
    result.distrusted = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE;
    if (result.distrusted) result.error += "; AWS_CA_BUNDLE may name whom to trust instead";
  }
  return result;
}

}  // namespace

// A multi handle keeps the connections, and belongs to one caller at a time. So there are as many
// as calls that ever ran side by side, and nobody waits behind another's long poll.
class HttpClient::Pool {
 public:
  Multi borrow() {
    const std::lock_guard lock(mutex_);
    Multi multi;
    if (idle_.empty()) {
      multi.reset(libcurl().multiInit());
      if (multi == nullptr) throw Error(ErrorCode::Internal, "libcurl gives no multi handle");
      // Or libcurl keeps four connections for each request that still runs, and so closes at the
      // end of a round what the next one needs.
      libcurl().multiSetopt(multi.get(), CURLMOPT_MAXCONNECTS, long{kParallel});
    } else {
      multi = std::move(idle_.back());
      idle_.pop_back();
    }
    busy_.insert(multi.get());
    return multi;
  }

  void giveBack(Multi multi) {
    const std::lock_guard lock(mutex_);
    busy_.erase(multi.get());
    idle_.push_back(std::move(multi));
  }

  void end(Duration grace) {
    const auto until = Steady::now() + grace;
    const std::lock_guard lock(mutex_);
    until_ = ended_ ? std::min(until_, until) : until;
    ended_ = true;
    for (CURLM* multi : busy_) libcurl().multiWakeup(multi);
    changed_.notify_all();
  }

  bool ended() const {
    const std::lock_guard lock(mutex_);
    return ended_;
  }

  bool pause(Duration time) {
    std::unique_lock lock(mutex_);
    return !changed_.wait_for(lock, time, [&] { return ended_; });
  }

  /// How long a request may go on; nothing: as long as it likes.
  std::optional<Duration> left() const {
    const std::lock_guard lock(mutex_);
    if (!ended_) return std::nullopt;
    return std::chrono::ceil<Duration>(until_ - Steady::now());
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Multi> idle_;
  std::set<CURLM*> busy_;
  bool ended_ = false;
  Steady::time_point until_;
};

namespace {

/// The requests of one call, on one multi handle.
class Run {
 public:
  Run(CURLM* multi, std::vector<Transfer>& transfers, std::vector<HttpResult>& results)
      : multi_(multi), transfers_(transfers), results_(results) {}
  ~Run() {
    for (Transfer* transfer : running_) libcurl().multiRemoveHandle(multi_, transfer->handle.get());
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  /// `left` says how long requests may go on.
  template <class Left>
  void go(Left left) {
    for (;;) {
      const std::optional<Duration> time = left();
      if (time && (*time <= Duration{0} || running_.empty())) break;
      while (!time && next_ < transfers_.size() && running_.size() < kParallel) start();
      int still = 0;
      libcurl().multiPerform(multi_, &still);
      collect();
      if (running_.empty() && next_ == transfers_.size()) return;
      if (running_.empty()) continue;
      const long wait = time ? std::min(kPollMillis, toMillis(*time)) : kPollMillis;
      libcurl().multiPoll(multi_, nullptr, 0, static_cast<int>(wait), nullptr);
    }
    for (std::size_t at = 0; at < transfers_.size(); ++at) {
      const bool unfinished = at >= next_ || running_.contains(&transfers_[at]);
      if (unfinished) results_[at].error = transfers_[at].target.origin + ": the call was ended";
    }
  }

 private:
  void start() {
    Transfer& transfer = transfers_[next_++];
    transfer.handle.reset(libcurl().easyInit());
    if (transfer.handle == nullptr) throw std::bad_alloc();
    prepare(transfer);
    libcurl().multiAddHandle(multi_, transfer.handle.get());
    running_.insert(&transfer);
  }

  void collect() {
    int more = 0;
    while (const CURLMsg* message = libcurl().multiInfoRead(multi_, &more)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      Transfer* transfer = nullptr;
      libcurl().easyGetinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
      results_[static_cast<std::size_t>(transfer - transfers_.data())] = finish(*transfer, code);
      libcurl().multiRemoveHandle(multi_, transfer->handle.get());
      running_.erase(transfer);
    }
  }

  CURLM* multi_;
  std::vector<Transfer>& transfers_;
  std::vector<HttpResult>& results_;
  std::set<Transfer*> running_;
  std::size_t next_ = 0;
};

}  // namespace

HttpClient::HttpClient() : pool_(std::make_unique<Pool>()) {}
HttpClient::~HttpClient() = default;

HttpResponse HttpClient::perform(const HttpRequest& request) {
  auto result = std::move(performAll({&request, 1}).front());
  if (!result.response) throw Error(ErrorCode::Unavailable, "no answer from " + result.error);
  return *std::move(result.response);
}

std::vector<HttpResult> HttpClient::performAll(std::span<const HttpRequest> requests) {
  std::vector<Transfer> transfers(requests.size());
  for (std::size_t at = 0; at < requests.size(); ++at) {
    transfers[at].request = &requests[at];
    transfers[at].target = check(requests[at]);
  }
  std::vector<HttpResult> results(requests.size());
  Multi multi = pool_->borrow();
  // The pool must have it back, or lose sight of it, before it goes.
  const auto back = [this](Multi* lent) { pool_->giveBack(std::move(*lent)); };
  const std::unique_ptr<Multi, decltype(back)> lease(&multi, back);
  Run(multi.get(), transfers, results).go([this] { return pool_->left(); });
  return results;
}

void HttpClient::end(Duration grace) { pool_->end(grace); }
bool HttpClient::ended() const { return pool_->ended(); }
bool HttpClient::pause(Duration time) { return pool_->pause(time); }

}  // namespace tether::sqs
