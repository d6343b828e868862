// A server on 127.0.0.1 that answers HTTP byte for byte as a test says: keeps connections, serves
// several at once, and hangs up where there is nothing to say.
#pragma once

#include <algorithm>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "unit/loopback_socket.hpp"

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
    acceptor_ = std::thread([this] { accept(); });
  }
  ~WireServer() {
    socket_.shutDown();
    acceptor_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const int client : clients_) ::shutdown(client, SHUT_RDWR);
    }
    for (auto& thread : threads_) thread.join();
    for (const int client : clients_) ::close(client);
  }
  WireServer(const WireServer&) = delete;
  WireServer& operator=(const WireServer&) = delete;

  std::string url() const { return socket_.url(); }
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
      const int client = socket_.accept();
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
        writeAll(client, "HTTP/1.1 100 Continue\r\n\r\n");
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
      if (answer.empty() || !writeAll(client, answer)) return;
      if (answer.find("Connection: close") != std::string::npos) return;
    }
  }

  static std::size_t contentLength(const std::string& head) {
    const std::string name = "Content-Length: ";
    const auto at = head.find(name);
    return at == std::string::npos ? 0 : std::stoul(head.substr(at + name.size()));
  }

  Answer answer_;
  LoopbackSocket socket_;
  mutable std::mutex mutex_;
  std::vector<int> clients_;
  std::vector<Request> seen_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace tether::testing
