#include "api/grpc/method_table.h"

#include <utility>

#include <grpcpp/impl/codegen/server_callback_handlers.h>
#include <grpcpp/impl/rpc_service_method.h>

namespace akidb::rpc {

// gRPC owns what it is given here.
void MethodTable::AddUnary(const char* path, Starter starter) {
  using grpc::internal::RpcMethod;
  using Bytes = grpc::ByteBuffer;
  AddMethod(std::make_unique<grpc::internal::RpcServiceMethod>(path, RpcMethod::NORMAL_RPC, nullptr)
                .release());
  auto handler =
      std::make_unique<grpc::internal::CallbackUnaryHandler<Bytes, Bytes>>(std::move(starter));
  MarkMethodRawCallback(methods_count_++, handler.release());
}

void MethodTable::AddStream(const char* path, StreamStarter starter) {
  using grpc::internal::RpcMethod;
  using Bytes = grpc::ByteBuffer;
  AddMethod(
      std::make_unique<grpc::internal::RpcServiceMethod>(path, RpcMethod::BIDI_STREAMING, nullptr)
          .release());
  auto handler =
      std::make_unique<grpc::internal::CallbackBidiHandler<Bytes, Bytes>>(std::move(starter));
  MarkMethodRawCallback(methods_count_++, handler.release());
}

grpc::ServerUnaryReactor* MethodTable::End(grpc::CallbackServerContext& server,
                                           const Status& status) {
  grpc::ServerUnaryReactor* reactor = server.DefaultReactor();
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

}  // namespace akidb::rpc
