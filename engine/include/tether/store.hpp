// The Store port: keeps commands, events, dead letters and the local queues, and commits changes to
// them together. Floors above know a store only through this header. The conformance suite for
// stores is in tests/conformance.
//
// Writes are closures. One writer runs whatever waits inside one transaction and commits once
// (group commit); each closure sees a Unit, touches nothing but it, and may run twice. Its `done`
// is called once, after the commit. No closure and no `done` of one store object runs beside
// another one of it: what only they touch needs no lock. A closure may go on after a statement of
// Unit::sql() that failed: that statement alone is undone. A transaction that has lasted 50 ms ends
// after the closure that runs, so that nobody is kept out for longer than one closure and that.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tether/address.hpp"
#include "tether/clock.hpp"
#include "tether/error.hpp"
#include "tether/snapshot.hpp"
#include "tether/transport.hpp"
#include "tether/unit.hpp"

namespace tether {

enum class Durability {
  Durable,   // survives a power cut once done
  Deferred,  // survives a crash of the process; at a power cut it may be forgotten, and done again
};

struct Work {
  Durability durability = Durability::Durable;
  /// Its effects are undone alone when it throws. Leave it false only for closures that throw
  /// before they write.
  bool isolated = true;
  /// Nothing of it is kept, although it did not throw: all that a commit would refuse is looked
  /// for.
  bool rollBack = false;
  std::function<void(Unit&)> apply;
  /// After the commit (null), or when nothing of it was kept (the reason). On the committing
  /// thread.
  std::function<void(std::exception_ptr)> done;
  /// In a transaction of its own: whatever fails there is its own doing, or the store's.
  bool alone = false;
  /// Closures of one kind take about equally long. One whose kind took long the last time has a
  /// transaction of its own, so that the others need not wait for it; they may go before it.
  std::string kind{};
};

struct LockHolder {
  std::int64_t pid = 0;
  std::string program;  // as the machine names it
};

/// A copy of a store that was made and verified.
struct Backup {
  std::int64_t bytes = 0;
  std::int64_t lastSeq = 0;  // what happened after this number is not in it
  /// Rows of the application that refer to nothing, in the store as in the copy: no damage.
  std::vector<std::string> dangling{};
};

/// What a vacuum did to the file and its log.
struct Vacuumed {
  std::int64_t bytesBefore = 0;
  std::int64_t bytesAfter = 0;
};

/// Thread safety: every call from any thread, except where it says otherwise.
class Store {
 public:
  virtual ~Store() = default;

  /// Queues a write and returns at once. Without a writer thread it waits for runPending().
  virtual void post(Work work) = 0;

  /// A write that is waited for. Without a writer thread it runs inline. Throws what the closure
  /// threw; Unavailable when the store cannot commit now; Invalid within a closure or a `done`
  /// (execute, onEnded, the `done` of submitAsync), which would wait for itself: post() there.
  void commit(Durability durability, std::function<void(Unit&)> apply);
  /// The same with a `done` of its own, which is called first.
  void commit(Work work);

  /// Applies what is missing, in order, in one commit of its own, and waits for it, as commit()
  /// does. Foreign keys are not enforced meanwhile, so that a table can be rebuilt, and nothing
  /// cascades; but no row may refer to nothing afterwards that did not before. Errors: Conflict (an
  /// applied one has changed: named), Invalid (the SQL, a row that refers to nothing: named).
  virtual void migrate(const std::vector<Migration>& migrations, Time now) = 0;

  /// Runs what was posted, on this thread; false when there was nothing. Only without a writer
  /// thread, and not within a closure or a `done`.
  virtual bool runPending() = 0;

  virtual void startWriter() = 0;
  /// Ends the thread after everything posted before has been run. Throws Invalid within a closure
  /// or a `done`.
  virtual void stopWriter() = 0;

  /// The calling thread is within a closure or a `done` of this store.
  virtual bool inClosure() const = 0;
  /// From now on nothing waits for the store's lock beyond `atMost` from now, for whoever wants to
  /// stop; nothing: as long as it was opened to wait.
  virtual void limitWaits(std::optional<Duration> atMost) = 0;

  virtual void read(const std::function<void(Snapshot&)>& look) = 0;

  /// A number that moves with every commit by anyone, in any process.
  virtual std::uint32_t changeCount() const = 0;
  /// The part of it that other processes moved.
  virtual std::uint32_t foreignChangeCount() const = 0;
  /// Waits until changeCount() differs from `seen`, at most `atMost`. A hint may be lost, so
  /// callers come back by themselves. True: it moved.
  virtual bool waitForChange(std::uint32_t seen, Duration atMost) = 0;
  /// Makes every waitForChange() return, so that its caller looks at its own reasons to stop.
  virtual void interruptWaits() = 0;

  /// Waits until `ready` is true of the flow, at most `atMost`; returns how it stands then; nothing
  /// when there is no such flow. `id` as for Snapshot::findFlow. Throws Invalid within a closure or
  /// a `done`, while which nothing can move.
  std::optional<Flow> waitForFlow(const std::string& id, Duration atMost,
                                  const std::function<bool(const Flow&)>& ready);

  /// A local queue as a Transport. It must not outlive the store.
  virtual std::unique_ptr<Transport> openQueue(const std::string& name) = 0;

  /// The files that it is kept in, those that are there; none: it is in memory, or elsewhere.
  virtual std::vector<std::string> files() const = 0;

  /// Damage found, one line each; empty: sound. Reads everything.
  virtual std::vector<std::string> verify() = 0;

  /// Why this store takes no work any more until it is opened again: Unavailable (a sync failed, or
  /// nobody knows whether the last commit is there) or Corrupt (the file under its name is not the
  /// one that was opened). Nothing: it takes work.
  virtual std::optional<Error> failure() const = 0;

  /// Copies the store, as it is at one moment while others go on, into a new private file, which
  /// has its name only once it is whole, verified and synced. Errors: Invalid (something has that
  /// name, or no file can be made there), Corrupt (the store is damaged), Unavailable (disk full).
  virtual Backup backup(const std::string& path) = 0;

  /// Writes the store anew without the pages that are free, and so gives them back. Everybody's
  /// writes wait until it is done, and rows of the application's tables that have no INTEGER
  /// PRIMARY KEY may get other row ids. Errors: Unavailable (locked, disk full), Unsupported (in
  /// memory).
  virtual Vacuumed vacuum() = 0;

  /// Who holds the store's write lock at this moment, as far as the machine tells: everybody's
  /// writes wait for it. Takes no lock itself.
  virtual std::optional<LockHolder> lockHolder() = 0;

 protected:
  /// Posts by `hand`, and waits as commit() does.
  void await(Work work, const std::function<void(Work)>& hand);
};

/// Who copies the write-ahead log back into the file.
enum class Checkpoints {
  Own,       // the processes that use the store, one at a time, so that no commit can be lost
  External,  // another program, such as Litestream; without it the log grows for ever
};

/// How a store is opened, see openStore in adapters.hpp.
struct StoreOptions {
  StoreAddress address{};
  bool create = false;                           // else a store that is missing is NotFound
  Duration patience = std::chrono::seconds{10};  // the longest wait for its lock
  /// From other machines (containers on one volume) only the clock can tell that an owner is dead.
  Duration ownerLease = std::chrono::seconds{30};
  Checkpoints checkpoints = Checkpoints::Own;
};

}  // namespace tether
