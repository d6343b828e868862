// The verbs of `tether store` that have a file of their own.
#pragma once

#include <cstdint>
#include <string>

#include "app.hpp"

namespace tether::cli {

std::string bytesText(std::int64_t bytes);

/// Answers with what is in the store, under this schema name.
int answerInfo(Store& store, Session& session, const char* schema);

/// The part of prune that forgets what is out for longer than `duration`.
int pruneHandedOver(const std::string& duration, bool dryRun, bool yes, Session& session);

void addStoreStatus(const Verb& noun, Action& chosen);
void addStoreBackup(const Verb& noun, Action& chosen);
void addStoreRestore(const Verb& noun, Action& chosen);
void addStoreVacuum(const Verb& noun, Action& chosen);
void addStorePrune(const Verb& noun, Action& chosen);
void addStoreSql(const Verb& noun, Action& chosen);

}  // namespace tether::cli
