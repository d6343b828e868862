#include "operator.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <array>

#include "tether/text.hpp"

namespace tether::cli {
namespace {

std::string userName(uid_t id) {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> buffer{};
  if (getpwuid_r(id, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    return fmt::format("uid {}", id);  // as in a container
  }
  return found->pw_name;
}

std::string hostName() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "unknown host";
  return name.data();
}

}  // namespace

Operator operatorOf(const Session& session, const std::string& reason) {
  const auto id = geteuid();
  auto name = userName(id);
  // Only root's word counts for who somebody is: anybody can set the variable.
  if (id == 0) name = session.env("SUDO_USER").value_or(name);
  constexpr std::size_t kBytesMax = std::size_t{16} * 1024;
  return {.name = std::move(name),
          .from = fmt::format("{} pid {} tether", hostName(), getpid()),
          .reason = keptText(reason, kBytesMax)};
}

}  // namespace tether::cli
