#include "sqlite/writer.hpp"

#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "base/log.hpp"
#include "sqlite/checkpoint.hpp"
#include "tether/seam.hpp"

namespace tether::sqlite {

namespace {

constexpr std::size_t kBatchMax = 256;
constexpr Duration kBatchLong = std::chrono::milliseconds{50};
// More than others sleep between two tries for the lock, see Connection::onBusy.
constexpr auto kLetIn = std::chrono::milliseconds{3};
constexpr int kCheckpointFrames = 4000;  // 16 MB of log
constexpr std::int64_t kSlots = 1024;

bool isSyncFailure(int code) {
  return code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC;
}

}  // namespace

Writer::Writer(WriterOptions options, const Clock& clock, OwnFiles& files, Refusal& refusal,
               std::function<void()> committed)
    : options_(std::move(options)),
      clock_(clock),
      files_(files),
      refusal_(refusal),
      committed_(std::move(committed)),
      slot_(::getpid() % kSlots) {
  open();
}

Writer::~Writer() {
  endThread();
  guard_.reset();  // the connection is the last one, and so copies the log
  close();
}

void Writer::close() {
  unit_.reset();
  session_.reset();
  if (connection_ && files_.replaced()) connection_->keepLog(true);
  files_.releaseLog();
  connection_.reset();
}

void Writer::open() {
  close();
  connection_ = std::make_unique<Connection>(options_.connection);
  session_ = std::make_unique<SqlSession>(*connection_, clock_);
  unit_ =
      std::make_unique<SqliteUnit>(*connection_, *session_, clock_, instance_, options_.ownerLease);
  if (!options_.logged) return;
  connection_->query("SELECT count(*) FROM sqlite_schema").first();  // opens the log
  files_.adoptLog();
  const auto onLog = [](void* frames, sqlite3*, const char*, int count) {
    *static_cast<int*>(frames) = count;
    return SQLITE_OK;
  };
  sqlite3_wal_hook(connection_->handle(), onLog, &logFrames_);
}

void Writer::post(Work work) { put({.work = std::move(work)}); }

void Writer::postMigration(Work work) { put({.work = std::move(work), .migrates = true}); }

void Writer::put(Entry entry) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(entry));
  }
  posted_.notify_one();
}

bool Writer::runPending() {
  if (inClosure()) return false;
  {
    const std::lock_guard lock(mutex_);
    if (threaded_) return false;
  }
  return runBatch() > 0;
}

void Writer::start() {
  const std::lock_guard lock(mutex_);
  if (threaded_) return;
  if (thread_.joinable()) thread_.join();
  stopping_ = false;
  thread_ = std::thread([this] { loop(); });
  threaded_ = true;
}

void Writer::stop() {
  if (inClosure()) {
    throw Error(ErrorCode::Invalid, "the writer cannot be stopped from what it runs");
  }
  endThread();
}

void Writer::endThread() {
  {
    const std::lock_guard lock(mutex_);
    if (!threaded_) return;
    stopping_ = true;
  }
  posted_.notify_one();
  thread_.join();
  // Whoever waits for these does not know that the thread has gone.
  while (left_ > 0) {
    const auto ran = runBatch();
    left_ = ran == 0 ? 0 : left_ - std::min(left_, ran);
  }
}

void Writer::loop() {
  std::optional<std::size_t> before;  // posted before the stop: who posts on does not prolong it
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      posted_.wait(lock, [this] { return stopping_ || queue_.size() + slow_.size() > 0; });
      if (stopping_ && !before) before = queue_.size() + slow_.size();
      if (before && *before == 0) {
        threaded_ = false;  // whoever posts from now on runs it
        left_ = queue_.size() + slow_.size();
        return;
      }
    }
    const auto ran = runBatch();
    if (before) *before -= std::min(*before, ran);
  }
}

