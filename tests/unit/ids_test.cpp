#include "tether/ids.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "unit/thrown.hpp"

using namespace tether;
using namespace std::chrono_literals;

namespace {

/// RFC 9562 in lower case. `x` is a hexadecimal digit, `v` one of the variant.
bool isUuid(const std::string& id, char version) {
  std::string form = "xxxxxxxx-xxxx-?xxx-vxxx-xxxxxxxxxxxx";
  form[14] = version;
  return std::equal(id.begin(), id.end(), form.begin(), form.end(), [](char c, char expected) {
    const std::string_view digits = expected == 'x' ? "0123456789abcdef" : "89ab";
    return expected == 'x' || expected == 'v' ? digits.find(c) != digits.npos : c == expected;
  });
}

/// Every number is the same: the counter starts where its mask lets it.
class ConstantRandom final : public Random {
 public:
  explicit ConstantRandom(std::uint64_t value) : value_(value) {}
  std::uint64_t next() override { return value_; }

 private:
  std::uint64_t value_;
};

}  // namespace

TEST_CASE("a generated id is a UUID of version 7 that begins with the milliseconds") {
  ManualClock clock(parseTime("2022-02-22T19:22:22Z"));  // the example of RFC 9562 appendix A.6
  SeededRandom random(1);
  IdGenerator ids(clock, random);
  const auto id = ids.next();
  CHECK(isUuid(id, '7'));
  CHECK(id.substr(0, 13) == "017f22e2-79b0");
}

TEST_CASE("generated ids increase inside a millisecond and over many") {
  ManualClock clock;
  SeededRandom random(7);
  IdGenerator ids(clock, random);
  std::string last;
  for (int i = 0; i < 20'000; ++i) {
    if (i % 100 == 0) clock.advance(1ms);
    const auto id = ids.next();
    REQUIRE(id > last);
    last = id;
  }
}

TEST_CASE("generated ids increase while the clock stands before an earlier id") {
  class Jumping final : public Clock {
   public:
    Time now() const override { return Time{} + 10s - jump; }
    Duration steady() const override { return 0s; }
    Duration jump{0};
  };
  Jumping clock;
  SeededRandom random(7);
  IdGenerator ids(clock, random);
  const auto before = ids.next();
  clock.jump = 1h;
  CHECK(ids.next() > before);
}

TEST_CASE("a full counter runs ahead of the clock") {
  ManualClock clock(Time{} + 1ms);
  ConstantRandom random(std::numeric_limits<std::uint64_t>::max());
  IdGenerator ids(clock, random);
  std::string last = ids.next();
  CHECK(last == "00000000-0001-77ff-bfff-ffffffffffff");
  for (int i = 0; i < (1 << 17); ++i) last = ids.next();
  CHECK(last == "00000000-0001-7fff-bfff-ffffffffffff");
  CHECK(ids.next() == "00000000-0002-77ff-bfff-ffffffffffff");
}

TEST_CASE("one generator gives each thread ids of its own") {
  IdGenerator ids(systemClock(), systemRandom());
  std::array<std::vector<std::string>, 4> made;
  {
    std::vector<std::jthread> threads;
    threads.reserve(made.size());
    for (auto& list : made) {
      threads.emplace_back([&] {
        for (int i = 0; i < 1000; ++i) list.push_back(ids.next());
      });
    }
  }
  std::set<std::string> all;
  for (const auto& list : made) {
    CHECK(std::is_sorted(list.begin(), list.end()));
    all.insert(list.begin(), list.end());
  }
  CHECK(all.size() == 4000);
}

TEST_CASE("a seeded random repeats itself and another seed differs") {
  SeededRandom first(42);
  SeededRandom second(42);
  SeededRandom other(43);
  for (int i = 0; i < 100; ++i) {
    const auto value = first.next();
    CHECK(value == second.next());
    CHECK(value != other.next());
  }
  // The published sequence of SplitMix64 for the seed 1234567.
  SeededRandom known(1234567);
  CHECK(known.next() == 6457827717110365317ULL);
  CHECK(known.next() == 3203168211198807973ULL);
}

