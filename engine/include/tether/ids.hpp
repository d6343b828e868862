// Ids: unique text for the outside. Ours are UUIDv7 (RFC 9562), so that they sort by time.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "tether/clock.hpp"

namespace tether {

/// A source of random bits. Thread safety: from any thread.
class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t next() = 0;
  /// Uniform in [0, 1).
  double unit();
};

/// The operating system's randomness. Lives as long as the program.
Random& systemRandom();

/// The same seed gives the same sequence: for tests, scenarios and simulation.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() override;

 private:
  std::mutex mutex_;
  std::uint64_t state_;
};

/// Makes UUIDv7 text ids: increasing within one generator, also inside a millisecond.
/// Thread safety: from any thread.
class IdGenerator {
 public:
  IdGenerator(const Clock& clock, Random& random) : clock_(clock), random_(random) {}
  std::string next();

 private:
  const Clock& clock_;
  Random& random_;
  std::mutex mutex_;
  std::uint64_t lastMillis_ = 0;
  std::uint32_t counter_ = 0;
};

/// An id that is a pure function of its cause and a role, so that a crash and a second try make the
/// same one. It keeps the time prefix of a UUID cause, because random ids are slow in large tables.
std::string deriveId(std::string_view cause, std::string_view role);

/// Ids that callers bring: 1 to 128 of A-Z a-z 0-9 . _ : -. Throws Invalid that names `what`.
void checkId(std::string_view what, std::string_view id);

}  // namespace tether
