#include "tether/seam.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <set>
#include <string>

#include "unit/thrown.hpp"

using namespace tether;

namespace {

Seam lastSeen = Seam::intake_before_commit;

/// How a child ends that arms `setting` and then passes `seam` for `passes` times.
int statusOfChild(const char* setting, Seam seam, int passes) {
  const auto child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    armCrash(setting);
    passSeam(Seam::relay_after_claim);
    for (int i = 0; i < passes; ++i) passSeam(seam);
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return status;
}

bool killed(int status) { return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL; }

}  // namespace

TEST_CASE("every seam has a name that is read back") {
  std::set<std::string_view> names;
  for (std::size_t at = 0; at < kSeamCount; ++at) {
    const auto seam = static_cast<Seam>(at);
    names.insert(toString(seam));
    CHECK(parseSeam(toString(seam)) == seam);
  }
  CHECK(names.size() == kSeamCount);
  CHECK(kSeamCount == 17);
  CHECK(parseSeam("intake.before_commit") == Seam::intake_before_commit);
  CHECK(parseSeam("tx.commit_unknown") == Seam::tx_commit_unknown);
  CHECK(parseSeam("replay.after_commit") == Seam::replay_after_commit);
  CHECK(parseSeam("tx_before_commit") == std::nullopt);
  CHECK(parseSeam("") == std::nullopt);
}

TEST_CASE("a seam without a hook answers no") { CHECK_FALSE(passSeam(Seam::tx_commit_unknown)); }

TEST_CASE("a hook is asked at each seam until it is removed") {
  setSeamHook([](Seam seam) {
    lastSeen = seam;
    return seam == Seam::tx_commit_unknown;
  });
  CHECK_FALSE(passSeam(Seam::tx_before_commit));
  CHECK(lastSeen == Seam::tx_before_commit);
  CHECK(passSeam(Seam::tx_commit_unknown));
  setSeamHook(nullptr);
  CHECK_FALSE(passSeam(Seam::tx_commit_unknown));
}

TEST_CASE("an armed process dies at the pass that was named") {
  CHECK(killed(statusOfChild("tx.before_commit", Seam::tx_before_commit, 1)));
  CHECK(killed(statusOfChild("tx.before_commit:1", Seam::tx_before_commit, 1)));
  CHECK(killed(statusOfChild("tx.before_commit:3", Seam::tx_before_commit, 3)));
  CHECK(statusOfChild("tx.before_commit:3", Seam::tx_before_commit, 2) == 0);
  CHECK(statusOfChild("tx.before_commit", Seam::tx_after_commit, 5) == 0);
}

TEST_CASE("a crash that names no seam or no pass is refused and arms nothing") {
  const auto refusal = [](const char* setting) { return thrown([&] { armCrash(setting); }); };
  CHECK(refusal("tx.before_comit") ==
        "invalid: unknown seam \"tx.before_comit\", did you mean \"tx.before_commit\"?");
  CHECK(refusal("somewhere") == "invalid: unknown seam \"somewhere\"");
  CHECK(refusal("") == "invalid: unknown seam \"\"");
  for (const std::string hit : {"", "0", "-1", "x", "1x", " 1", "99999999999"}) {
    CHECK(refusal(("tx.after_begin:" + hit).c_str()) ==
          "invalid: hit \"" + hit + "\" of seam tx.after_begin must be 1 or more");
  }
  CHECK_FALSE(passSeam(Seam::tx_after_begin));
}
