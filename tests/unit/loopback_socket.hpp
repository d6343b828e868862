// A socket on 127.0.0.1 that servers of tests listen on, and how they read and write.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace tether::testing {

class LoopbackSocket {
 public:
  LoopbackSocket() {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, any, size) != 0 || ::listen(listener_, 64) != 0) std::abort();
    if (::getsockname(listener_, any, &size) != 0) std::abort();
    port_ = ntohs(address.sin_port);
  }
  ~LoopbackSocket() { ::close(listener_); }
  LoopbackSocket(const LoopbackSocket&) = delete;
  LoopbackSocket& operator=(const LoopbackSocket&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  /// A client; negative once shutDown() was called.
  int accept() const { return ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC); }
  void shutDown() const { ::shutdown(listener_, SHUT_RDWR); }

 private:
  int listener_ = -1;
  int port_ = 0;
};

/// False: the client has hung up.
inline bool readMore(int client, std::string& text) {
  char block[16384];
  const auto count = ::recv(client, block, sizeof block, 0);
  if (count > 0) text.append(block, static_cast<std::size_t>(count));
  return count > 0;
}

inline bool writeAll(int client, const std::string& text) {
  std::size_t sent = 0;
  while (sent < text.size()) {
    const auto count = ::send(client, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) return false;
    sent += static_cast<std::size_t>(count);
  }
  return true;
}

}  // namespace tether::testing
