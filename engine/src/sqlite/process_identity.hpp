// Who holds a lease: pid alone is reused, so the start time, the boot and the pid namespace go with
// it.
#pragma once

#include <cstdint>
#include <string>

namespace tether::sqlite {

struct ProcessIdentity {
  std::int64_t pid = 0;
  std::int64_t started = 0;  // clock ticks since boot
  std::string bootId;
  std::int64_t pidNamespace = 0;

  bool operator==(const ProcessIdentity&) const = default;
};

const ProcessIdentity& thisProcess();

enum class Liveness { Alive, Dead, Elsewhere };

/// Elsewhere: another boot or pid namespace, so that this process cannot tell.
Liveness liveness(const ProcessIdentity& process);

}  // namespace tether::sqlite
