#include "conformance/temp_folder.hpp"
#include "conformance/transport_conformance.hpp"
#include "tether/sqlite_store.hpp"
#include "tether/store.hpp"

namespace {

/// The queue keeps its store open.
std::shared_ptr<tether::Transport> openQueue(const std::string& path, bool writerThread,
                                             const tether::Clock& clock) {
  const std::shared_ptr<tether::Store> store =
      tether::openSqliteStore({.path = path, .create = true}, clock);
  if (writerThread) store->startWriter();
  return {store->openQueue("q").release(), [store](tether::Transport* queue) { delete queue; }};
}

tether::conformance::TransportUnderTest inFile(bool writerThread) {
  const auto folder = std::make_shared<tether::conformance::TempFolder>();
  const auto open = [folder, writerThread](const tether::Clock& clock) {
    return openQueue(folder->file("store.db"), writerThread, clock);
  };
  return {.make = open, .reopen = open};
}

tether::conformance::TransportUnderTest inMemory() {
  return {.make = [](const tether::Clock& clock) { return openQueue(":memory:", false, clock); }};
}

}  // namespace

#define TETHER_TRANSPORT_NAME "local"
#define TETHER_TRANSPORT inFile(false)
TETHER_TRANSPORT_PROMISES(TETHER_TRANSPORT_TEST)

#undef TETHER_TRANSPORT_NAME
#undef TETHER_TRANSPORT
#define TETHER_TRANSPORT_NAME "local with a writer thread"
#define TETHER_TRANSPORT inFile(true)
TETHER_TRANSPORT_PROMISES(TETHER_TRANSPORT_TEST)

#undef TETHER_TRANSPORT_NAME
#undef TETHER_TRANSPORT
#define TETHER_TRANSPORT_NAME "local in memory"
#define TETHER_TRANSPORT inMemory()
TETHER_TRANSPORT_PROMISES(TETHER_TRANSPORT_TEST)