std::size_t Writer::runBatch() {
  const std::lock_guard running(running_);
  runner_ = std::this_thread::get_id();
  auto batch = nextBatch();
  if (!batch.empty()) {
    held_ = Duration{0};
    const auto begun = clock_.steady();
    execute(batch);
    held_ = std::max(held_, clock_.steady() - begun);
    for (auto& entry : batch) tell(entry);
    const auto told = clock_.steady();
    checkpointIfDue();
    held_ += clock_.steady() - told;
    // The next BEGIN would come before anyone who waits has looked again.
    if (held_ >= kBatchLong) std::this_thread::sleep_for(kLetIn);
  }
  runner_ = std::thread::id();
  return batch.size();
}

/// A process does not end by what follows a commit.
void Writer::tell(Entry& entry) noexcept {
  if (!entry.work.done) return;
  try {
    return entry.work.done(std::move(entry.error));
  } catch (const std::exception& error) {
    log::error("what follows a commit threw", {{"error", error.what()}});
  } catch (...) {
    log::error("what follows a commit threw", {{"error", "something that is no std::exception"}});
  }
}

/// One slow closure, or whatever else waits: by turns, so that neither waits for all of the other.
Writer::Batch Writer::nextBatch() {
  const std::lock_guard lock(mutex_);
  Batch batch;
  const auto take = [&batch](std::deque<Entry>& from) {
    batch.push_back(std::move(from.front()));
    from.pop_front();
  };
  if (!std::exchange(slowsTurn_, false) || slow_.empty()) {
    while (!queue_.empty() && batch.size() < kBatchMax) {
      if (slowKinds_.contains(queue_.front().work.kind)) {
        slow_.push_back(std::move(queue_.front()));
        queue_.pop_front();
        continue;
      }
      if (!batch.empty() && (queue_.front().alone() || batch.front().alone())) break;
      take(queue_);
    }
    slowsTurn_ = !batch.empty();
  }
  if (batch.empty() && !slow_.empty()) take(slow_);
  return batch;
}

void Writer::cut(Batch& batch, std::size_t from) {
  const std::lock_guard lock(mutex_);
  for (auto at = batch.size(); at-- > from;) {
    if (batch[at].error) continue;
    queue_.push_front(std::move(batch[at]));
    batch.erase(batch.begin() + static_cast<std::ptrdiff_t>(at));
  }
}

void Writer::remember(const std::string& kind, Duration took) {
  if (kind.empty()) return;
  if (took >= kBatchLong) {
    slowKinds_.insert(kind);
  } else if (!slowKinds_.empty()) {
    slowKinds_.erase(kind);
  }
}

void Writer::execute(Batch& batch) {
  const auto failAll = [&batch](const std::exception_ptr& error) {
    for (auto& entry : batch) {
      if (!entry.error) entry.error = error;
    }
  };
  if (const auto why = refusal_.get()) return failAll(std::make_exception_ptr(*why));
  const bool migrates = batch.front().migrates;
  try {
    if (!connection_) open();  // it could not be opened again after a failure
    if (migrates) connection_->enforceForeignKeys(false);
    files_.require();
    requireWritable();
    bool again = false;
    while (!applyAll(batch, again)) again = true;  // a closure broke the whole transaction
    commit(batch);
    files_.require();  // nobody else will ever see what went to a file that is gone
  } catch (...) {
    const auto error = std::current_exception();
    rollBack();
    failAll(error);
  }
  if (migrates && connection_) connection_->enforceForeignKeys(true);
}

/// After a commit that failed the store may not open again: then nothing is left to roll back.
void Writer::rollBack() noexcept {
  try {
    if (connection_ && connection_->inTransaction()) connection_->exec("ROLLBACK");
    if (unit_) unit_->forget();
  } catch (...) {  // what cannot be ended here ends with the connection
    close();
  }
}

void Writer::requireWritable() const {
  if (sqlite3_db_readonly(connection_->handle(), "main") != 1) return;
  throw Error(ErrorCode::Invalid, "store " + options_.connection.path +
                                      " is read-only: check its permissions and its folder's");
}

