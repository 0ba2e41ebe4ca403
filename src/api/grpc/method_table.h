// A service as the table of its methods.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <utility>

#include <google/protobuf/arena.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/service_type.h>

#include "api/grpc/call.h"
#include "api/grpc/call_pace.h"
#include "api/grpc/message_bytes.h"
#include "base/status.h"

namespace akidb::rpc {

template <typename Request>
CallHead HeadOf(const Request& request, Right right, service::Caller caller) {
  CallHead head;
  head.right = right;
  head.caller = std::move(caller);
  if constexpr (requires { request.collection_name(); }) {
    head.collection = request.collection_name();
  }
  if constexpr (requires { request.has_timeout(); }) {
    if (request.has_timeout()) head.timeout_s = request.timeout();
  }
  return head;
}

// What each method of a service does: on the request pool, or, where reads have been short lately,
// on the thread of gRPC that brought the call. gRPC hands over bytes, so that one place decides how
// they are parsed (message_bytes.h).
class MethodTable final : public grpc::Service {
 public:
  explicit MethodTable(const CallEnvironment& environment) : environment_(environment) {}

  template <typename Request, typename Response>
  using Handler = Status (*)(const Call& call, const Request& request, Response& response);

  // `path` is static: "/qdrant.Points/Upsert". Before the service is registered.
  template <typename Request, typename Response>
  void Add(const char* path, Right right, Handler<Request, Response> handler,
           CallLength length = CallLength::kBounded) {
    CallPace& pace = paces_.emplace_back();
    AddUnary(path, [this, right, handler, length, &pace](grpc::CallbackServerContext* server,
                                                         const grpc::ByteBuffer* bytes,
                                                         grpc::ByteBuffer* answer) {
      // Before a byte of a stranger's is parsed.
      Result<service::Caller> caller = CallerOf(environment_, *server);
      if (!caller.ok()) return End(*server, caller.status());
      // Writes wait for the disk, however short they are.
      if (right == Right::kRead && length == CallLength::kBounded &&
          bytes->Length() <= kHereBytesMax && pace.IsShort()) {
        if (const HereSlot slot(here_taken_); slot) {
          Work<Request, Response> work(handler, pace, *answer);
          return RunHere({*server, *bytes, right, std::move(caller).value()}, work);
        }
      }
      // Shared, for functions are copied.
      auto work = std::make_shared<Work<Request, Response>>(handler, pace, *answer);
      const Status parsed = ParseMessage(*bytes, work->request);
      if (!parsed.ok()) return End(*server, parsed);
      CallHead head = HeadOf(work->request, right, std::move(caller).value());
      head.length = length;
      return UnaryCall::Start(
          std::make_unique<UnaryCall>(environment_, *server, std::move(head),
                                      [work](const Call& call) { return work->Run(call); }));
    });
  }

  using Starter = std::function<grpc::ServerUnaryReactor*(
      grpc::CallbackServerContext*, const grpc::ByteBuffer*, grpc::ByteBuffer*)>;
  // Whose key nobody has looked at. Likewise.
  void AddUnary(const char* path, Starter starter);
  // Ends a call that has no reactor of its own.
  static grpc::ServerUnaryReactor* End(grpc::CallbackServerContext& server, const Status& status);

  using Stream = grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;
  using StreamStarter = std::function<Stream*(grpc::CallbackServerContext*)>;
  // Messages both ways, which the stream parses itself once it has looked at the key. Likewise.
  void AddStream(const char* path, StreamStarter starter);

 private:
  static constexpr size_t kHereBytesMax = 64 << 10;
  static constexpr size_t kArenaBytes = 8 << 10;

  template <typename Request, typename Response>
  struct Work {
    Work(Handler<Request, Response> by, CallPace& of, grpc::ByteBuffer& to)
        : handler(by), pace(of), answer(to) {}

    Status Run(const Call& call) {
      const Status done = handler(call, request, response);
      const double seconds = call.seconds();
      pace.Note(seconds);
      AKIDB_RETURN_IF_ERROR(done);
      if constexpr (requires { response.set_time(0.0); }) response.set_time(seconds);
      return SerializeMessage(response, answer);
    }

    const Handler<Request, Response> handler;
    CallPace& pace;
    grpc::ByteBuffer& answer;  // gRPC's, as long as the call
    alignas(8) char block[kArenaBytes];
    google::protobuf::Arena arena{block, kArenaBytes};
    Request& request = *google::protobuf::Arena::CreateMessage<Request>(&arena);
    Response& response = *google::protobuf::Arena::CreateMessage<Response>(&arena);
  };

  struct Arrived {
    grpc::CallbackServerContext& server;
    const grpc::ByteBuffer& bytes;
    Right right;
    service::Caller caller;
  };

  // Of a call that is expected to be short: it ends at its deadline, but not before when its client
  // leaves.
  template <typename Request, typename Response>
  grpc::ServerUnaryReactor* RunHere(Arrived arrived, Work<Request, Response>& work) {
    grpc::CallbackServerContext& server = arrived.server;
    const Status parsed = ParseMessage(arrived.bytes, work.request);
    if (!parsed.ok()) return End(server, parsed);
    const CallHead head = HeadOf(work.request, arrived.right, std::move(arrived.caller));
    const RequestContext context(DeadlineOf(environment_, server, head));
    return End(server, RunCall({environment_, server, head, context},
                               [&work](const Call& call) { return work.Run(call); }));
  }

  const CallEnvironment& environment_;
  std::deque<CallPace> paces_;  // of each method; they stay where they are
  std::atomic<bool> here_taken_{false};
  int methods_count_ = 0;
};

}  // namespace akidb::rpc
