// The application that the crash tests run: commands whose effects can be counted, and that
// misbehave as their payload says, always after they have written.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tether/engine.hpp"

namespace crash {

/// Lines that survive the kill of this process: one write each, at the end of the file.
class LineFile {
 public:
  explicit LineFile(const std::string& path) {
    if (path.empty()) return;
    file_ = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (file_ < 0) throw std::runtime_error("cannot write " + path);
  }
  ~LineFile() {
    if (file_ >= 0) ::close(file_);
  }
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;

  void add(const nlohmann::json& value) const {
    if (file_ < 0) return;
    const auto line = value.dump() + "\n";
    if (::write(file_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::abort();
  }

 private:
  int file_ = -1;
};

inline std::vector<tether::Migration> migrations() {
  // No UNIQUE on command_id: a doubled effect must be seen, not prevented.
  return {{"001_orders",
           "CREATE TABLE orders (seq INTEGER PRIMARY KEY AUTOINCREMENT, command_id TEXT NOT NULL,"
           " pid INTEGER NOT NULL);"
           "CREATE TABLE shipments (seq INTEGER PRIMARY KEY AUTOINCREMENT,"
           " command_id TEXT NOT NULL);"
           "CREATE TABLE accounts (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL);"
           "INSERT INTO accounts VALUES (0, 0), (1, 0), (2, 0), (3, 0);"}};
}

/// One row, one update, one event; then what the payload asks for:
/// {"account", "failAttempts", "failGenerations", "reject", "abort"}.
class Order : public tether::TransactionCommand {
 public:
  explicit Order(std::shared_ptr<LineFile> starts) : starts_(std::move(starts)) {}

  void execute(tether::CommandContext& ctx) override {
    const auto& command = ctx.command();
    const auto& payload = ctx.payload();
    starts_->add({{"commandId", command.id}, {"generation", command.generation}});
    ctx.sql().run("INSERT INTO orders (command_id, pid) VALUES (:id, :pid)",
                  {{"id", command.id}, {"pid", ::getpid()}});
    ctx.sql().run("UPDATE accounts SET balance = balance + 1 WHERE id = :id",
                  {{"id", payload.value("account", 0)}});
    ctx.events().add("OrderPlaced", {{"command", command.id}});
    if (payload.value("abort", false)) std::abort();
    if (payload.value("reject", false)) ctx.reject("refused", "this order asks to be refused");
    if (ctx.attempt() <= payload.value("failAttempts", 0)) ctx.fail("flaky", "not yet");
    if (command.generation < payload.value("failGenerations", 0)) {
      throw std::runtime_error("this order fails until it is replayed");
    }
  }

 private:
  std::shared_ptr<LineFile> starts_;
};

/// The same with slow work before: {"waitFor": path} waits until the file is there, and
/// {"abortInPrepare": true} kills the process.
class PreparedOrder final : public Order {
 public:
  PreparedOrder(std::shared_ptr<LineFile> starts, std::shared_ptr<LineFile> prepares)
      : Order(std::move(starts)), prepares_(std::move(prepares)) {}

  void prepare(tether::PrepareContext& ctx) override {
    prepares_->add({{"commandId", ctx.command().id}, {"generation", ctx.command().generation}});
    if (ctx.payload().value("abortInPrepare", false)) std::abort();
    const auto rows = ctx.sql().query("SELECT count(*) AS orders FROM orders");
    if (rows.size() != 1) throw std::logic_error("a count has one row");
    const auto awaited = ctx.payload().value("waitFor", std::string());
    while (!awaited.empty() && !std::filesystem::exists(awaited)) {
      if (ctx.stopToken().stop_requested()) ctx.fail("stopped", "told to stop");
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
  }

 private:
  std::shared_ptr<LineFile> prepares_;
};

/// The reaction to OrderPlaced.
class Ship final : public tether::TransactionCommand {
 public:
  void execute(tether::CommandContext& ctx) override {
    ctx.sql().run("INSERT INTO shipments (command_id) VALUES (:id)", {{"id", ctx.command().id}});
    ctx.events().add("Shipped", ctx.payload());
  }
};

/// Submits two orders in its own transaction; with "reject" it does so in vain.
class Bundle final : public tether::TransactionCommand {
 public:
  void execute(tether::CommandContext& ctx) override {
    for (int account = 0; account < 2; ++account) {
      ctx.submit({.type = "Order", .payload = {{"account", account}}});
    }
    ctx.events().add("Bundled", {{"command", ctx.command().id}});
    if (ctx.payload().value("reject", false)) ctx.reject("refused", "this bundle was in vain");
  }
};

}  // namespace crash
