#include <doctest/doctest.h>

#include "catalog/order_key.hpp"
#include "catalog/sql_command.hpp"
#include "unit/thrown.hpp"

namespace tether {
namespace {

using nlohmann::json;

class RecordingSql final : public Sql {
 public:
  std::int64_t run(std::string_view text, const json& params) override {
    sql = text;
    bound = params;
    return 0;
  }
  json query(std::string_view, const json&) override { return json::array(); }

  std::string sql;
  json bound;
};

class FakeContext final : public CommandContext {
 public:
  explicit FakeContext(json payload) : payload_(std::move(payload)) {}
  const Command& command() const override { return command_; }
  const json& payload() const override { return payload_; }
  int attempt() const override { return 1; }
  Time now() const override { return {}; }
  Time deadline() const override { return {}; }
  std::stop_token stopToken() const override { return {}; }
  RecordingSql& sql() override { return sql_; }
  EventCollector& events() override { return events_; }
  Receipt submit(CommandRequest) override { return {}; }

 private:
  Command command_;
  json payload_;
  RecordingSql sql_;
  EventCollector events_;
};

std::shared_ptr<const SqlCommandText> textOf(const std::string& sql,
                                             std::map<std::string, json> optional = {}) {
  return std::make_shared<SqlCommandText>(
      SqlCommandText{SqlScript("a.sql", sql), std::move(optional)});
}

}  // namespace

TEST_CASE("a script runs with the payload's members as parameters") {
  FakeContext context({{"id", "o-1"}, {"lines", {1, 2}}});
  SqlCommand(textOf("SELECT :id")).execute(context);
  CHECK(context.sql().sql == "SELECT :id");
  CHECK(context.sql().bound == context.payload());
}

TEST_CASE("an absent optional member binds its default or null") {
  FakeContext context({{"id", "o-1"}, {"note", "hi"}});
  SqlCommand(textOf("SELECT :id, :quantity, :coupon, :note",
                    {{"quantity", 1}, {"coupon", nullptr}, {"note", nullptr}, {"unused", 9}}))
      .execute(context);
  CHECK(context.sql().bound ==
        json{{"id", "o-1"}, {"note", "hi"}, {"quantity", 1}, {"coupon", nullptr}});
}

TEST_CASE("a payload that leaves a parameter open is refused before it is accepted") {
  const auto text = textOf("SELECT :id, :customer, :coupon", {{"coupon", nullptr}});
  CHECK(thrown([&] {
          text->check({{"id", 1}});
        }) == "invalid: payload/customer: is missing; a.sql binds it as :customer");
  CHECK(thrown([&] { text->check({{"id", 1}, {"customer", nullptr}, {"more", 1}}); }) == "nothing");
  CHECK(thrown([&] { text->check(json::array({1})); }) ==
        "invalid: payload: must be an object, not an array");
}

TEST_CASE("an order key is taken from the payload as text") {
  const auto key = orderKeyAt(json::json_pointer("/order/customer"));
  CHECK(key({{"order", {{"customer", "c-1"}}}}) == "c-1");
  CHECK(key({{"order", {{"customer", 42}}}}) == "42");
  CHECK(orderKeyAt(json::json_pointer("/0"))(json::array({"first"})) == "first");
}

TEST_CASE("a payload without a usable order key is refused") {
  struct Case {
    json customer;
    const char* problem;
  };
  const Case cases[] = {
      {nullptr, "payload/customer: is the order key, so it must be a string or a number, not null"},
      {json::object(), "must be a string or a number, not an object"},
      {true, "must be a string or a number, not true"},
      {"", "so it must not be empty"},
      {"a\nb", "so it must not have control characters"},
      {std::string(256, 'x'), "so it has at most 255 bytes"},
  };
  const auto key = orderKeyAt(json::json_pointer("/customer"));
  for (const Case& one : cases) {
    const std::string problem = thrown([&] { key({{"customer", one.customer}}); });
    CAPTURE(problem);
    CHECK(problem.find(one.problem) != std::string::npos);
  }
  CHECK(thrown([&] {
          key({{"id", 1}});
        }) == "invalid: payload/customer: is missing; the order key is taken from there");
  CHECK(thrown([&] { key("text"); }).find("is missing") != std::string::npos);
}

}  // namespace tether
