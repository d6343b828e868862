// A command in C++ that needs something from outside, a payment gateway.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <tether/transaction_command.hpp>
#include <utility>

/// The dependency: a real program has one that talks HTTP, a test one that answers as told.
class PaymentGateway {
 public:
  virtual ~PaymentGateway() = default;
  /// Charging twice with one `reference` charges once: an attempt that died is simply tried again.
  virtual std::string charge(const std::string& reference, std::int64_t cents) = 0;
};

class ChargeCard final : public tether::TransactionCommand {
 public:
  explicit ChargeCard(std::shared_ptr<PaymentGateway> gateway) : gateway_(std::move(gateway)) {}

  // Slow work: on a worker thread, outside of any transaction.
  void prepare(tether::PrepareContext& ctx) override {
    const auto orders = ctx.sql().query("SELECT quantity * 350 AS cents FROM orders WHERE id = :id",
                                        {{"id", ctx.payload().at("id")}});
    if (orders.empty()) ctx.reject("no_order", "there is no such order");
    cents_ = orders.front().at("cents").get<std::int64_t>();
    approval_ = gateway_->charge(ctx.command().id, cents_);
  }

  // The effect: in the transaction that also records the event and the status.
  void execute(tether::CommandContext& ctx) override {
    ctx.sql().run(
        "INSERT INTO payments (order_id, cents, approval) VALUES (:id, :cents, :approval)",
        {{"id", ctx.payload().at("id")}, {"cents", cents_}, {"approval", approval_}});
    ctx.events().add("CardCharged", {{"id", ctx.payload().at("id")}, {"cents", cents_}});
  }

 private:
  std::shared_ptr<PaymentGateway> gateway_;
  std::int64_t cents_ = 0;
  std::string approval_;
};
