// Runs commands and relays events. See man/tether-listen.1.
#include "all.hpp"
#include "host.hpp"

namespace tether::cli {
namespace {

struct ListenOptions {
  bool untilIdle = false;
  bool once = false;
  bool noRelay = false;
  std::string drain = "30s";
};

int runListen(const ListenOptions& options, Session& session) {
  Hosting hosting;
  hosting.role = options.noRelay ? Engine::Role::Listener : Engine::Role::ListenerAndRelay;
  hosting.until = options.untilIdle ? Until::Idle : options.once ? Until::Once : Until::Signal;
  hosting.drain = durationOf("--drain-timeout", options.drain);
  return host(session, hosting);
}

}  // namespace

void addListen(const Verb& tool, Action& chosen) {
  auto options = std::make_shared<ListenOptions>();
  const auto verb = addVerb(tool, "listen", "Run commands and relay events until a signal",
                            "tether listen --until-idle");
  const auto idle = verb.flag("--until-idle", options->untilIdle,
                              "End when nothing is ready, runs or will be retried");
  verb.flag("--once", options->once, "Do what is ready now, then end").excludes(idle);
  verb.flag("--no-relay", options->noRelay, "Leave the events to 'tether relay'");
  verb.option("--drain-timeout", options->drain,
              "How long running commands may take to finish after a signal (30s)")
      .value("DURATION");
  onChosen(verb, chosen, std::move(options), &runListen);
}

}  // namespace tether::cli
