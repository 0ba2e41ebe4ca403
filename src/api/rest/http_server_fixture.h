// For tests of the HTTP server: an application that answers with what it got, a client that speaks
// in bytes, and the server between them.
#pragma once

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/rest/http_server.h"

namespace akidb::rest {

using std::chrono::milliseconds;

// Says how much it got, and whether it was all 'y'. An 'n' ends it.
class Counter final : public HttpBodySink {
 public:
  Status Append(std::string_view piece) override {
    bytes_ += piece.size();
    if (piece.find_first_not_of('y') == piece.npos) return OkStatus();
    return InvalidArgumentError("not y");
  }
  std::string text() const { return "got " + std::to_string(bytes_); }

 private:
  size_t bytes_ = 0;
};

// 5 MiB; or says so and has less.
class Letters final : public HttpBodySource {
 public:
  explicit Letters(bool is_short) : is_short_(is_short) {}
  uint64_t bytes() const override { return 5u << 20; }
  Result<size_t> Read(uint64_t offset, std::span<char> out) override {
    if (is_short_ && offset >= (1u << 20)) return size_t{0};
    for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<char>('a' + (offset + i) % 26);
    return out.size();
  }

 private:
  const bool is_short_;
};

// Answers with what it got. "/pool" on the pool; "/wait" there, until its context is cancelled or
// Release is called.
class Echo final : public HttpApplication {
 public:
  HttpReception Receive(const HttpRequest& request) override {
    if (!request.target.starts_with("/sink")) return {};
    HttpReception reception;
    reception.sink = std::make_shared<Counter>();
    reception.bytes_max = 20u << 20;
    if (request.target == "/sink/refused") reception.refusal.emplace().status = 403;
    return reception;
  }

  std::variant<HttpResponse, HttpJob> Begin(const HttpRequest& request) override {
    if (request.target.starts_with("/source")) {
      HttpResponse response;
      response.source = std::make_shared<Letters>(request.target == "/source/short");
      return response;
    }
    if (request.sink) {
      HttpResponse response;
      response.body = static_cast<Counter&>(*request.sink).text();
      return response;
    }
    if (request.target == "/large") {
      HttpResponse response;
      response.body.assign(8u << 20, 'x');
      return response;
    }
    if (request.target == "/huge") {
      HttpResponse response;
      response.body.assign(64u << 20, 'x');  // more than a socket keeps
      return response;
    }
    if (!request.target.starts_with("/pool") && !request.target.starts_with("/wait")) {
      return Show(request);
    }
    HttpJob job;
    job.run = [this](const HttpRequest& arrived, const RequestContext& context) {
      if (arrived.target.starts_with("/wait")) {
        waiting_.store(true);
        waiting_.notify_all();
        while (!context.cancelled() && !released_) std::this_thread::yield();
        if (context.cancelled()) cancelled_.set_value();
      }
      return Show(arrived);
    };
    return job;
  }

  HttpResponse Refuse(const HttpRequest&, const Status& reason) override {
    HttpResponse response;
    response.status = reason.code() == ErrorCode::kTooLarge            ? 413
                      : reason.code() == ErrorCode::kResourceExhausted ? 429
                      : reason.code() == ErrorCode::kDeadlineExceeded  ? 408
                      : reason.code() == ErrorCode::kUnavailable       ? 503
                                                                       : 400;
    response.body = std::string(reason.message());
    return response;
  }

  void AwaitWaiting() { waiting_.wait(false); }
  void Release() { released_ = true; }
  std::future<void> cancelled() { return cancelled_.get_future(); }

 private:
  static HttpResponse Show(const HttpRequest& request) {
    HttpResponse response;
    response.body =
        request.method + " " + request.target + " " + std::to_string(request.body.size());
    if (request.body.size() < 100) response.body += " " + request.body;
    return response;
  }

  std::atomic<bool> waiting_{false};
  std::atomic<bool> released_{false};
  std::promise<void> cancelled_;
};

constexpr int kWindow = 256 << 10;  // small beside a large answer

class Client {
 public:
  // `window`: the bytes of answers that its side of the connection keeps; 0: what is usual.
  explicit Client(uint16_t port, int window = 0) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    if (window > 0) setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &window, sizeof(window));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    timeval limit{20, 0};  // so that a test fails and doesn't hang
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  ~Client() { ::close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  int socket() const { return socket_; }
  void ShutDown() { ::shutdown(socket_, SHUT_WR); }

  // One answer; empty when the connection has ended.
  std::string Head() { return Until("\r\n\r\n"); }
  std::string Answer() {
    std::string head = Head();
    return head + Body(head);
  }
  // The body that belongs to it.
  std::string Body(const std::string& head) {
    size_t at = head.find("content-length: ");
    if (at == head.npos) return "";
    size_t length = std::stoul(head.substr(at + 16));
    while (arrived_.size() < length && More()) {
    }
    std::string body = arrived_.substr(0, length);
    arrived_.erase(0, length);
    return body;
  }
  // What has arrived of `bytes` at least; fewer at the end.
  size_t Take(size_t bytes) {
    while (arrived_.size() < bytes && More()) {
    }
    return arrived_.size();
  }
  // Waits for the end and tells whether it came.
  bool Ended() {
    while (More()) {
    }
    return end_;
  }

 private:
  bool More() {
    char buffer[65536];
    ssize_t got = ::recv(socket_, buffer, sizeof(buffer), 0);
    if (got == 0 || (got < 0 && errno == ECONNRESET)) end_ = true;
    if (got > 0) arrived_.append(buffer, static_cast<size_t>(got));
    return got > 0;
  }
  std::string Until(std::string_view mark) {
    while (arrived_.find(mark) == arrived_.npos) {
      if (!More()) return "";
    }
    size_t size = arrived_.find(mark) + mark.size();
    std::string text = arrived_.substr(0, size);
    arrived_.erase(0, size);
    return text;
  }

  int socket_;
  std::string arrived_;
  bool end_ = false;
};

class HttpServerTest : public testing::Test {
 protected:
  void Start(HttpServerOptions options = {}) {
    auto server = HttpServer::Start(std::move(options), echo_, pool_, *log_);
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    server_ = std::move(*server);
  }

  std::string Ask(std::string_view bytes) {
    Client client(server_->port());
    client.Send(bytes);
    return client.Answer();
  }

  Echo echo_;
  std::unique_ptr<Logger> log_ = MakeNullLogger();
  RequestPool pool_{{.name = "request", .threads = 2, .queue_max = 2}};
  std::unique_ptr<HttpServer> server_;
};

inline std::string Get(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nhost: x\r\n\r\n";
}

inline bool Contains(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

}  // namespace akidb::rest
