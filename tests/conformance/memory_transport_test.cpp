#include "tether/memory_transport.hpp"

#include "conformance/transport_conformance.hpp"

namespace {

tether::conformance::TransportUnderTest inProcess() {
  return {.make = tether::makeMemoryTransport};
}

}  // namespace

#define TETHER_TRANSPORT_NAME "memory"
#define TETHER_TRANSPORT inProcess()
TETHER_TRANSPORT_PROMISES(TETHER_TRANSPORT_TEST)