/// False: the transaction is gone, and the entry that ended it is marked. The next time they are
/// all isolated, so that the batch is not run once for each that throws.
bool Writer::applyAll(Batch& batch, bool again) {
  durable_ = false;
  for (const auto& entry : batch) {
    durable_ = durable_ || (!entry.error && entry.work.durability == Durability::Durable);
  }
  connection_->setSynchronousFull(durable_);
  connection_->query("BEGIN IMMEDIATE").run();
  changesBefore_ = sqlite3_total_changes64(connection_->handle());
  unit_->begin();
  const auto begun = clock_.steady();
  auto now = begun;
  for (std::size_t at = 0; at < batch.size(); ++at) {
    auto& entry = batch[at];
    if (entry.error) continue;
    apply(entry, again || entry.work.isolated);
    const auto before = std::exchange(now, clock_.steady());
    remember(entry.work.kind, now - before);
    held_ = now - begun;
    if (!connection_->inTransaction()) {
      if (!entry.error) {
        entry.error =
            std::make_exception_ptr(Error(ErrorCode::Invalid, "the closure ended the transaction"));
      }
      unit_->forget();
      // All are back where they began, and others have waited long enough.
      if (held_ >= kBatchLong) cut(batch, 0);
      return false;
    }
    if (held_ >= kBatchLong) cut(batch, at + 1);
  }
  return true;
}

void Writer::apply(Entry& entry, bool isolated) {
  const auto changes = sqlite3_total_changes64(connection_->handle());
  try {
    if (isolated) connection_->query("SAVEPOINT closure").run();
    unit_->beginClosure();
    connection_->requireTransaction(true);
    entry.work.apply(*unit_);
    unit_->checkEffects();
    if (entry.work.rollBack) {
      connection_->query("ROLLBACK TO closure").run();
      unit_->forget();
    }
    if (isolated) connection_->query("RELEASE closure").run();
    connection_->requireTransaction(false);
    session_->enter(nullptr);
    return;
  } catch (...) {
    entry.error = std::current_exception();
  }
  connection_->requireTransaction(false);
  session_->enter(nullptr);
  const bool wrote = sqlite3_total_changes64(connection_->handle()) != changes;
  // As it promised: it threw before it wrote, and its neighbours have nothing to lose.
  if (!isolated && !wrote && connection_->inTransaction()) return;
  unit_->forget();
  if (!connection_->inTransaction()) return;
  if (isolated) {
    connection_->query("ROLLBACK TO closure").run();
    connection_->query("RELEASE closure").run();
  } else {
    connection_->exec("ROLLBACK");  // the caller starts over without it
  }
}

void Writer::commit(Batch& batch) {
  bool any = false;
  for (const auto& entry : batch) any = any || !entry.error;
  const bool ran = session_->takeRan();
  if (!any || (!ran && sqlite3_total_changes64(connection_->handle()) == changesBefore_)) {
    connection_->query("ROLLBACK").run();
    return;
  }
  unit_->finish();
  ++batch_;
  connection_
      ->query(
          "INSERT INTO tether_batch (slot, writer, batch) VALUES (?1, ?2, ?3)"
          " ON CONFLICT DO UPDATE SET writer = excluded.writer, batch = excluded.batch")
      .run(slot_, instance_.id(), batch_);
  const bool holed = countBatch();
  try {
    connection_->query("COMMIT").run();
    if (passSeam(Seam::tx_commit_unknown)) {
      throw Error(ErrorCode::Unavailable, "the commit's answer was lost (injected)");
    }
  } catch (const Error& error) {
    // A COMMIT that fails may be durable all the same: look, in a new connection.
    const int code = sqlite3_extended_errcode(connection_->handle());
    if (isSyncFailure(code)) {
      breakOff(error.what());
      throw *refusal_.get();
    }
    if (connection_->inTransaction()) {
      connection_->exec("ROLLBACK");
      throw;
    }
    if (!lastBatchIsThere()) throw;
  }
  committed_();
  newLog_ = false;  // that is said now: what is unsynced from here on is another failure
  if (holed) copyHoledLog();
}

