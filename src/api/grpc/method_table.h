// A service as the table of its methods.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/service_type.h>

#include "api/grpc/call.h"
#include "api/grpc/message_bytes.h"
#include "base/status.h"

namespace akidb::rpc {

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

// What each method of a service does, on the request pool. gRPC hands over bytes, so that one place
// decides how they are parsed (message_bytes.h).
class MethodTable final : public grpc::Service {
 public:
  explicit MethodTable(const CallEnvironment& environment) : environment_(environment) {}

  template <typename Request, typename Response>
  using Handler = Status (*)(const Call& call, const Request& request, Response& response);

  // `path` is static: "/qdrant.Points/Upsert". Before the service is registered.
  template <typename Request, typename Response>
  void Add(const char* path, Right right, Handler<Request, Response> handler,
           CallLength length = CallLength::kBounded) {
    AddUnary(path, [this, right, handler, length](grpc::CallbackServerContext* server,
                                                  const grpc::ByteBuffer* bytes,
                                                  grpc::ByteBuffer* answer) {
      // Shared, for functions are copied.
      auto messages = std::make_shared<Messages<Request, Response>>();
      const Status parsed = ParseMessage(*bytes, messages->request);
      if (!parsed.ok()) return Refuse(*server, parsed);
      CallHead head = HeadOf(messages->request, right);
      head.length = length;
      auto body = [messages, answer, handler](const Call& call) -> Status {
        Response& response = messages->response;
        AKIDB_RETURN_IF_ERROR(handler(call, messages->request, response));
        if constexpr (requires { response.set_time(0.0); }) response.set_time(call.seconds());
        return SerializeMessage(response, *answer);
      };
      return UnaryCall::Start(
          std::make_unique<UnaryCall>(environment_, *server, std::move(head), std::move(body)));
    });
  }

  using Stream = grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;
  using StreamStarter = std::function<Stream*(grpc::CallbackServerContext*)>;
  // Messages both ways, which the stream parses itself. Likewise.
  void AddStream(const char* path, StreamStarter starter);

 private:
  template <typename Request, typename Response>
  struct Messages {
    Request request;
    Response response;
  };
  using Starter = std::function<grpc::ServerUnaryReactor*(
      grpc::CallbackServerContext*, const grpc::ByteBuffer*, grpc::ByteBuffer*)>;

  void AddUnary(const char* path, Starter starter);
  static grpc::ServerUnaryReactor* Refuse(grpc::CallbackServerContext& server,
                                          const Status& status);

  const CallEnvironment& environment_;
  int methods_count_ = 0;
};

}  // namespace akidb::rpc
