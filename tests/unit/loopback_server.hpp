// An HTTP server on 127.0.0.1 that gives the answers of a test and remembers what it was asked.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "unit/loopback_socket.hpp"

namespace tether::testing {

struct SeenRequest {
  std::string method;
  std::string path;
  std::map<std::string, std::string> headers;  // by lower-case name
  std::string body;

  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
  std::string line() const { return method + ' ' + path; }
};

struct CannedAnswer {
  int status = 200;
  std::string body;
};

class LoopbackServer {
 public:
  using Answer = std::function<CannedAnswer(const SeenRequest&)>;

  /// `answer` runs on the server's thread, one request at a time, a connection each.
  explicit LoopbackServer(Answer answer) : answer_(std::move(answer)) {
    thread_ = std::thread([this] { serve(); });
  }
  ~LoopbackServer() {
    socket_.shutDown();
    thread_.join();
  }
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;

  std::string url() const { return socket_.url(); }

  std::vector<SeenRequest> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  /// "GET /path", in the order of arrival.
  std::vector<std::string> lines() const {
    std::vector<std::string> result;
    for (const auto& request : seen()) result.push_back(request.line());
    return result;
  }

 private:
  void serve() {
    while (true) {
      const int client = socket_.accept();
      if (client < 0) return;
      exchange(client);
      ::close(client);
    }
  }

  void exchange(int client) {
    std::string text;
    while (text.find("\r\n\r\n") == std::string::npos) {
      if (!readMore(client, text)) return;
    }
    auto request = parse(text.substr(0, text.find("\r\n\r\n")));
    request.body = text.substr(text.find("\r\n\r\n") + 4);
    const auto length = request.header("content-length");
    while (!length.empty() && request.body.size() < std::stoul(length)) {
      if (!readMore(client, request.body)) return;
    }
    {
      const std::lock_guard lock(mutex_);
      seen_.push_back(request);
    }
    const auto answer = answer_(request);
    writeAll(client, "HTTP/1.1 " + std::to_string(answer.status) +
                         " Canned\r\nConnection: close\r\nContent-Length: " +
                         std::to_string(answer.body.size()) + "\r\n\r\n" + answer.body);
  }

  static SeenRequest parse(const std::string& head) {
    SeenRequest request;
    std::size_t start = head.find("\r\n");
    const auto first = head.substr(0, start);
    request.method = first.substr(0, first.find(' '));
    request.path = first.substr(request.method.size() + 1);
    request.path.resize(request.path.find(' '));
    while (start != std::string::npos) {
      const auto end = head.find("\r\n", start + 2);
      const auto line = head.substr(start + 2, end == std::string::npos ? end : end - start - 2);
      start = end;
      const auto colon = line.find(": ");
      if (colon == std::string::npos) continue;
      auto name = line.substr(0, colon);
      for (char& c : name) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
      }
      request.headers[name] = line.substr(colon + 2);
    }
    return request;
  }

  Answer answer_;
  LoopbackSocket socket_;
  mutable std::mutex mutex_;
  std::vector<SeenRequest> seen_;
  std::thread thread_;
};

}  // namespace tether::testing
