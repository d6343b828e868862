// A server on 127.0.0.1 that answers HTTP byte for byte as a test says: keeps connections, serves
// several at once, and hangs up where there is nothing to say.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace tether::testing {

/// `status` is "200 OK"; `headers` end in line breaks.
inline std::string httpAnswer(const std::string& status, const std::string& body,
                              const std::string& headers = {}) {
  return "HTTP/1.1 " + status + "\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

class WireServer {
 public:
  struct Request {
    std::string head;
    std::string body;
  };
  /// Runs on the thread of a connection, which hangs up after an answer that is empty or says
  /// "Connection: close". `number` counts requests from 0.
  using Answer = std::function<std::string(const Request& request, std::size_t number)>;

  explicit WireServer(Answer answer) : answer_(std::move(answer)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, any, size) != 0 || ::listen(listener_, 64) != 0) std::abort();
    if (::getsockname(listener_, any, &size) != 0) std::abort();
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept(); });
  }
  ~WireServer() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
    {
      const std::lock_guard lock(mutex_);
      for (const int client : clients_) ::shutdown(client, SHUT_RDWR);
    }
    for (auto& thread : threads_) thread.join();
    for (const int client : clients_) ::close(client);
  }
  WireServer(const WireServer&) = delete;
  WireServer& operator=(const WireServer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::size_t connections() const {
    const std::lock_guard lock(mutex_);
    return clients_.size();
  }
  std::vector<Request> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

 private:
  void accept() {
    for (;;) {
      const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client < 0) return;
      const std::lock_guard lock(mutex_);
      clients_.push_back(client);
      threads_.emplace_back([this, client] {
        serve(client);
        ::shutdown(client, SHUT_RDWR);
      });
    }
  }

  void serve(int client) {
    std::string text;
    for (;;) {
      Request request;
      std::size_t end = 0;
      while ((end = text.find("\r\n\r\n")) == std::string::npos) {
        if (!readMore(client, text)) return;
      }
      request.head = text.substr(0, end);
      text.erase(0, end + 4);
      const auto size = contentLength(request.head);
      if (request.head.find("100-continue") != std::string::npos) {
        write(client, "HTTP/1.1 100 Continue\r\n\r\n");
      }
      while (text.size() < size) {
        if (!readMore(client, text)) return;
      }
      request.body = text.substr(0, size);
      text.erase(0, size);
      std::size_t number = 0;
      {
        const std::lock_guard lock(mutex_);
        number = seen_.size();
        seen_.push_back(request);
      }
      const auto answer = answer_(request, number);
      if (answer.empty() || !write(client, answer)) return;
      if (answer.find("Connection: close") != std::string::npos) return;
    }
  }

  static std::size_t contentLength(const std::string& head) {
    const std::string name = "Content-Length: ";
    const auto at = head.find(name);
    return at == std::string::npos ? 0 : std::stoul(head.substr(at + name.size()));
  }

  static bool readMore(int client, std::string& text) {
    char block[16384];
    const auto count = ::recv(client, block, sizeof block, 0);
    if (count > 0) text.append(block, static_cast<std::size_t>(count));
    return count > 0;
  }

  static bool write(int client, const std::string& text) {
    std::size_t sent = 0;
    while (sent < text.size()) {
      const auto count = ::send(client, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) return false;
      sent += static_cast<std::size_t>(count);
    }
    return true;
  }

  Answer answer_;
  int listener_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::vector<int> clients_;
  std::vector<Request> seen_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace tether::testing
