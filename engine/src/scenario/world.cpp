#include "scenario/world.hpp"

#include <unistd.h>

#include <algorithm>
#include <system_error>

#include "tether/adapters.hpp"
#include "tether/error.hpp"
#include "tether/error_handler.hpp"
#include "tether/transaction_command.hpp"

namespace tether::scenario {

namespace {

namespace fs = std::filesystem;

/// The world whose engine runs on this thread.
thread_local World* current = nullptr;

fs::path makeFolder() {
  const fs::path memory = "/dev/shm";
  const auto base = ::access(memory.c_str(), W_OK) == 0 ? memory : fs::temp_directory_path();
  std::string name = base / "tether-scenario.XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) {
    throw Error(ErrorCode::Unavailable, "cannot make a folder in " + base.native() + ": " +
                                            std::generic_category().message(errno));
  }
  return name;
}

/// What is done meanwhile is the scenario's own doing: no fault strikes it.
class Unarmed {
 public:
  explicit Unarmed(bool& armed) : armed_(armed), was_(std::exchange(armed, false)) {}
  ~Unarmed() { armed_ = was_; }
  Unarmed(const Unarmed&) = delete;
  Unarmed& operator=(const Unarmed&) = delete;

 private:
  bool& armed_;
  bool was_;
};

/// An attempt that only the matrix's crash ended does not count.
class ForgivingHandler final : public ErrorHandler {
 public:
  struct Pardon {
    bool now = false;       // this attempt does not count
    std::size_t total = 0;  // so many of the command did not
  };
  using Forgive = std::function<Pardon(const Command&, const Failure&)>;
  ForgivingHandler(std::shared_ptr<const ErrorHandler> inner, Forgive forgive)
      : inner_(std::move(inner)), forgive_(std::move(forgive)) {}

  Decision decide(const FailedAttempt& attempt) const override {
    const auto pardon = forgive_(attempt.command, attempt.error);
    if (pardon.now) return {Decision::Kind::Retry, attempt.now};
    auto counted = attempt;
    counted.attempt -= static_cast<int>(pardon.total);
    return inner_->decide(counted);
  }

 private:
  std::shared_ptr<const ErrorHandler> inner_;
  Forgive forgive_;
};

}  // namespace

World::World(const Setting& setting, const Host& host)
    : setting_(setting),
      host_(host),
      folder_(makeFolder()),
      clock_(setting.clock),
      random_(setting.seed) {
  setSeamHook(&World::onSeam);
  current = this;
  open();
}

