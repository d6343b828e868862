// A process that dies while it holds something. The store is closed before the fork: an open one
// must not be carried into a child.
#include <sys/wait.h>
#include <unistd.h>

#include "conformance/store_conformance.hpp"

namespace tether::conformance {
namespace {

std::string toLines(const std::vector<MessageRef>& refs) {
  auto lines = nlohmann::json::array();
  for (const MessageRef& ref : refs) {
    lines.push_back({ref.queue, ref.lane, ref.due, ref.seq, ref.fence});
  }
  return lines.dump();
}

std::vector<MessageRef> parseLines(const std::string& text) {
  std::vector<MessageRef> refs;
  for (const auto& line : nlohmann::json::parse(text)) {
    refs.push_back({line.at(0), line.at(1), line.at(2), line.at(3), line.at(4)});
  }
  return refs;
}

}  // namespace

std::vector<MessageRef> StoreBench::inDeadProcess(
    const std::function<std::vector<MessageRef>(std::int64_t)>& work) {
  close();
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    int code = 1;
    try {
      open();
      const std::string refs = toLines(work(newOwner()));
      code = write(ends[1], refs.data(), refs.size()) > 0 ? 0 : 1;
    } catch (...) {
      code = 2;
    }
    _exit(code);
  }
  ::close(ends[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t got = 0; (got = read(ends[0], buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(ends[0]);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
  open();
  return parseLines(text);
}

std::vector<ClaimedCommand> StoreBench::claimInDeadProcess(std::size_t max) {
  auto all = request();
  all.max = max;
  std::vector<ClaimedCommand> claims;
  const auto refs = inDeadProcess([&](std::int64_t owner) {
    all.owner = owner;
    std::vector<MessageRef> held;
    for (auto& claimed : commit([&](Unit& unit) { return unit.claim(all).claims; })) {
      held.push_back(claimed.ref);
    }
    return held;
  });
  for (const Command& running : look([](Snapshot& snapshot) {
         Filter filter;
         filter.state = "running";
         return snapshot.commands(filter);
       })) {
    claims.insert(claims.begin(), ClaimedCommand{{}, running, 1});
  }
  REQUIRE(claims.size() == refs.size());
  for (std::size_t at = 0; at < claims.size(); ++at) claims[at].ref = refs[at];
  return claims;
}

MessageRef StoreBench::takeInDeadProcess(const std::string& queue) {
  auto one = takeRequest(queue);
  const auto refs = inDeadProcess([&](std::int64_t owner) {
    one.owner = owner;
    return std::vector{commit([&](Unit& unit) { return unit.take(one); }).at(0).ref};
  });
  return refs.at(0);
}

}  // namespace tether::conformance
