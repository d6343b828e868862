#include "transport/sqs/credentials.hpp"

#include <array>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "base/log.hpp"
#include "tether/error.hpp"
#include "transport/sqs/credentials_source.hpp"
#include "transport/sqs/http_client.hpp"

namespace tether::sqs {

namespace {

using namespace std::chrono_literals;

constexpr Duration kRenewBefore = 15min;
/// Keys that live shorter than that, and a source that is down, are not asked at every request.
constexpr Duration kRenewPause = 1min;

constexpr std::array<FindSource, 6> kChain = {environmentSource, profileSource,  webIdentitySource,
                                              containerSource,   loopbackSource, metadataSource};

/// The settings are looked at anew each time: whoever rotates keys writes them there.
CredentialsSource choose(const SourceContext& context) {
  for (const auto find : kChain) {
    if (auto source = find(context)) return std::move(*source);
  }
  failWithoutCredentials(context);
}

struct Fetched {
  Credentials keys;
  std::string words;
};

struct Failure {
  ErrorCode code;
  std::string message;
};

class CachedProvider final : public CredentialsProvider {
 public:
  explicit CachedProvider(CredentialsSettings settings) : settings_(std::move(settings)) {}

  Credentials get() override {
    std::unique_lock lock(mutex_);
    if (keys_ && isValid() && (fetching_ || !isDue())) return *keys_;
    if (fetching_) return await(lock);
    fetching_ = true;
    lock.unlock();
    std::optional<Fetched> fetched;
    std::optional<Failure> failure;
    try {
      fetched = fetch();
    } catch (const Error& error) {
      failure = Failure{error.code(), error.what()};
    } catch (const std::exception& error) {
      failure = Failure{ErrorCode::Internal, error.what()};
    }
    lock.lock();
    return settle(std::move(fetched), std::move(failure));
  }

  void expired(const Credentials& refused) override {
    const std::lock_guard lock(mutex_);
    if (keys_ == refused) keys_.reset();
  }

  std::string source() override {
    {
      const std::lock_guard lock(mutex_);
      if (!words_.empty()) return words_;
    }
    const SourceContext context{settings_, AwsConfig(settings_.environment)};
    return choose(context).words;
  }

 private:
  bool isValid() const { return !keys_->expiration || settings_.clock.now() < *keys_->expiration; }
  bool isDue() const {
    if (!keys_->expiration) return false;
    return settings_.clock.now() >= *keys_->expiration - kRenewBefore &&
           settings_.clock.steady() >= notBefore_;
  }

  Fetched fetch() const {
    const SourceContext context{settings_, AwsConfig(settings_.environment)};
    auto source = choose(context);
    return {source.fetch(), std::move(source.words)};
  }

  /// The answer that another thread is waiting for, good or bad.
  Credentials await(std::unique_lock<std::mutex>& lock) {
    const auto before = fetches_;
    changed_.wait(lock, [&] { return fetches_ != before; });
    if (failure_) throw Error(failure_->code, failure_->message);
    return last_;
  }

  Credentials settle(std::optional<Fetched> fetched, std::optional<Failure> failure) {
    fetching_ = false;
    ++fetches_;
    changed_.notify_all();
    notBefore_ = settings_.clock.steady() + kRenewPause;
    if (failure && keys_ && isValid()) {
      log::warn("cannot renew the AWS credentials, the old ones are still valid",
                {{"until", toText(*keys_->expiration)}, {"error", failure->message}});
      failure_.reset();
      return last_ = *keys_;
    }
    failure_ = std::move(failure);
    if (failure_) {
      keys_.reset();
      // What worked once may work again: nobody should give up for it.
      if (worked_ && failure_->code == ErrorCode::Invalid) failure_->code = ErrorCode::Unavailable;
      throw Error(failure_->code, failure_->message);
    }
    worked_ = true;
    keys_ = std::move(fetched->keys);
    words_ = std::move(fetched->words);
    return last_ = *keys_;
  }

  CredentialsSettings settings_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Credentials> keys_;
  Credentials last_;   // what the last fetch gave; expired() leaves it to those who waited for it
  std::string words_;  // where they came from
  std::optional<Failure> failure_;
  Duration notBefore_{0};
  std::uint64_t fetches_ = 0;
  bool fetching_ = false;
  bool worked_ = false;
};

}  // namespace

std::unique_ptr<CredentialsProvider> makeCredentialsProvider(CredentialsSettings settings) {
  return std::make_unique<CachedProvider>(std::move(settings));
}

}  // namespace tether::sqs
