// Runs commands and relays events. See man/tether-listen.1.
#include "all.hpp"
#include "host.hpp"

namespace tether::cli {
namespace {

struct Options {
  bool untilIdle = false;
  bool once = false;
  bool noRelay = false;
  std::string drain = "30s";
};

int run(const Options& options, Session& session) {
  Hosting hosting;
  hosting.role = options.noRelay ? Engine::Role::Listener : Engine::Role::ListenerAndRelay;
  hosting.until = options.untilIdle ? Until::Idle : options.once ? Until::Once : Until::Signal;
  hosting.drain = durationOf("--drain-timeout", options.drain);
  return host(session, hosting);
}

}  // namespace

void addListen(CLI::App& app, Action& chosen) {
  auto options = std::make_shared<Options>();
  auto* verb = addVerb(app, "listen", "Run commands and relay events until a signal",
                       "tether listen --until-idle");
  auto* idle = verb->add_flag("--until-idle", options->untilIdle,
                              "End when nothing is ready, runs or will be retried");
  verb->add_flag("--once", options->once, "Do what is ready now, then end")->excludes(idle);
  verb->add_flag("--no-relay", options->noRelay, "Leave the events to 'tether relay'");
  verb->add_option("--drain-timeout", options->drain,
                   "How long running commands may take to finish after a signal (30s)")
      ->type_name("DURATION");
  onChosen(verb, chosen, std::move(options), &run);
}

}  // namespace tether::cli
