// Knows the command types of this program and builds a TransactionCommand for each attempt.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "tether/error_handler.hpp"
#include "tether/transaction_command.hpp"
#include "tether/unit.hpp"

namespace tether {

/// How one type is run; what is absent comes from the engine's defaults.
struct CommandSettings {
  std::optional<RetryPolicy> retry;
  std::shared_ptr<const ErrorHandler> errorHandler;  // wins over `retry`
  std::optional<Duration> timeout;                   // of prepare()
  std::optional<Duration> hold;                      // of execute()
  std::optional<Breaker> breaker;
  /// A dead command of this type holds back its key until it is replayed or set aside.
  bool blocksKeyWhenDead = false;
  /// `key` and `validate` are asked by the program that accepts a command, so both hold only for
  /// what programs with these settings submit, or take in from a queue. Whatever else submits the
  /// type, the tool with its tether.json, needs the same key and schema there.
  ///
  /// The order key of a payload; null: unordered unless the request names a key.
  std::function<std::string(const nlohmann::json& payload)> key;
  /// Checks a payload before the receipt is given and may fill in defaults; throws Invalid with the
  /// JSON pointer.
  std::function<void(nlohmann::json& payload)> validate;
  /// The one JSON type ("string", "integer", …) that may stand at a place of the payload, given as
  /// a JSON pointer; empty where there may be several. Null: nobody knows.
  std::function<std::string(const std::string& pointer)> typeAt;
};

/// Thread safety: registrations by one thread, before the engine starts or after it was stopped;
/// while it is started they throw Conflict. Invalid: a setting that is out of its range.
class TransactionCommandBuilder {
 public:
  using Factory = std::function<std::unique_ptr<TransactionCommand>()>;

  /// Registers a type with a factory; `prepares` says that its prepare() does something.
  /// Throws Conflict for a type that is there already. A factory that makes nothing, or throws,
  /// fails the attempt.
  void add(std::string type, Factory factory, bool prepares, CommandSettings settings = {});

  /// The common case: a class, and what its constructor takes (kept and copied for each attempt).
  template <class T, class... Dependencies>
  void add(std::string type, Dependencies... dependencies) {
    constexpr bool prepares =
        !std::is_same_v<decltype(&T::prepare), void (TransactionCommand::*)(PrepareContext&)>;
    add(
        std::move(type), [=] { return std::make_unique<T>(dependencies...); }, prepares);
  }

  /// Declares a type that another program runs: submit accepts it, this listener leaves it alone.
  void declare(std::string type, CommandSettings settings = {});

  /// Replaces the settings of a type that is there. Throws NotFound.
  void configure(const std::string& type, CommandSettings settings);

  bool declares(const std::string& type) const;
  bool builds(const std::string& type) const;
  bool prepares(const std::string& type) const;
  /// Throws NotFound with the nearest right name.
  const CommandSettings& settings(const std::string& type) const;
  std::vector<std::string> types() const;
  /// Throws NotFound for a type that this program does not run.
  std::unique_ptr<TransactionCommand> build(const std::string& type) const;

  /// For the engine, while it is started.
  void seal(bool sealed) { sealed_ = sealed; }

 private:
  void requireOpen(const std::string& type) const;
  struct Entry {
    Factory factory;
    bool prepares = false;
    CommandSettings settings;
  };
  std::string knownTypes() const;
  const Entry& find(const std::string& type) const;

  std::map<std::string, Entry, std::less<>> entries_;
  std::atomic<bool> sealed_{false};
};

}  // namespace tether
