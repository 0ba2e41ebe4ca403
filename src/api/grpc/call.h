// One unary call: who asks, how long it may take, where it runs, and what comes of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <grpcpp/grpcpp.h>

#include "base/log.h"
#include "base/request_context.h"
#include "base/request_pool.h"
#include "base/status.h"
#include "service/access_keys.h"
#include "service/service.h"

namespace akidb::rpc {

// What all calls share. Everything outlives them.
struct CallEnvironment {
  service::Service& service;
  RequestPool& pool;
  Logger& log;
  service::AccessKeys keys;
  std::string title;
  std::string version;
  std::string commit;
  std::chrono::seconds request_timeout{60};
};

// What a call needs of its caller; on the request's collection, where it names one.
enum class Right : unsigned char { kAny, kRead, kWrite, kExtend, kManage };

// Whether the server's own bound of time holds for a call, where it names none.
enum class CallLength : unsigned char { kBounded, kUnbounded };

struct Call {
  const CallEnvironment& environment;
  service::Service& service;
  const RequestContext& context;
  const service::Caller& caller;
  std::string collection;  // empty: none is named
  double recall = 0;       // of the metadata x-akidb-recall; 0: not given
  bool explain = false;    // of the metadata x-akidb-explain
  grpc::CallbackServerContext& server;
  std::chrono::steady_clock::time_point start;

  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
};

// Its text is cut where a client might not take it: it travels in a header.
grpc::Status ToGrpcStatus(const Status& status);

// Whom the key in the metadata names. kUnauthenticated, kPermissionDenied.
Result<service::Caller> CallerOf(const CallEnvironment& environment,
                                 const grpc::CallbackServerContext& server);

// What a request says of itself before it is decoded.
struct CallHead {
  Right right = Right::kAny;
  CallLength length = CallLength::kBounded;
  std::string collection;
  std::optional<uint64_t> timeout_s;
  std::optional<service::Caller> caller;  // none: the key is still to be looked at
};

// What is known of a call before it runs.
struct CallSetup {
  const CallEnvironment& environment;
  grpc::CallbackServerContext& server;
  const CallHead& head;
  const RequestContext& context;
};

// Time and rights, as a call's own or of a request within it.
Status CheckCall(const Call& call, const CallHead& head);

// Checks key, rights and time, then runs `body` with what it needs.
Status RunCall(const CallSetup& setup, const std::function<Status(const Call&)>& body);

// The earlier of the client's deadline and what the request, or the server, allows.
std::chrono::steady_clock::time_point DeadlineOf(const CallEnvironment& environment,
                                                 const grpc::CallbackServerContext& server,
                                                 const CallHead& head);

// Lives from Start until gRPC is done with it. Runs on the request pool; a client that leaves, or
// its deadline, ends the context.
class UnaryCall final : public grpc::ServerUnaryReactor {
 public:
  // Owns itself from here on.
  static grpc::ServerUnaryReactor* Start(std::unique_ptr<UnaryCall> owned) {
    UnaryCall* const call = owned.release();
    const Status submitted = call->environment_.pool.Submit([call] { call->Run(); });
    if (!submitted.ok()) call->Finish(ToGrpcStatus(submitted));
    return call;
  }

  UnaryCall(const CallEnvironment& environment, grpc::CallbackServerContext& server, CallHead head,
            std::function<Status(const Call&)> body)
      : environment_(environment),
        server_(server),
        head_(std::move(head)),
        body_(std::move(body)),
        context_(DeadlineOf(environment, server, head_)) {}

  void OnCancel() override { context_.Cancel(); }
  void OnDone() override { const std::unique_ptr<UnaryCall> ended(this); }

 private:
  // What both do is done faster than handed to another thread. Not promised by gRPC's documents,
  // but by server_callback.h.
  bool InternalInlineable() override { return true; }

  // Nothing of this object may be touched once it has finished.
  void Run() {
    this->Finish(ToGrpcStatus(RunCall({environment_, server_, head_, context_}, body_)));
  }

  const CallEnvironment& environment_;
  grpc::CallbackServerContext& server_;
  const CallHead head_;
  const std::function<Status(const Call&)> body_;
  RequestContext context_;
};

}  // namespace akidb::rpc
