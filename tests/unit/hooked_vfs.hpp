// A VFS over SQLite's own that asks a hook before and after each call that matters, so that a test
// can count, fail or interleave. While it lives it is the default of every connection that is
// opened.
#pragma once

#include <sqlite3.h>

#include <functional>
#include <string>

namespace tether {

class HookedVfs {
 public:
  enum class Operation { Open, Write, Truncate, Sync, Unfetch, ShmLock };
  struct Call {
    Operation operation;
    std::string path;
    bool log;       // the write-ahead log, else the database or another file
    int bytes = 0;  // of Write
  };
  /// SQLITE_OK, or the error to report: instead of the call (before) or although it went well
  /// (after).
  using Hook = std::function<int(const Call&)>;

  HookedVfs() : below_(sqlite3_vfs_find(nullptr)), vfs_(*below_) {
    vfs_.zName = "hooked";
    vfs_.szOsFile = static_cast<int>(sizeof(File)) + below_->szOsFile;
    vfs_.xOpen = &HookedVfs::open;
    instance() = this;
    sqlite3_vfs_register(&vfs_, 1);
  }
  ~HookedVfs() {
    sqlite3_vfs_unregister(&vfs_);
    sqlite3_vfs_register(below_, 1);
    instance() = nullptr;
  }
  HookedVfs(const HookedVfs&) = delete;
  HookedVfs& operator=(const HookedVfs&) = delete;

  Hook before;
  Hook after;
  /// Of a call that went on, with what it answered: only ShmLock is asked.
  std::function<void(const Call&, int result)> seen;

 private:
  struct File {
    sqlite3_file base;
    const char* path;
    bool log;
    sqlite3_file* below;
  };

  static HookedVfs*& instance() {
    static HookedVfs* only = nullptr;
    return only;
  }
  static File& of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }
  static sqlite3_file* below(sqlite3_file* file) { return of(file).below; }

  /// Runs `call` between the hooks.
  template <class Go>
  static int hooked(const Call& call, Go go) {
    auto* self = instance();
    if (self != nullptr && self->before) {
      if (const int code = self->before(call); code != SQLITE_OK) return code;
    }
    const int result = go();
    if (self != nullptr && self->seen) self->seen(call, result);
    if (result != SQLITE_OK || self == nullptr || !self->after) return result;
    return self->after(call);
  }
  static Call call(Operation operation, sqlite3_file* file, int bytes = 0) {
    return {operation, of(file).path == nullptr ? "" : of(file).path, of(file).log, bytes};
  }

  static int open(sqlite3_vfs* /*vfs*/, const char* name, sqlite3_file* file, int flags,
                  int* outFlags) {
    auto& self = of(file);
    self.base.pMethods = nullptr;
    self.path = name;
    self.log = (flags & SQLITE_OPEN_WAL) != 0;
    self.below = reinterpret_cast<sqlite3_file*>(&self + 1);
    auto* vfs = instance()->below_;
    return hooked(call(Operation::Open, file), [&] {
      const int code = vfs->xOpen(vfs, name, self.below, flags, outFlags);
      if (self.below->pMethods != nullptr) self.base.pMethods = methods();
      return code;
    });
  }

  static const sqlite3_io_methods* methods() {
    static const sqlite3_io_methods table = [] {
      sqlite3_io_methods m{};
      m.iVersion = 3;
      m.xClose = [](sqlite3_file* f) { return below(f)->pMethods->xClose(below(f)); };
      m.xRead = [](sqlite3_file* f, void* to, int size, sqlite3_int64 at) {
        return below(f)->pMethods->xRead(below(f), to, size, at);
      };
      m.xWrite = [](sqlite3_file* f, const void* from, int size, sqlite3_int64 at) {
        return hooked(call(Operation::Write, f, size),
                      [&] { return below(f)->pMethods->xWrite(below(f), from, size, at); });
      };
      m.xTruncate = [](sqlite3_file* f, sqlite3_int64 size) {
        return hooked(call(Operation::Truncate, f),
                      [&] { return below(f)->pMethods->xTruncate(below(f), size); });
      };
      m.xSync = [](sqlite3_file* f, int flags) {
        return hooked(call(Operation::Sync, f),
                      [&] { return below(f)->pMethods->xSync(below(f), flags); });
      };
      m.xFileSize = [](sqlite3_file* f, sqlite3_int64* size) {
        return below(f)->pMethods->xFileSize(below(f), size);
      };
      m.xLock = [](sqlite3_file* f, int lock) { return below(f)->pMethods->xLock(below(f), lock); };
      m.xUnlock = [](sqlite3_file* f, int lock) {
        return below(f)->pMethods->xUnlock(below(f), lock);
      };
      m.xCheckReservedLock = [](sqlite3_file* f, int* out) {
        return below(f)->pMethods->xCheckReservedLock(below(f), out);
      };
      m.xFileControl = [](sqlite3_file* f, int op, void* argument) {
        return below(f)->pMethods->xFileControl(below(f), op, argument);
      };
      m.xSectorSize = [](sqlite3_file* f) { return below(f)->pMethods->xSectorSize(below(f)); };
      m.xDeviceCharacteristics = [](sqlite3_file* f) {
        return below(f)->pMethods->xDeviceCharacteristics(below(f));
      };
      m.xShmMap = [](sqlite3_file* f, int region, int size, int extend, void volatile** out) {
        return below(f)->pMethods->xShmMap(below(f), region, size, extend, out);
      };
      m.xShmLock = [](sqlite3_file* f, int offset, int count, int flags) {
        return hooked(call(Operation::ShmLock, f),
                      [&] { return below(f)->pMethods->xShmLock(below(f), offset, count, flags); });
      };
      m.xShmBarrier = [](sqlite3_file* f) { below(f)->pMethods->xShmBarrier(below(f)); };
      m.xShmUnmap = [](sqlite3_file* f, int remove) {
        return below(f)->pMethods->xShmUnmap(below(f), remove);
      };
      m.xFetch = [](sqlite3_file* f, sqlite3_int64 at, int size, void** out) {
        return below(f)->pMethods->xFetch(below(f), at, size, out);
      };
      m.xUnfetch = [](sqlite3_file* f, sqlite3_int64 at, void* page) {
        return hooked(call(Operation::Unfetch, f),
                      [&] { return below(f)->pMethods->xUnfetch(below(f), at, page); });
      };
      return m;
    }();
    return &table;
  }

  sqlite3_vfs* below_;
  sqlite3_vfs vfs_;
};

}  // namespace tether
