#include "sqlite/process_identity.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <mutex>
#include <set>
#include <sstream>

#include "tether/ids.hpp"

namespace tether::sqlite {

namespace {

std::string readFile(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The start time of a live process, else 0. Source: proc(5), /proc/pid/stat.
std::int64_t startedAt(std::int64_t pid) {
  const auto stat = readFile("/proc/" + std::to_string(pid) + "/stat");
  const auto name = stat.rfind(')');  // the program's name may contain anything
  if (name == std::string::npos) return 0;
  std::istringstream fields(stat.substr(name + 1));
  std::string state;
  fields >> state;
  if (state == "Z" || state == "X") return 0;
  std::string skipped;
  for (int field = 4; field < 22; ++field) fields >> skipped;
  std::int64_t started = 0;
  fields >> started;
  return started;
}

ProcessIdentity identify() {
  ProcessIdentity self;
  self.pid = ::getpid();
  self.started = startedAt(self.pid);
  self.bootId = readFile("/proc/sys/kernel/random/boot_id");
  while (!self.bootId.empty() && self.bootId.back() == '\n') self.bootId.pop_back();
  struct stat status {};
  if (::stat("/proc/self/ns/pid", &status) == 0) {
    self.pidNamespace = static_cast<std::int64_t>(status.st_ino);
  }
  return self;
}

const ProcessIdentity& thisProcess() {
  static ProcessIdentity self = identify();
  if (self.pid != ::getpid()) self = identify();  // after a fork
  return self;
}

struct Instances {
  std::mutex mutex;
  std::set<std::int64_t> alive;
};

Instances& instances() {
  static auto* const kAll = new Instances;  // never destroyed: a host's store may be static
  return *kAll;
}

bool isAlive(std::int64_t instance) {
  auto& all = instances();
  const std::lock_guard lock(all.mutex);
  return all.alive.count(instance) > 0;
}

}  // namespace

Instance::Instance() : id_(static_cast<std::int64_t>(systemRandom().next() >> 1)) {
  auto& all = instances();
  const std::lock_guard lock(all.mutex);
  all.alive.insert(id_);
}

Instance::~Instance() {
  auto& all = instances();
  const std::lock_guard lock(all.mutex);
  all.alive.erase(id_);
}

ProcessIdentity Instance::identity() const {
  auto identity = thisProcess();
  identity.instance = id_;
  return identity;
}

Liveness liveness(const ProcessIdentity& process) {
  const auto& self = thisProcess();
  if (process.bootId != self.bootId || process.pidNamespace != self.pidNamespace) {
    return Liveness::Elsewhere;
  }
  if (startedAt(process.pid) != process.started) return Liveness::Dead;
  return process.pid != self.pid || isAlive(process.instance) ? Liveness::Alive : Liveness::Dead;
}

}  // namespace tether::sqlite
