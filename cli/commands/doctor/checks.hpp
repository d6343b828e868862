// The checks of doctor. Each looks at one thing and says what it found.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "report.hpp"
#include "session.hpp"
#include "tether/store.hpp"

namespace tether::cli {

// ---- the store as a file (file_checks.cpp)

void examineLibrary(Report& report, const StoreInfo& info);
/// Who copies the log into the file. `catalog` null: there is no project.
void examineCheckpoints(Report& report, const std::vector<std::string>& tables,
                        const Catalog* catalog);
void examinePermissions(Report& report, const std::vector<std::string>& files);
void examineIntegrity(Report& report, Store& store, const std::vector<std::string>& files);
void examineMigrations(Report& report, const Catalog& catalog, const StoreInfo& info);
/// The scripts of commands against the tables of the store.
void examineScripts(Report& report, const Catalog& catalog, Store& store);
/// Who keeps everybody else from writing: looked for twice, because a short while is no trouble.
void examineLock(Report& report, const std::optional<LockHolder>& first,
                 const std::optional<LockHolder>& second, const std::vector<OwnerInfo>& owners);

// ---- the work in it (work_checks.cpp)

using OpenByType = std::map<std::string, std::int64_t>;

void examineListeners(Report& report, const std::vector<OwnerInfo>& owners, const OpenByType& open,
                      Time now);
/// `catalog` null: there is no project.
void examineTypes(Report& report, const std::vector<OwnerInfo>& owners, const OpenByType& open,
                  const Catalog* catalog);
void examineQueues(Report& report, const std::vector<QueueInfo>& queues, const Catalog* catalog);
/// For how long a queue keeps a message, by the queue's name; nothing of what did not tell.
using Retentions = std::map<std::string, Duration>;
/// What SQS says of the queues that are there (sqs_checks.cpp).
Retentions examineSqs(Report& report, const Catalog& catalog);
/// Commands that are out at a remote queue, for as long as it keeps them or nearly so
/// (handed_over_checks.cpp).
void examineHandedOver(Report& report, Store& store, const Retentions& kept, Time now);
void examineOpen(Report& report, const StoreInfo& info, const OpenByType& open, Time now);
void examineOutgoing(Report& report, const StoreInfo& info, Time now);
void examineLetters(Report& report, const StoreInfo& info, Time now);

// ---- what holds work back (obstacle_checks.cpp)

struct Obstacles;
void examineObstacles(Report& report, const Obstacles& obstacles, Time now);

}  // namespace tether::cli
