// Only the relay, as a process of its own. See man/tether-listen.1.
#include "all.hpp"
#include "host.hpp"

namespace tether::cli {
namespace {

struct RelayOptions {
  bool untilIdle = false;
  bool once = false;
};

int runRelay(const RelayOptions& options, Session& session) {
  Hosting hosting;
  hosting.role = Engine::Role::Relay;
  hosting.until = options.untilIdle ? Until::Idle : options.once ? Until::Once : Until::Signal;
  hosting.create = false;
  return host(session, hosting);
}

}  // namespace

void addRelay(const Verb& tool, Action& chosen) {
  auto options = std::make_shared<RelayOptions>();
  const auto verb =
      addVerb(tool, "relay", "Hand messages over to the queues that are mapped elsewhere",
              "tether relay --until-idle");
  const auto idle =
      verb.flag("--until-idle", options->untilIdle, "End when nothing is left to hand over");
  verb.flag("--once", options->once, "Do what is ready now, then end").excludes(idle);
  onChosen(verb, chosen, std::move(options), &runRelay);
}

}  // namespace tether::cli