TEST_CASE("unit is at least 0 and less than 1") {
  CHECK(ConstantRandom(0).unit() == 0.0);
  CHECK(ConstantRandom(std::numeric_limits<std::uint64_t>::max()).unit() < 1.0);
  SeededRandom random(3);
  double sum = 0;
  for (int i = 0; i < 10'000; ++i) sum += random.unit();
  CHECK(sum / 10'000 == doctest::Approx(0.5).epsilon(0.05));
}

TEST_CASE("the system randomness differs in a forked child") {
  systemRandom().next();  // now the parent has some in stock
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  const auto child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const auto value = systemRandom().next();
    _exit(write(ends[1], &value, sizeof(value)) == sizeof(value) ? 0 : 1);
  }
  std::uint64_t theirs = 0;
  CHECK(read(ends[0], &theirs, sizeof(theirs)) == sizeof(theirs));
  CHECK(theirs != systemRandom().next());
  close(ends[0]);
  close(ends[1]);
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("a derived id is a fixed UUID of version 8 for its cause and role") {
  // printf 'order-1\nevent:0' | sha256sum
  CHECK(deriveId("order-1", "event:0") == "c8cfcfa4-1579-83b6-ba98-e411b193c988");
  CHECK(isUuid(deriveId("order-1", "event:0"), '8'));
  CHECK(deriveId("order-1", "event:0") != deriveId("order-1", "event:1"));
  CHECK(deriveId("order-1", "event:0") != deriveId("order-2", "event:0"));
  CHECK(deriveId("a", "b") != deriveId("ab", ""));
  CHECK(isUuid(deriveId("", ""), '8'));
}

TEST_CASE("a derived id keeps the time prefix of a cause that has one") {
  const std::string cause = "0197a2f0-7c1b-7abc-8def-0123456789ab";
  const auto first = deriveId(cause, "event:0");
  CHECK(isUuid(first, '8'));
  CHECK(first.substr(0, 13) == "0197a2f0-7c1b");
  const auto second = deriveId(first, "reaction:0");
  CHECK(second.substr(0, 13) == "0197a2f0-7c1b");
  CHECK(second != first);
  const auto upper = deriveId("0197A2F0-7C1B-7ABC-8DEF-0123456789AB", "event:0");
  CHECK(upper.substr(0, 13) == "0197a2f0-7c1b");
}

TEST_CASE("a derived id takes no prefix from what is no timed UUID") {
  for (const char* cause :
       {"0197a2f0-7c1b-4abc-8def-0123456789ab",  // version 4
        "0197a2f0-7c1b-7abc-cdef-0123456789ab",  // another variant
        "0197a2f0-7c1b-7abc-8def-0123456789a",   // short
        "0197a2f0-7c1b-7abc-8def-0123456789abc", "0197a2f0-7c1b-7abc_8def-0123456789ab",
        "0197a2f0x7c1b-7abc-8def-0123456789ab", "0197a2g0-7c1b-7abc-8def-0123456789ab"}) {
    CAPTURE(cause);
    CHECK(isUuid(deriveId(cause, "event:0"), '8'));
    CHECK(deriveId(cause, "event:0").substr(0, 13) != std::string(cause).substr(0, 13));
  }
}

TEST_CASE("an id that a caller brings has 1 to 128 plain characters") {
  CHECK_NOTHROW(checkId("id", "a"));
  CHECK_NOTHROW(checkId("id", "AZaz09._:-"));
  CHECK_NOTHROW(checkId("id", std::string(128, 'x')));
  const std::vector<std::string> bad = {
      "",         std::string(129, 'x'), "a b", "a/b", "a\nb", std::string("a\0b", 3), "\xC3\xA4",
      "\xD0\xB0", "a\x1B[31m",           "{}"};
  for (const auto& id : bad) {
    CAPTURE(id);
    const auto message = thrown([&] { checkId("correlationId", id); });
    CHECK(message.starts_with("invalid: correlationId \""));
    CHECK(message.ends_with("\" must be 1 to 128 characters of A-Z a-z 0-9 . _ : -"));
    CHECK(message.find_first_of("\n\x1B") == std::string::npos);
  }
}
