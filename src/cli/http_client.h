// HTTP/1.1 requests through libcurl, which is loaded at the first use: linking it would load some
// forty shared libraries at every start of the program. Thread-safe; connections are kept and
// reused.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"

namespace akidb::cli {

struct HttpReply {
  int status = 0;
  std::string body;
};

// How a server is talked to. Empty: none.
struct HttpCredentials {
  std::string api_key;  // sent with every request
  // Of TLS, paths of PEM files: authorities that are trusted in place of the system's, and what
  // this client shows.
  std::string authorities;
  std::string certificate;
  std::string private_key;
};

// A body that is read while it is sent.
struct HttpUpload {
  std::string content_type;
  uint64_t bytes = 0;
  // Fills `piece`, or what is left; an error ends the request.
  std::function<Result<size_t>(std::span<char> piece)> give;
};

class HttpClient {
 public:
  // `base_url`: "http://host:port" or "https://…", without a slash at its end, or
  // kInvalidArgument. kUnsupported: libcurl is missing. Nothing is sent.
  static Result<std::unique_ptr<HttpClient>> Create(std::string base_url,
                                                    const HttpCredentials& credentials);
  virtual ~HttpClient() = default;

  virtual const std::string& base_url() const = 0;

  // A body that is not empty is sent as JSON. Any HTTP status is a reply. kUnavailable: nobody
  // answers there; kDeadlineExceeded; kInvalidArgument: the URL is none; kTooLarge: a reply over
  // 256 MiB; kPermissionDenied: with TLS one does not accept the other's certificate; kIo for the
  // rest.
  virtual Result<HttpReply> Send(const char* method, const std::string& path,
                                 std::string_view body) = 0;

  // The body of the reply to a GET, of any size, goes to `take` piece by piece, if its status is
  // 200; else it comes back. Without a bound on the time. What `take` gives as an error ends it.
  using Take = std::function<Status(std::span<const char> piece)>;
  virtual Result<HttpReply> Download(const std::string& path, const Take& take) = 0;
  // A POST of a body of any size, likewise.
  virtual Result<HttpReply> Upload(const std::string& path, const HttpUpload& upload) = 0;

  // Ends the requests under way, within a second, and later ones with kCancelled.
  virtual void Cancel() = 0;

  // `text` as one segment of a path.
  static std::string Escape(std::string_view text);
};

}  // namespace akidb::cli
