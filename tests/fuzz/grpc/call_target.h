// What calls are made to, and how they are made.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <grpcpp/grpcpp.h>

#include "api/grpc/grpc_server.h"
#include "base/request_pool.h"
#include "fuzz_random.h"
#include "fuzzed_call.h"
#include "fuzzed_server.h"

namespace akidb::fuzz {

// What stands beside the message.
struct CallManner {
  std::vector<std::pair<std::string, std::string>> metadata;
  std::optional<std::chrono::milliseconds> deadline;  // none: one that no sound call needs
  bool is_cancelled = false;                          // by the client, right after it was sent
  bool is_compressed = false;
  bool is_guarded = false;  // sent to the server that wants a key
};
CallManner MakeManner(Choices& choices);

struct CallAnswer {
  grpc::Status status;
  std::string bytes;  // of the response, where status is OK
};

class CallTarget {
 public:
  virtual ~CallTarget() = default;
  virtual CallAnswer Answer(const FuzzedCall& call, const CallManner& manner) = 0;
};

// A server of its own port over the fuzzed one, and another that wants a key. One thread calls.
class LoopbackTarget final : public CallTarget {
 public:
  // `server` outlives it.
  static Result<std::unique_ptr<LoopbackTarget>> Start(FuzzedServer& server);

  CallAnswer Answer(const FuzzedCall& call, const CallManner& manner) override;

 private:
  LoopbackTarget();
  Status Listen(FuzzedServer& server, service::AccessKeys keys);

  RequestPool pool_;
  std::vector<std::unique_ptr<rpc::GrpcServer>> servers_;
  std::vector<std::shared_ptr<grpc::Channel>> channels_;
};

}  // namespace akidb::fuzz
