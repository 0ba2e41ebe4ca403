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

#include "base/executor.h"
#include "base/log.h"
#include "base/request_context.h"
#include "base/status.h"
#include "service/access_keys.h"
#include "service/service.h"

namespace akidb::rpc {

// What all calls share. Everything outlives them.
struct CallEnvironment {
  service::Service& service;
  Executor& pool;
  Logger& log;
  service::AccessKeys keys;
  std::string title;
  std::string version;
  std::string commit;
  std::chrono::seconds request_timeout{60};
};

// What a call needs of its caller; on the request's collection, where it names one.
enum class Right : unsigned char { kAny, kRead, kWrite, kExtend, kManage };

struct Call {
  const CallEnvironment& environment;
  service::Service& service;
  const RequestContext& context;
  const service::Caller& caller;
  std::string collection;  // empty: none is named
  double recall = 0;       // of the metadata x-akidb-recall; 0: not given
  std::chrono::steady_clock::time_point start;

  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
};

grpc::Status ToGrpcStatus(const Status& status);

// What a request says of itself before it is decoded.
struct CallHead {
  Right right = Right::kAny;
  std::string collection;
  std::optional<uint64_t> timeout_s;
};

// What is known of a call before it runs.
struct CallSetup {
  const CallEnvironment& environment;
  const grpc::CallbackServerContext& server;
  const CallHead& head;
  const RequestContext& context;
};

// Checks key, rights and time, then runs `body` with what it needs.
Status RunCall(const CallSetup& setup, const std::function<Status(const Call&)>& body);

// The earlier of the client's deadline and what the request, or the server, allows.
std::chrono::steady_clock::time_point DeadlineOf(const CallEnvironment& environment,
                                                 const grpc::CallbackServerContext& server,
                                                 const CallHead& head);

template <typename Request>
CallHead HeadOf(const Request& request, Right right) {
  CallHead head;
  head.right = right;
  if constexpr (requires { request.collection_name(); }) {
    head.collection = request.collection_name();
  }
  if constexpr (requires { request.has_timeout(); }) {
    if (request.has_timeout()) head.timeout_s = request.timeout();
  }
  return head;
}

template <typename Request, typename Response>
using Handler = Status (*)(const Call& call, const Request& request, Response& response);

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

// What each method of a service does: `handler` on the request pool.
class Methods {
 public:
  explicit Methods(const CallEnvironment& environment) : environment_(environment) {}

  template <typename Request, typename Response>
  struct Operation {
    Right right;
    Handler<Request, Response> handler;
  };

  template <typename Request, typename Response>
  grpc::ServerUnaryReactor* Serve(grpc::CallbackServerContext* server, const Request* request,
                                  Response* response,
                                  Operation<Request, Response> operation) const {
    auto body = [request, response, handler = operation.handler](const Call& call) -> Status {
      Status status = handler(call, *request, *response);
      if constexpr (requires { response->set_time(0.0); }) response->set_time(call.seconds());
      return status;
    };
    return UnaryCall::Start(std::make_unique<UnaryCall>(environment_, *server,
                                                        HeadOf(*request, operation.right), body));
  }

 private:
  const CallEnvironment& environment_;
};

}  // namespace akidb::rpc

// Overrides the method `name` of a generated callback service.
#define AKIDB_GRPC_METHOD(name, Request, Response, right, handler)                        \
  grpc::ServerUnaryReactor* name(grpc::CallbackServerContext* server,                     \
                                 const qdrant::Request* request, qdrant::Response* reply) \
      override {                                                                          \
    using Operation = Methods::Operation<qdrant::Request, qdrant::Response>;              \
    return methods_.Serve(server, request, reply, Operation{right, handler});             \
  }
