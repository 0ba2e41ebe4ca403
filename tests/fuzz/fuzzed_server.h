// What is fuzzed: the service, and the application of REST, over a database in a temporary folder,
// with collections that the examples of the shapes fit.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "api/rest/rest_api.h"
#include "base/log.h"
#include "embedding/embedder.h"
#include "engine/database.h"
#include "env/file_system.h"
#include "env/random.h"
#include "service/service.h"

namespace akidb::fuzz {

class FuzzedServer {
 public:
  // An error is one of the harness.
  static Result<std::unique_ptr<FuzzedServer>> Make(uint64_t seed);
  ~FuzzedServer();

  rest::RestApi& api() { return *api_; }
  // Wants keys: what is asked of it is refused, but must be read.
  rest::RestApi& guarded_api() { return *guarded_api_; }
  service::Service& service() { return *service_; }
  Logger& log() { return *log_; }
  // Collections and points as at the beginning, whatever was done to them; others are deleted.
  Status Refill();

 private:
  explicit FuzzedServer(uint64_t seed);
  Status Call(std::string_view method, std::string_view target, std::string_view body);

  std::unique_ptr<Logger> log_;
  std::string folder_;
  std::unique_ptr<env::FileSystem> fs_;
  std::unique_ptr<env::Random> random_;
  std::unique_ptr<engine::Database> database_;
  std::unique_ptr<embedding::Embedder> embedder_;
  std::unique_ptr<service::Service> service_;
  std::unique_ptr<rest::RestApi> api_;
  std::unique_ptr<rest::RestApi> guarded_api_;
};

// The answer as a client gets it: a job is run here and now.
rest::HttpResponse AnswerOf(rest::HttpApplication& application, const rest::HttpRequest& request);

}  // namespace akidb::fuzz
