// What a host implements: one class a command type.
#pragma once

#include <exception>
#include <nlohmann/json.hpp>
#include <optional>
#include <stop_token>
#include <string>

#include "tether/clock.hpp"
#include "tether/command.hpp"
#include "tether/event_collector.hpp"
#include "tether/sql.hpp"

namespace tether {

/// A business answer ("out of stock"): rolled back, never retried, no dead letter.
class Rejected : public std::exception {
 public:
  Rejected(std::string code, std::string message) : failure_{std::move(code), std::move(message)} {}
  const Failure& failure() const noexcept { return failure_; }
  const char* what() const noexcept override { return failure_.message.c_str(); }

 private:
  Failure failure_;
};

/// This attempt failed, with a code for the ErrorHandler. Any other exception is code "exception".
class Failed : public std::exception {
 public:
  /// `retryAfter`: if there is another attempt it is not made sooner, as when a server says so.
  Failed(std::string code, std::string message, std::optional<Duration> retryAfter = {})
      : failure_{std::move(code), std::move(message)}, retryAfter_(retryAfter) {}
  const Failure& failure() const noexcept { return failure_; }
  std::optional<Duration> retryAfter() const noexcept { return retryAfter_; }
  const char* what() const noexcept override { return failure_.message.c_str(); }

 private:
  Failure failure_;
  std::optional<Duration> retryAfter_;
};

/// What both parts of a command can ask.
class AttemptContext {
 public:
  virtual ~AttemptContext() = default;
  virtual const Command& command() const = 0;
  virtual const nlohmann::json& payload() const = 0;
  virtual int attempt() const = 0;
  virtual Time now() const = 0;
  /// When to give up; the stop token says so too, earlier at a shutdown or a cancel. A prepare()
  /// that heeds neither keeps its command, and an engine that is destroyed waits for it.
  virtual Time deadline() const = 0;
  virtual std::stop_token stopToken() const = 0;
  [[noreturn]] void reject(std::string code, std::string message) const;
  [[noreturn]] void fail(std::string code, std::string message,
                         std::optional<Duration> retryAfter = {}) const;
};

/// Given to prepare(): no transaction, a read connection of its own.
class PrepareContext : public AttemptContext {
 public:
  virtual Sql& sql() = 0;
};

/// Given to execute(): everything said here commits together, or not at all.
class CommandContext : public AttemptContext {
 public:
  virtual Sql& sql() = 0;
  virtual EventCollector& events() = 0;
  /// Submits a command in this transaction, in the same flow unless the request names another. The
  /// only way from here: CommandApi::submit would wait for the transaction that this one runs in.
  virtual Receipt submit(CommandRequest request) = 0;
};

/// Something that can be run in a transaction.
class Invokable {
 public:
  virtual ~Invokable() = default;
  /// Runs on the writer thread, where everybody's writes wait for it: SQL and events only, bounded
  /// by `hold`. May run twice for one attempt (when a neighbour breaks the batch), so it must not
  /// change anything but the database. Throw Rejected or Failed (or call reject, fail) to end
  /// without effect.
  virtual void execute(CommandContext& context) = 0;
};

/// One object is made for each attempt; prepare() and execute() see the same one.
class TransactionCommand : public Invokable {
 public:
  /// Optional slow part and I/O: runs on a worker thread, bounded by `timeout`, never twice in one
  /// attempt. What it finds is kept in members for execute().
  virtual void prepare(PrepareContext& context);
};

}  // namespace tether
