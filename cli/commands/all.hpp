// Every verb, in the order of the help. A new one is a file here and a line in each of the two
// lists: the declarations below and makeCommandLine().
#pragma once

#include "app.hpp"

namespace tether::cli {

void addInit(CLI::App& app, Action& chosen);
void addSubmit(CLI::App& app, Action& chosen);
void addListen(CLI::App& app, Action& chosen);
void addRelay(CLI::App& app, Action& chosen);
void addStatus(CLI::App& app, Action& chosen);
void addWait(CLI::App& app, Action& chosen);
void addWatch(CLI::App& app, Action& chosen);
void addTrace(CLI::App& app, Action& chosen);
void addCommand(CLI::App& app, Action& chosen);
void addEvent(CLI::App& app, Action& chosen);
void addQueue(CLI::App& app, Action& chosen);
void addDlq(CLI::App& app, Action& chosen);
void addPolicy(CLI::App& app, Action& chosen);
void addStore(CLI::App& app, Action& chosen);
void addConfig(CLI::App& app, Action& chosen);
void addDoctor(CLI::App& app, Action& chosen);
void addScenario(CLI::App& app, Action& chosen);
void addBench(CLI::App& app, Action& chosen);
void addCompletion(CLI::App& app, Action& chosen);

/// Hidden: `__describe` prints all verbs and flags as JSON, `__complete` what may stand next.
void addIntrospection(CLI::App& app, Action& chosen);

}  // namespace tether::cli
