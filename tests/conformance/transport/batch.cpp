#include "conformance/transport_conformance.hpp"

namespace tether::conformance::transport_promise {

void batchMax(TransportBench& bench) {
  std::vector<OutgoingMessage> batch;
  for (std::size_t at = 0; at < bench.features().batchMax; ++at) {
    batch.push_back(message("m-" + std::to_string(at)));
  }
  const auto results = bench.queue().send(batch);
  REQUIRE(results.size() == batch.size());
  for (const SendResult& result : results) {
    CHECK(result.kind == SendResult::Kind::Sent);
    CHECK(result.error.empty());
  }
  Ids sent;
  for (const OutgoingMessage& message : batch) sent.push_back(message.id);
  CHECK(sorted(bench.drain()) == sorted(sent));
}

void batchEmpty(TransportBench& bench) {
  CHECK(bench.queue().send({}).empty());
  CHECK(bench.quiet());
}

void batchKeepsOthers(TransportBench& bench) {
  std::vector<OutgoingMessage> batch = {message("a"), message("b"), message("c")};
  batch[1].body.assign(bench.features().bodyBytesMax + 1, 'x');
  const auto results = bench.queue().send(batch);
  REQUIRE(results.size() == 3);
  CHECK(results[0].kind == SendResult::Kind::Sent);
  CHECK(results[1].kind == SendResult::Kind::Permanent);
  CHECK_FALSE(results[1].error.empty());
  CHECK(results[2].kind == SendResult::Kind::Sent);
  CHECK(sorted(bench.drain()) == Ids{"a", "c"});
}

void receiveMax(TransportBench& bench) {
  bench.sendAll({message("a"), message("b"), message("c"), message("d"), message("e")});
  Ids all;
  for (const std::size_t max : {2U, 2U, 2U}) {
    const auto got = bench.receive(max);
    CHECK_FALSE(got.empty());
    CHECK(got.size() <= max);
    for (const Delivery& delivery : got) all.push_back(delivery.id);
  }
  CHECK(sorted(all) == Ids{"a", "b", "c", "d", "e"});
}

}  // namespace tether::conformance::transport_promise
