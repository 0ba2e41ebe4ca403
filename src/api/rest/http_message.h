// What the transport and the application exchange: a request that has arrived whole, the answer to
// it, and the interface between the two. Free of any HTTP library.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <variant>

#include "base/request_context.h"
#include "base/status.h"

namespace akidb::rest {

struct HttpRequest {
  std::string method;      // as sent: "GET"
  std::string target;      // as sent: path and query, not decoded
  std::string origin;      // header; empty when absent
  std::string recall;      // header x-akidb-recall; empty when absent
  std::string explain;     // header x-akidb-explain
  std::string api_key;     // header api-key, else a bearer token; empty when absent
  std::string body;        // decoded from chunks
  bool preflight = false;  // has Access-Control-Request-Method
  std::chrono::steady_clock::time_point start;  // when its header was complete

  // For the connection's next request: what this one carried, its key above all, must not be taken
  // for the next one's. The memory of the texts stays.
  void Reset() {
    for (std::string* text : {&method, &target, &origin, &recall, &explain, &api_key, &body}) {
      text->clear();
    }
    preflight = false;
    start = {};
  }
};

struct HttpResponse {
  int status = 200;
  std::string_view content_type = "application/json";  // static text
  std::string headers;  // further complete lines, "name: value\r\n" each
  std::string body;
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
  // On an I/O thread: must neither wait nor compute for long.
  virtual std::variant<HttpResponse, HttpJob> Begin(const HttpRequest& request) = 0;
  // The answer to a request that the transport refuses: broken HTTP (kMalformed), over a limit
  // (kTooLarge, kResourceExhausted), too slow (kDeadlineExceeded). `request` holds what had
  // arrived.
  virtual HttpResponse Refuse(const HttpRequest& request, const Status& reason) = 0;
};

}  // namespace akidb::rest
