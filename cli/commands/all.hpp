// Every verb, in the order of the help. A new one is a file here and a line in each of the two
// lists: the declarations below and makeCommandLine().
#pragma once

#include "app.hpp"

namespace tether::cli {

void addInit(const Verb& tool, Action& chosen);
void addSubmit(const Verb& tool, Action& chosen);
void addListen(const Verb& tool, Action& chosen);
void addRelay(const Verb& tool, Action& chosen);
void addStatus(const Verb& tool, Action& chosen);
void addWait(const Verb& tool, Action& chosen);
void addWatch(const Verb& tool, Action& chosen);
void addTrace(const Verb& tool, Action& chosen);
void addCommand(const Verb& tool, Action& chosen);
void addEvent(const Verb& tool, Action& chosen);
void addQueue(const Verb& tool, Action& chosen);
void addDlq(const Verb& tool, Action& chosen);
void addPolicy(const Verb& tool, Action& chosen);
void addStore(const Verb& tool, Action& chosen);
void addConfig(const Verb& tool, Action& chosen);
void addDoctor(const Verb& tool, Action& chosen);
void addScenario(const Verb& tool, Action& chosen);
void addBench(const Verb& tool, Action& chosen);
void addCompletion(const Verb& tool, Action& chosen);

/// Hidden: `__describe` prints all verbs and flags as JSON, `__complete` what may stand next.
void addIntrospection(const Verb& tool, Action& chosen);

}  // namespace tether::cli
