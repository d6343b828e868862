// What fails between a claim and its attempt, when no command has begun that could be blamed.
#include <new>

#include "tether/seam.hpp"
#include "unit/flow_bench.hpp"

namespace tether::testing {
namespace {

/// Throws once, when it is first asked after claims were received.
class Failing final : public Clock {
 public:
  explicit Failing(const Clock& inner) : inner_(inner) {
    armed = true;
    setSeamHook([](Seam seam) {
      if (seam == Seam::listener_after_receive) fails = std::exchange(armed, false);
      return false;
    });
  }
  ~Failing() override { setSeamHook(nullptr); }
  Failing(const Failing&) = delete;
  Failing& operator=(const Failing&) = delete;

  Time now() const override {
    if (std::exchange(fails, false)) throw std::bad_alloc();
    return inner_.now();
  }
  Duration steady() const override { return inner_.steady(); }

 private:
  static inline bool armed = false;
  static inline bool fails = false;
  const Clock& inner_;
};

}  // namespace

TEST_CASE("claims that could not be dispatched are given back, and others are made") {
  FlowBench bench;
  std::vector<std::string> ids;
  for (const bool prepared : {false, true}) {
    CAPTURE(prepared);
    Failing clock(bench.clock);
    bench.open([&](EngineOptions& options) {
      options.clock = &clock;
      options.prefetch = 2;
    });
    bench.handle("Pay", effect("paid"));
    bench.handlePrepared("Fetch", nullptr, effect("fetched"));
    for (int i = 0; i < 3; ++i) ids.push_back(bench.submit(prepared ? "Fetch" : "Pay"));
    bench.settle();
    for (const auto& id : ids) {
      CHECK(bench.state(id) == CommandState::Succeeded);
      CHECK(bench.attempts(id).size() == 1);
    }
    CHECK(bench.engine->stop(Duration{0}).clean);
    bench.engine.reset();
  }
}

}  // namespace tether::testing
