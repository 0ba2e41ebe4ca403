// What the transport and the application exchange: a request that has arrived whole, the answer to
// it, and the interface between the two. Free of any HTTP library.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/request_context.h"
#include "base/status.h"

namespace akidb::rest {

// Takes a body as it arrives, so that it needn't be kept in memory.
class HttpBodySink {
 public:
  virtual ~HttpBodySink() = default;
  // The next bytes, on a thread of the request pool, one call at a time. An error refuses the rest.
  virtual Status Append(std::string_view piece) = 0;
};

// Gives the body of an answer while it is sent.
class HttpBodySource {
 public:
  virtual ~HttpBodySource() = default;
  // Of the whole body.
  virtual uint64_t bytes() const = 0;
  // Fills `out` from `offset` on, or what there is of it; on a thread of the request pool, or of
  // the connection where the pool is full. The answer has begun: an error, and nothing, cut it off.
  virtual Result<size_t> Read(uint64_t offset, std::span<char> out) = 0;
};

struct HttpRequest {
  std::string method;   // as sent: "GET"
  std::string target;   // as sent: path and query, not decoded
  std::string host;     // header; empty when absent
  std::string origin;   // likewise
  std::string recall;   // header x-akidb-recall; empty when absent
  std::string explain;  // header x-akidb-explain
  std::string api_key;  // header api-key, else a bearer token; empty when absent
  std::string content_type;
  std::string accept_encoding;  // header lines joined by commas; empty when absent
  std::string body;             // decoded from chunks
  // Has the body, if there is one. Shared with the thread that it takes a piece on.
  std::shared_ptr<HttpBodySink> sink;
  bool preflight = false;                       // has Access-Control-Request-Method
  bool from_loopback = false;                   // the client is on this machine
  std::chrono::steady_clock::time_point start;  // when its header was complete

  // For the connection's next request: what this one carried, its key above all, must not be taken
  // for the next one's. The memory of the texts stays.
  void Reset() {
    for (std::string* text : {&method, &target, &host, &origin, &recall, &explain, &api_key,
                              &content_type, &accept_encoding, &body}) {
      text->clear();
    }
    sink = nullptr;
    preflight = from_loopback = false;
    start = {};
  }
};

struct HttpResponse {
  int status = 200;
  std::string_view content_type = "application/json";  // static text
  std::string headers;  // further complete lines, "name: value\r\n" each
  std::string body;
  // In the place of the body. Shared with the thread that reads from it.
  std::shared_ptr<HttpBodySource> source;
};

// Where the body of a request goes.
struct HttpReception {
  std::shared_ptr<HttpBodySink> sink{};   // none: into HttpRequest::body
  uint64_t bytes_max = 0;                 // with a sink: 413 beyond
  std::optional<HttpResponse> refusal{};  // the body isn't wanted
};

// What can't be answered on an I/O thread.
struct HttpJob {
  RequestContext::SteadyTime deadline = RequestContext::SteadyTime::max();
  // Called once, on a thread of the request pool, with the request that was given to Begin (it has
  // moved: keep no references into it). The context is cancelled when the client has gone.
  std::function<HttpResponse(const HttpRequest& request, const RequestContext& context)> run;
};

// Thread-safe; none of its functions throws. It outlives the server.
class HttpApplication {
 public:
  virtual ~HttpApplication() = default;
  // Of a request with a body, which has not been read yet. Both on an I/O thread: must neither wait
  // nor compute for long.
  virtual HttpReception Receive(const HttpRequest& request) = 0;
  virtual std::variant<HttpResponse, HttpJob> Begin(const HttpRequest& request) = 0;
  // The answer to a request that the transport refuses: broken HTTP (kMalformed), over a limit
  // (kTooLarge, kResourceExhausted), too slow (kDeadlineExceeded). `request` holds what had
  // arrived.
  virtual HttpResponse Refuse(const HttpRequest& request, const Status& reason) = 0;
};

}  // namespace akidb::rest
