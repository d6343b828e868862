// When keys are asked for anew, and what happens when that fails.
#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/log.hpp"
#include "tether/error.hpp"
#include "unit/aws_credentials.hpp"
#include "unit/aws_folder.hpp"
#include "unit/gate.hpp"
#include "unit/thrown.hpp"

using namespace tether;
using namespace tether::sqs;
using namespace tether::testing;
using namespace std::chrono_literals;

namespace {

/// A container whose endpoint gives numbered keys that live for an hour.
struct Rotation {
  ManualClock clock;
  std::atomic<int> asked{0};
  Duration life = 1h;
  std::function<void(int)> before = [](int) {};
  AwsFolder aws{{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1/"}};
  std::unique_ptr<CredentialsProvider> provider = providerOf(
      aws, kRemote, [this](const HttpRequest&) { return answer(); }, 60s, clock);

  HttpResponse answer() {
    const int number = ++asked;
    before(number);
    return {200,
            {},
            R"({"AccessKeyId":"KEY)" + std::to_string(number) +
                R"(","SecretAccessKey":"hidden","Token":"t","Expiration":")" +
                toText(clock.now() + life) + "\"}"};
  }
  std::string key() { return provider->get().accessKeyId; }
};

[[noreturn]] void unreachable() { throw Error(ErrorCode::Unavailable, "no answer"); }

/// The warnings of the tests in here are expected.
struct Quiet {
  Quiet() { log::setLevel(log::Level::Off); }
  ~Quiet() { log::setLevel(log::Level::Warn); }
};

}  // namespace

TEST_CASE("keys are kept until a quarter of an hour before they end") {
  Rotation rotation;
  CHECK(rotation.key() == "KEY1");
  rotation.clock.advance(44min + 59s);
  CHECK(rotation.key() == "KEY1");
  CHECK(rotation.asked == 1);
  rotation.clock.advance(1s);
  CHECK(rotation.key() == "KEY2");
  CHECK(rotation.key() == "KEY2");
  CHECK(rotation.asked == 2);
}

TEST_CASE("keys that live for minutes only are renewed once a minute, not at every request") {
  Rotation rotation;
  rotation.life = 5min;
  CHECK(rotation.key() == "KEY1");
  rotation.clock.advance(59s);
  CHECK(rotation.key() == "KEY1");
  rotation.clock.advance(1s);
  CHECK(rotation.key() == "KEY2");
}

TEST_CASE("keys that do not end are asked for once") {
  ManualClock clock;
  AwsFolder aws{{"AWS_ACCESS_KEY_ID", "A"}, {"AWS_SECRET_ACCESS_KEY", "b"}};
  const auto provider = providerOf(aws, kRemote, {}, 60s, clock);
  CHECK(provider->get().accessKeyId == "A");
  aws.set("AWS_ACCESS_KEY_ID", "B");
  clock.advance(24h * 365);
  CHECK(provider->get().accessKeyId == "A");
}

TEST_CASE("old keys go on when new ones cannot be had, until they end") {
  const Quiet quiet;
  Rotation rotation;
  CHECK(rotation.key() == "KEY1");
  rotation.before = [](int) { unreachable(); };
  rotation.clock.advance(50min);
  CHECK(rotation.key() == "KEY1");
  CHECK(rotation.key() == "KEY1");
  CHECK(rotation.asked == 2);  // a source that is down is not asked at every request
  rotation.clock.advance(1min);
  CHECK(rotation.key() == "KEY1");
  CHECK(rotation.asked == 3);
  rotation.clock.advance(9min);
  CHECK(thrown([&] { rotation.key(); }) == "unavailable: no answer");
  rotation.before = [](int) {};
  CHECK(rotation.key() == "KEY5");
}

TEST_CASE("keys that were refused do not go on") {
  Rotation rotation;
  const auto refused = rotation.provider->get();
  rotation.before = [](int) { unreachable(); };
  rotation.provider->expired(refused);
  CHECK(thrown([&] { rotation.key(); }) == "unavailable: no answer");
  rotation.before = [](int) {};
  CHECK(rotation.key() == "KEY3");
  rotation.provider->expired(refused);  // heard late
  CHECK(rotation.key() == "KEY3");
}

TEST_CASE("settings that break while keys are in use may be mended, so trying again may help") {
  Rotation rotation;
  const auto keys = rotation.provider->get();
  rotation.provider->expired(keys);
  rotation.aws.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example/");
  CHECK(thrown([&] { rotation.key(); }).starts_with("unavailable: AWS_CONTAINER"));
  rotation.aws.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1/");
  CHECK(rotation.key() == "KEY2");
}

TEST_CASE("many threads that need keys at once ask once, and share a failure too") {
  for (const bool fails : {false, true}) {
    Rotation rotation;
    Gate gate;
    rotation.before = [&](int) {
      gate.pass();
      if (fails) unreachable();
    };
    std::atomic<int> waiting{0};
    std::atomic<int> good{0};
    std::vector<std::thread> threads;
    for (int at = 0; at < 8; ++at) {
      threads.emplace_back([&] {
        ++waiting;
        const auto answer = thrown([&] { good += rotation.key() == "KEY1" ? 1 : 0; });
        CHECK(answer == (fails ? "unavailable: no answer" : "nothing"));
      });
    }
    gate.awaitArrival();
    while (waiting < 8) std::this_thread::yield();
    gate.release();
    for (auto& thread : threads) thread.join();
    CHECK(good == (fails ? 0 : 8));
    if (!fails) CHECK(rotation.asked == 1);
  }
}

TEST_CASE("while one thread renews, the others go on with the old keys") {
  Rotation rotation;
  Gate gate;
  CHECK(rotation.key() == "KEY1");
  rotation.before = [&](int) { gate.pass(); };
  rotation.clock.advance(50min);
  std::thread renewing([&] { CHECK(rotation.key() == "KEY2"); });
  gate.awaitArrival();
  CHECK(rotation.key() == "KEY1");
  gate.release();
  renewing.join();
  CHECK(rotation.key() == "KEY2");
  CHECK(rotation.asked == 2);
}
