// Bytes on sockets: requests as they are sent, with bytes changed, cut in pieces, one behind the
// other.
#pragma once

#include <memory>
#include <string>

#include "api/rest/http_server.h"
#include "fuzz_random.h"

namespace akidb::fuzz {

class SocketFuzz {
 public:
  // Serves `application`, which outlives it.
  static Result<std::unique_ptr<SocketFuzz>> Start(rest::HttpApplication& application, Logger& log);

  // Sends what is made of the requests (in a corpus' form), takes the answers, and says what is
  // wrong; empty when nothing is. `sent` is told the bytes.
  std::string Try(const std::string& first, const std::string& second, Choices& choices,
                  std::string& sent);
  // Whether it still answers.
  bool IsAlive();

 private:
  SocketFuzz();
  // What came back until the end of the connection; `done` when there is an end at all.
  std::string Exchange(const std::string& bytes, Choices& choices, bool& done);

  RequestPool pool_;
  std::unique_ptr<rest::HttpServer> server_;
};

}  // namespace akidb::fuzz
