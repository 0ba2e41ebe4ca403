// The HTTP/1.1 server: sockets, parsing, limits, timeouts, drain. It knows nothing of routes.
//
// N I/O threads run one event loop each; a connection stays on its loop. A request is answered
// there if the application can do so at once, else by a task on the request pool whose answer comes
// back to the loop. Answers keep the order of the requests of their connection (RFC 9112, 9.3.2).
//
// Bounds: connections, header, body, all bodies together, all answers that wait to be taken, and
// time: a client that sends or takes its bytes slower than the limits say is cut off. Timeouts are
// looked at every `sweep_interval`, so that a request costs no timer.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "api/rest/http_message.h"
#include "base/log.h"
#include "base/request_pool.h"
#include "base/status.h"

namespace akidb::rest {

// PEM texts, of which the server keeps no copy.
struct TlsMaterial {
  std::string certificates;  // the server's own first, then those that lead to a known authority
  std::string private_key;   // of the first one, not encrypted
  // Of the authorities one of which must have signed the certificate of a client; empty: clients
  // need none.
  std::string client_authorities;
};

struct HttpServerOptions {
  std::string host = "127.0.0.1";  // an IP address or "localhost"
  uint16_t port = 0;               // 0: a free one
  int io_threads = 1;
  std::optional<TlsMaterial> tls{};                // HTTP in the clear without it; TLS 1.3
  size_t connections_max = 4096;                   // further ones get 503 and are closed
  size_t header_bytes_max = 16u << 10;             // 431 beyond
  size_t body_bytes_max = 32u << 20;               // 413 beyond
  size_t buffered_bytes_max = 256u << 20;          // of all bodies at a time; 429 beyond
  std::chrono::milliseconds idle_timeout{75'000};  // between requests
  std::chrono::milliseconds head_timeout{
      10'000};  // from a request's first byte to its header's end
  // A body gets this long to arrive, and one second more per `transfer_rate_min` bytes.
  std::chrono::milliseconds transfer_timeout{20'000};
  size_t transfer_rate_min = 64u << 10;  // bytes a second
  // Of an answer, the client's machine must acknowledge `answer_rate_min` bytes a second on the
  // average of every `answer_window`; else the connection is closed.
  std::chrono::milliseconds answer_window{20'000};
  size_t answer_rate_min = 16u << 10;
  // Of answers over 16 KiB, from their first byte to their last; 503 in the place of one that
  // doesn't fit beside the others.
  size_t answer_bytes_max = 256u << 20;
  // How long a refused client may still send what nobody reads, so that it sees the answer.
  std::chrono::milliseconds linger_timeout{2'000};
  // How long after Stop a request may still arrive.
  std::chrono::milliseconds drain_timeout{2'000};
  std::chrono::milliseconds sweep_interval{500};
};

// Thread-safe.
class HttpServer {
 public:
  // Listens and serves. `application`, `pool` and `log` outlive the server. kBusy: the port is
  // taken; kInvalidArgument: not an address of this machine, or as RenewTls; kIo: anything else.
  static Result<std::unique_ptr<HttpServer>> Start(HttpServerOptions options,
                                                   HttpApplication& application, RequestPool& pool,
                                                   Logger& log);
  virtual ~HttpServer() = default;  // stops without grace

  // For connections made from now on. Those that there are keep what they were made with.
  // kInvalidArgument: not PEM, a key of another certificate; or the server has no TLS.
  virtual Status RenewTls(const TlsMaterial& material) = 0;

  // The address in use: "127.0.0.1:6333", "[::1]:6333".
  virtual std::string address() const = 0;
  virtual uint16_t port() const = 0;

  // Accepts nothing more and closes idle connections. Requests that have begun to arrive may do so
  // for `drain_timeout`, then get 503; those that are here are answered for as long as `grace`.
  // Then cancels and closes the rest. Returns when all threads have ended.
  virtual void Stop(std::chrono::milliseconds grace) = 0;
};

}  // namespace akidb::rest
