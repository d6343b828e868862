// The verbs of `tether store` that have a file of their own.
#pragma once

#include "app.hpp"

namespace tether::cli {

/// Answers with what is in the store, under this schema name.
int answerInfo(Store& store, Session& session, const char* schema);

void addStoreStatus(const Verb& noun, Action& chosen);
void addStorePrune(const Verb& noun, Action& chosen);
void addStoreSql(const Verb& noun, Action& chosen);

}  // namespace tether::cli
