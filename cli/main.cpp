#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "app.hpp"

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  std::cin.tie(nullptr);
  // A closed pipe, or a file at its limit, is an error of the write, not the end.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);

  const tether::cli::Streams streams{
      .in = std::cin,
      .out = std::cout,
      .err = std::cerr,
      .inIsTerminal = isatty(STDIN_FILENO) == 1,
      .outIsTerminal = isatty(STDOUT_FILENO) == 1,
      .errIsTerminal = isatty(STDERR_FILENO) == 1,
  };
  const auto environment = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return {};
    return value;
  };
  return tether::cli::runTool({argv + 1, argv + argc}, streams, environment);
}