bool Writer::countBatch() {
  const auto copied = copiedForGood();
  auto row = connection_->query(
      "UPDATE tether_store SET commits = commits + 1, copied = max(copied, ?1),"
      " unsynced = CASE WHEN ?2 THEN 0 ELSE unsynced END RETURNING unsynced");
  bool holed = false;
  for (bool more = row.first(copied, newLog_); more; more = row.step()) {
    holed = row.integer(0) != 0;
  }
  return holed;
}

// What we see in the database may be in memory only: another program, or a process that died, has
// copied the log and not synced it. A log that says so and is on the disk before would, after a
// power cut, pass for one that was written for another file.
std::int64_t Writer::copiedForGood() {
  const auto copied = files_.copied();
  if (copied <= copiedSynced_ || !durable_) return copiedSynced_;  // a later batch says it
  if (const int code = syncDatabase(connection_->handle()); code != SQLITE_OK) {
    breakOff(sqlite3_errstr(code));
    throw *refusal_.get();
  }
  return copiedSynced_ = copied;
}

bool Writer::lastBatchIsThere() {
  try {
    files_.require();
    open();
    auto last =
        connection_->query("SELECT batch FROM tether_batch WHERE slot = ?1 AND writer = ?2");
    if (last.first(slot_, instance_.id())) return last.integer(0) == batch_;
    if (batch_ == 1) return false;
  } catch (const Error&) {
    // No answer: fall through.
  }
  refusal_.set(
      {ErrorCode::Unavailable, "the outcome of the last commit is unknown; reopen the store"});
  return false;
}

void Writer::breakOff(const std::string& why) {
  refusal_.set({ErrorCode::Unavailable, "the disk failed to sync; reopen the store: " + why});
  try {
    if (connection_->inTransaction()) connection_->exec("ROLLBACK");
    connection_->setSynchronousFull(false);
    connection_->exec("UPDATE tether_store SET unsynced = 1");
  } catch (const Error&) {
    // Only for those who open it beside others: who is alone with a log copies it in any case.
  }
}

void Writer::checkpointIfDue() {
  if (!options_.logged || !options_.checkpoints || logFrames_ < kCheckpointFrames) return;
  if (refusal_.get()) return;
  try {
    copyLog();
  } catch (const Error&) {
    // Latency and log size only; the next batch tries again, or says that nothing goes any more.
  }
}

bool Writer::copyLog() {
  files_.require();
  if (!guard_) {
    auto options = options_.connection;
    options.busyTimeout = Duration{0};  // everybody's writes would wait
    guard_ = std::make_unique<Connection>(options);
    guard_->keepLog(true);  // by now the name may be another file's
  }
  bool all = false;
  const int code = checkpoint(connection_->handle(), guard_->handle(), &all);
  if (isSyncFailure(code)) {
    breakOff(sqlite3_errstr(code));
    throw *refusal_.get();
  }
  if (code == SQLITE_OK) logFrames_ = 0;
  files_.require();  // sees what the database has now
  return all;
}

// The kernel takes pages for written that it failed to write, so that a later sync says nothing of
// them. In the database all of them are written anew; then a new log begins, when no reader keeps
// the old one. Until it has begun, every batch is copied before it answers.
void Writer::copyHoledLog() {
  using Steady = std::chrono::steady_clock;
  newLog_ = !holedLog_.empty() && logHeader(connection_->handle()) != holedLog_;
  if (newLog_) return holedLog_.clear();
  const auto until = Steady::now() + options_.connection.busyTimeout;
  const auto& limit = options_.connection.waitsEnd;  // a stop does not wait either
  while (!copyLog()) {
    if (Steady::now() > until || (limit && Steady::now() > limit->load())) {
      // The batch is committed, so nobody may be told to try it again here.
      refusal_.set({ErrorCode::Unavailable,
                    "the disk failed to sync earlier, and somebody who reads or writes keeps the "
                    "log from being copied: reopen the store"});
      throw *refusal_.get();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
  holedLog_ = logHeader(connection_->handle());
}

}  // namespace tether::sqlite
