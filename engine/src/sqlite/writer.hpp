// The one writer of a store: runs whatever was posted, each closure in its own savepoint, inside
// one transaction, and commits once. No timer: the batch is what arrived while the last one was
// synced. One that has lasted long is cut: what has not run yet goes into the next.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "sqlite/connection.hpp"
#include "sqlite/own_files.hpp"
#include "sqlite/process_identity.hpp"
#include "sqlite/refusal.hpp"
#include "sqlite/sql_session.hpp"
#include "sqlite/unit.hpp"
#include "tether/store.hpp"

namespace tether::sqlite {

struct WriterOptions {
  ConnectionOptions connection;
  bool logged = true;       // has a write-ahead log
  bool checkpoints = true;  // and copies it back into the file; else another program does
  Duration ownerLease{0};
};

class Writer {
 public:
  /// `committed` is called after every commit, before the closures' own `done`.
  Writer(WriterOptions options, const Clock& clock, OwnFiles& files, Refusal& refusal,
         std::function<void()> committed);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void post(Work work);
  /// A batch of its own, in which foreign keys are not enforced: to drop a table that is rebuilt
  /// would delete what refers to its rows. The work itself looks for what refers to nothing.
  void postMigration(Work work);
  bool runPending();
  void start();
  void stop();
  /// Of the calling thread. From any thread.
  bool inClosure() const { return runner_ == std::this_thread::get_id(); }

 private:
  struct Entry {
    Work work;
    bool migrates = false;
    std::exception_ptr error{};
    bool alone() const { return migrates || work.alone; }
  };
  using Batch = std::vector<Entry>;

  void put(Entry entry);
  void loop();
  /// How many it ran.
  std::size_t runBatch();
  static void tell(Entry& entry) noexcept;
  Batch nextBatch();
  /// What has not run yet, and is not known to have failed, goes into the next batch.
  void cut(Batch& batch, std::size_t from);
  void remember(const std::string& kind, Duration took);
  void execute(Batch& batch);
  void requireWritable() const;
  bool applyAll(Batch& batch, bool again);
  void apply(Entry& entry, bool isolated);
  void commit(Batch& batch);
  bool lastBatchIsThere();
  void endThread();
  void open();
  /// What lies under our names, if that is not ours any more, gets nothing of our log.
  void close();
  void rollBack() noexcept;
  void checkpointIfDue();
  /// Counts the batch in the store's own row. True: the log may have a hole.
  bool countBatch();
  /// How many commits the database has on the disk without its log, as far as that is known.
  std::int64_t copiedForGood();
  /// Copies as much of the log as readers allow; true: all of it. Throws when a sync fails.
  bool copyLog();
  void copyHoledLog();
  /// Nothing is taken any more: nobody knows what is on the disk.
  void breakOff(const std::string& why);

  WriterOptions options_;
  Instance instance_;
  const Clock& clock_;
  OwnFiles& files_;
  Refusal& refusal_;  // set: the outcome of a sync is unknown, nothing is taken
  std::function<void()> committed_;

  std::mutex mutex_;  // guards the queue and the thread's state
  std::condition_variable posted_;
  std::deque<Entry> queue_;
  std::deque<Entry> slow_;  // taken out of the queue: each has a batch of its own
  bool stopping_ = false;
  bool threaded_ = false;
  std::thread thread_;
  std::size_t left_ = 0;                 // in the queue when the thread ended
  std::atomic<std::thread::id> runner_;  // of the batch that runs

  std::mutex running_;  // one batch at a time; guards all below
  std::unique_ptr<Connection> connection_;
  std::unique_ptr<SqlSession> session_;
  std::unique_ptr<SqliteUnit> unit_;
  std::unique_ptr<Connection> guard_;  // holds the write lock during a checkpoint
  std::int64_t slot_ = 0;
  std::int64_t batch_ = 0;
  std::int64_t changesBefore_ = 0;
  bool durable_ = false;             // the batch that runs
  std::int64_t copiedSynced_ = 0;    // see copiedForGood
  std::set<std::string> slowKinds_;  // of closures, by how long the last one took
  bool slowsTurn_ = false;           // the others had the last batch
  Duration held_{0};                 // how long the last batch kept others out
  int logFrames_ = 0;
  std::string holedLog_;  // the header of a log with a hole, of which all was copied
  bool newLog_ = false;   // has begun since
};

}  // namespace tether::sqlite
