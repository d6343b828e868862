// What a piece of code writes to a file descriptor of this process.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>

/// What `act` makes this process write to a file descriptor.
template <typename Act>
std::string written(int descriptor, Act&& act) {
  std::FILE* const file = std::tmpfile();
  REQUIRE(file != nullptr);
  std::fflush(nullptr);
  const int before = dup(descriptor);
  REQUIRE(dup2(fileno(file), descriptor) == descriptor);
  act();
  std::fflush(nullptr);
  dup2(before, descriptor);
  close(before);
  std::array<char, 8192> bytes{};
  const auto size = pread(fileno(file), bytes.data(), bytes.size(), 0);
  std::fclose(file);
  REQUIRE(size >= 0);
  return {bytes.data(), static_cast<std::size_t>(size)};
}