World::~World() {
  armed_ = false;
  reader_.reset();
  engine_.reset();
  if (current == this) current = nullptr;
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

fs::path World::storeFile() const { return folder_ / std::to_string(life_) / "store.db"; }

void World::open() {
  auto options = setting_.catalog ? setting_.catalog->options() : host_.options;
  fs::create_directories(storeFile().parent_path());
  options.store = storeFile();
  options.create = true;
  options.clock = &clock_;
  options.random = &random_;
  queues_ = options.queues;
  for (const auto& [queue, address] : queues_) {
    if (!address.isRemote()) continue;
    auto& remote = remotes_[address.text()];
    if (!remote) remote = std::make_unique<RemoteQueue>(clock_);
    remote->strike = [this, at = address](Fault::Kind kind) -> Fault* {
      for (auto& fault : faults_) {
        const auto mapped = queues_.find(fault.queue);
        if (fault.kind != kind || mapped == queues_.end() || mapped->second != at) continue;
        if (fault.spent() || --fault.hit > 0) continue;
        fault.hit = 1;
        ++fault.used;
        return &fault;
      }
      return nullptr;
    };
  }
  options.transports = [this, life = life_](const std::string& address) {
    return remotes_.at(address)->connect([this, life] { return down_ || life != life_; });
  };
  engine_ = std::make_unique<Engine>(std::move(options));
  install();
}

void World::install() {
  auto& builder = engine_->commands();
  for (const auto& [type, stub] : setting_.stubs) {
    builder.add(
        type, [answers = stub, this] { return std::make_unique<StubCommand>(answers, *this); },
        hangs(*stub));
  }
  if (host_.install) host_.install(*engine_);
  if (setting_.catalog) setting_.catalog->install(*engine_);
  forgive();
}

void World::forgive() {
  auto& builder = engine_->commands();
  const auto forgiven = [this](const Command& command, const Failure& error) {
    const bool now = error.code == "owner_died" && forgives_;
    if (now) ++forgiven_[command.id][command.generation];
    const auto found = forgiven_.find(command.id);
    if (found == forgiven_.end()) return ForgivingHandler::Pardon{now, 0};
    const auto own = found->second.find(command.generation);
    return ForgivingHandler::Pardon{now, own == found->second.end() ? 0 : own->second};
  };
  for (const auto& type : builder.types()) {
    auto settings = builder.settings(type);
    auto inner = settings.errorHandler;
    if (!inner) {
      inner =
          std::make_shared<RetryErrorHandler>(settings.retry.value_or(engine_->options().retry));
    }
    settings.errorHandler = std::make_shared<ForgivingHandler>(std::move(inner), forgiven);
    builder.configure(type, std::move(settings));
  }
}

Engine& World::engine() {
  if (down_) throw Error(ErrorCode::Unavailable, "the engine is down");
  return *engine_;
}

Store& World::store() {
  if (!down_) return engine_->store();
  if (!reader_) reader_ = openStore({.address = storeFile()}, clock_);
  return *reader_;
}

view::Here World::here() const {
  view::Here here;
  const auto commands = queues_.find("commands");
  if (commands != queues_.end() && commands->second.isRemote()) {
    here.remote = commands->second.text();
  }
  const auto types = engine_->commands().types();
  here.declared.emplace(types.begin(), types.end());
  return here;
}

RemoteQueue* World::remote(const std::string& queue) {
  const auto mapped = queues_.find(queue);
  if (mapped == queues_.end()) return nullptr;
  const auto found = remotes_.find(mapped->second.text());
  return found == remotes_.end() ? nullptr : found->second.get();
}

bool World::hasQueue(const std::string& queue) const {
  return queues_.count(queue) > 0 || queue == "commands" || queue == "events";
}

void World::crash() {
  if (down_) return;
  forgives_ = false;
  const auto from = storeFile();
  ++life_;
  fs::create_directories(storeFile().parent_path());
  copyAsCrashed(from, storeFile());
  down_ = true;
}

void World::restart() {
  if (!down_) return;
  armed_ = false;  // what the dead one still does as it goes is nobody's business
  reader_.reset();
  engine_.reset();
  armed_ = true;
  down_ = false;
  open();
}

void World::settle() {
  while (!down_) {
    spend();
    const bool did = engine_->turn();
    forgives_ = forgives_ && did;  // the one that the crash left behind has been judged
    if (!did) return;
  }
}

std::optional<Time> World::nextDue() {
  std::optional<Time> next;
  engine_->store().read([&](Snapshot& snapshot) {
    next = snapshot.backlog(engine_->commands().types(), engine_->options().listen, true).next;
  });
  for (const auto& [address, remote] : remotes_) {
    if (const auto due = remote->nextDue()) next = std::min(next.value_or(*due), *due);
  }
  return next;
}

void World::advance(Time until) {
  while (!down_) {
    settle();
    if (down_) return;
    const auto due = nextDue();
    if (!due || *due > until) break;
    clock_.advance(*due - clock_.now());
  }
  if (clock_.now() < until) clock_.advance(until - clock_.now());
  settle();
}

void World::advanceUntilNothingIsDue() {
  while (!down_) {
    settle();
    const auto due = down_ ? std::nullopt : nextDue();
    if (!due) return;
    clock_.advance(*due - clock_.now());
  }
}

bool World::advanceToNext(std::optional<Time> other) {
  auto due = nextDue();
  if (other) due = std::min(due.value_or(*other), *other);
  if (!due || *due <= clock_.now()) return false;
  clock_.advance(*due - clock_.now());
  return true;
}

void World::change(const std::vector<std::string>& sql) {
  const Unarmed unarmed(armed_);
  ScriptScope scope;
  scope.now = clock_.now();
  store().commit(Durability::Durable, [&](Unit& unit) {
    for (const auto& script : sql) unit.sql(scope).run(script);
  });
}

void World::arm(std::vector<Fault> faults) {
  faults_ = std::move(faults);
  hits_.clear();
  spent_ = 0;
  for (auto& [address, remote] : remotes_) remote->relent();
}

void World::spend() {
  if (++spent_ <= setting_.budget) return;
  // Whether what is ready is one command again and again, or ever more of them, the flows show.
  throw Livelock("a livelock: this step has used up its budget of " +
                 std::to_string(setting_.budget) + ", and the engine still has work (" +
                 std::to_string(hits_[Seam::tx_after_begin]) + " attempts began, " +
                 std::to_string(hits_[Seam::relay_after_claim]) + " hand-overs)");
}

bool World::meanwhile(std::function<void()> act) {
  return static_cast<bool>(std::exchange(meanwhile_, std::move(act)));
}

void World::hang() {
  if (down_) return;  // nobody looks at what the dead one does
  if (const auto act = std::exchange(meanwhile_, nullptr)) act();
}

std::vector<Fault> World::disarm() {
  std::vector<Fault> left;
  for (auto& fault : faults_) {
    if (!fault.spent()) left.push_back(std::move(fault));
  }
  faults_.clear();
  return left;
}

bool World::onSeam(Seam seam) { return current != nullptr && current->pass(seam); }

bool World::pass(Seam seam) {
  if (!armed_) return false;
  if (down_) {
    // Nothing is run for the dead.
    if (seam == Seam::tx_after_begin) throw Error(ErrorCode::Unavailable, "the process died");
    return false;
  }
  // Every commit has an answer to lose; only those of the flow's own steps count.
  const bool inTransaction = seam == Seam::intake_before_commit || seam == Seam::tx_before_commit ||
                             seam == Seam::failure_before_record ||
                             seam == Seam::replay_after_select;
  if (seam == Seam::tx_commit_unknown && !std::exchange(commits_, false)) return false;
  commits_ = commits_ || inTransaction;
  passed_.insert(seam);
  const int hit = ++hits_[seam];
  ++spent_;
  // A turn does all that is ready, and what that makes ready: without its claims it ends.
  if (spent_ > setting_.budget && seam == Seam::listener_after_receive) loseLeases();
  if (crashAt_ == seam) {
    crashAt_.reset();
    crash();
    forgives_ = true;
    return false;
  }
  for (auto& fault : faults_) {
    if (fault.seam != seam || fault.spent() || hit < fault.hit) continue;
    ++fault.used;
    switch (fault.kind) {
      case Fault::Kind::Crash:
        crash();
        return false;
      case Fault::Kind::Stall:
        clock_.advance(fault.by);
        break;
      case Fault::Kind::UnknownCommit:
        return true;
      case Fault::Kind::LoseLease:
        loseLeases();
        break;
      default:
        throw Failed(fault.code, "injected at " + std::string(toString(seam)));
    }
  }
  return false;
}

void World::loseLeases() {
  auto rival = openStore({.address = storeFile()}, clock_);
  const Unarmed unarmed(armed_);
  std::vector<OwnerInfo> owners;
  rival->read([&](Snapshot& snapshot) { owners = snapshot.owners(); });
  rival->commit(Durability::Deferred, [&](Unit& unit) {
    for (const auto& owner : owners) unit.removeOwner(owner.id, clock_.now());
  });
}

std::size_t World::attemptsBefore(const Command& command) {
  std::size_t ended = 0;
  store().read([&](Snapshot& snapshot) {
    for (const auto& attempt : snapshot.attempts(command)) {
      if (attempt.outcome != "interrupted" && attempt.outcome != "cancelled") ++ended;
    }
  });
  std::size_t forgiven = 0;
  if (const auto found = forgiven_.find(command.id); found != forgiven_.end()) {
    for (const auto& [generation, attempts] : found->second) forgiven += attempts;
  }
  return ended - std::min(ended, forgiven);
}

}  // namespace tether::scenario
