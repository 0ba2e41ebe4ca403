#include "socket_fuzz.h"

#include <algorithm>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "byte_changes.h"
#include "request_maker.h"

namespace akidb::fuzz {
namespace {

constexpr int kAnswerSecondsMax = 20;

constexpr const char* kHeaders[] = {"content-length: 5",
                                    "content-length: -1",
                                    "content-length: 99999999999999999999",
                                    "transfer-encoding: chunked",
                                    "transfer-encoding: gzip",
                                    "connection: close",
                                    "connection: keep-alive",
                                    "expect: 100-continue",
                                    "expect: x",
                                    "content-encoding: gzip",
                                    "host: a",
                                    "host: b",
                                    "accept-encoding: gzip",
                                    "origin: http://localhost:1",
                                    "access-control-request-method: PUT",
                                    "x-akidb-recall: 0.9",
                                    "x-akidb-explain: true",
                                    "api-key: x",
                                    "authorization: Bearer x.y.z",
                                    "content-type: text/plain",
                                    ": ",
                                    "x",
                                    "x: \x01",
                                    "upgrade: h2c"};

// As it is sent, mostly right.
std::string HttpOf(const std::string& text, Choices& choices) {
  const rest::HttpRequest request = FromText(text);
  std::string out = request.method + " " + request.target +
                    (choices.OneIn(20) ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
  out += "host: localhost\r\n";
  for (size_t i = choices.Below(4); i > 0; --i) {
    out += choices.Of(kHeaders);
    out += "\r\n";
  }
  if (!request.body.empty() && choices.OneIn(3)) {
    out += "transfer-encoding: chunked\r\n\r\n";
    for (size_t at = 0; at < request.body.size();) {
      const size_t length = std::min(1 + choices.Below(64), request.body.size() - at);
      constexpr char kDigits[] = "0123456789abcdef";
      if (length >= 16) out += kDigits[length / 16];
      out += kDigits[length % 16];
      out.append("\r\n").append(request.body, at, length).append("\r\n");
      at += length;
    }
    return out + "0\r\n\r\n";
  }
  return out + "content-length: " + std::to_string(request.body.size()) + "\r\n\r\n" + request.body;
}

int Connect(uint16_t port) {
  const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval patience{kAnswerSecondsMax, 0};
  setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    return client;
  }
  close(client);
  return -1;
}

}  // namespace

SocketFuzz::SocketFuzz() : pool_({.name = "request", .threads = 1}) {}

Result<std::unique_ptr<SocketFuzz>> SocketFuzz::Start(rest::HttpApplication& application,
                                                      Logger& log) {
  auto fuzz = std::unique_ptr<SocketFuzz>(new SocketFuzz());
  rest::HttpServerOptions options;
  options.body_bytes_max = 1u << 20;
  options.head_timeout = std::chrono::milliseconds(500);
  options.transfer_timeout = std::chrono::milliseconds(500);
  options.answer_window = std::chrono::milliseconds(500);
  options.linger_timeout = std::chrono::milliseconds(100);
  options.sweep_interval = std::chrono::milliseconds(100);
  AKIDB_ASSIGN_OR_RETURN(fuzz->server_,
                         rest::HttpServer::Start(options, application, fuzz->pool_, log));
  return fuzz;
}

std::string SocketFuzz::Exchange(const std::string& bytes, Choices& choices, bool& done) {
  done = false;
  const int client = Connect(server_->port());
  if (client < 0) return "";
  const bool in_pieces = choices.OneIn(4);
  for (size_t at = 0; at < bytes.size();) {
    const size_t length =
        in_pieces ? std::min(1 + choices.Below(300), bytes.size() - at) : bytes.size() - at;
    const ssize_t sent = send(client, bytes.data() + at, length, MSG_NOSIGNAL);
    if (sent <= 0) break;  // refused and closed before all was sent
    at += static_cast<size_t>(sent);
  }
  shutdown(client, SHUT_WR);
  std::string answer;
  char buffer[16384];
  for (;;) {
    const ssize_t got = recv(client, buffer, sizeof buffer, 0);
    if (got > 0) {
      answer.append(buffer, static_cast<size_t>(got));
      continue;
    }
    // An end, or a reset: what was sent after the refusal was not read.
    done = got == 0 || errno == ECONNRESET;
    break;
  }
  close(client);
  return answer;
}

std::string SocketFuzz::Try(const std::string& first, const std::string& second, Choices& choices,
                            std::string& sent) {
  sent = HttpOf(first, choices);
  if (choices.OneIn(3)) sent += HttpOf(second, choices);
  if (!choices.OneIn(5)) sent = ChangeBytes(std::move(sent), second, choices);
  bool done = false;
  const std::string answer = Exchange(sent, choices, done);
  if (!done) return "no end of the answer within " + std::to_string(kAnswerSecondsMax) + " s";
  if (answer.find("HTTP/1.1 500") != answer.npos) return "answered 500: " + answer;
  if (!answer.empty() && !answer.starts_with("HTTP/1.")) return "no HTTP: " + answer.substr(0, 200);
  return "";
}

bool SocketFuzz::IsAlive() {
  Choices choices(0);
  bool done = false;
  const std::string answer =
      Exchange("GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", choices, done);
  return answer.starts_with("HTTP/1.1 200");
}

}  // namespace akidb::fuzz
