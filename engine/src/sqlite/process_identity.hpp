// Who holds a lease: pid alone is reused, so the start time, the boot and the pid namespace go with
// it; and a process may open a store, close it and open it again, so the instance does too.
#pragma once

#include <cstdint>
#include <string>

namespace tether::sqlite {

struct ProcessIdentity {
  std::int64_t pid = 0;
  std::int64_t started = 0;  // clock ticks since boot
  std::string bootId;
  std::int64_t pidNamespace = 0;
  std::int64_t instance = 0;  // which open store of that process

  bool operator==(const ProcessIdentity&) const = default;
};

/// An open store of this process: it counts as alive as long as this object lives.
/// Thread safety: none is needed, it does not change.
class Instance {
 public:
  Instance();
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;
  std::int64_t id() const { return id_; }
  ProcessIdentity identity() const;

 private:
  std::int64_t id_;
};

enum class Liveness { Alive, Dead, Elsewhere };

/// Elsewhere: another boot or pid namespace, so that this process cannot tell.
Liveness liveness(const ProcessIdentity& process);

}  // namespace tether::sqlite
