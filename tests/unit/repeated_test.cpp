#include "base/repeated.hpp"

#include <doctest/doctest.h>

#include "unit/written.hpp"

using namespace tether;
using namespace std::chrono_literals;

namespace {

/// How many lines it writes to the log.
template <typename Act>
auto lines(Act&& act) {
  const auto text = written(STDERR_FILENO, act);
  return std::count(text.begin(), text.end(), '\n');
}

struct Row {
  ManualClock clock;
  Repeated failing{"it fails", {{"where", "here"}}, clock};
};

}  // namespace

TEST_CASE("what fails again and again is said when it begins and, counted, when it ends") {
  Row row;
  const auto text = written(STDERR_FILENO, [&] {
    for (int i = 0; i < 100; ++i) row.failing.failed("disk full");
    row.clock.advance(3s);
    row.failing.failed("disk full");
    row.failing.passed();
    row.failing.passed();
  });
  CHECK(std::count(text.begin(), text.end(), '\n') == 2);
  CHECK(text.find("warn it fails where=here error=\"disk full\"") != std::string::npos);
  CHECK(text.find("warn it fails: it is over where=here times=101 within=3s") != std::string::npos);
}

TEST_CASE("another reason is said too, but not the thousandth") {
  Row row;
  CHECK(lines([&] {
          row.failing.failed("locked");
          row.failing.failed("full");
          row.failing.failed("locked");
        }) == 2);
  CHECK(lines([&] {
          for (int i = 0; i < 1000; ++i) row.failing.failed("command " + std::to_string(i));
        }) <= 8);
}

TEST_CASE("what works now and then and fails again is one failure, not a line each time") {
  Row row;
  const auto said = lines([&] {
    for (int i = 0; i < 3600; ++i) {
      row.failing.failed("full");
      row.failing.passed();
      row.clock.advance(1s);
    }
  });
  CHECK(said <= 2 * 7);
}

TEST_CASE("what never ended has its count at the end") {
  CHECK(lines([] {
          Row row;
          row.failing.failed("full");
          row.failing.failed("full");
        }) == 2);
  CHECK(lines([] { Row().failing.failed("full"); }) == 1);
}
