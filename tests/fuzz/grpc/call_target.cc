#include "call_target.h"

#include <future>

#include <grpcpp/generic/generic_stub.h>

namespace akidb::fuzz {
namespace {

constexpr std::chrono::seconds kPatience(30);
constexpr const char* kKey = "key-0123456789";
constexpr const char* kRecalls[] = {"0.9", "0.9", "1",    "1",  "0.5", "0",
                                    "2",   "nan", "0.5x", "-1", "",    "1e999"};
constexpr const char* kKeys[] = {kKey, kKey, "", "x", "key-012345678", "Bearer x.y.z"};
constexpr int kMessageBytesMax = 1 << 20;

grpc::ByteBuffer BufferOf(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

std::string BytesOf(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Valid() || !buffer.Dump(&slices).ok()) return bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

}  // namespace

CallManner MakeManner(Choices& choices) {
  CallManner manner;
  if (choices.OneIn(20)) manner.metadata.emplace_back("x-akidb-recall", choices.Of(kRecalls));
  if (choices.OneIn(20)) manner.metadata.emplace_back("unknown-bin", std::string("\0\xff", 2));
  if (choices.OneIn(200)) manner.deadline = std::chrono::milliseconds(choices.Below(3));
  manner.is_cancelled = choices.OneIn(200);
  manner.is_compressed = choices.OneIn(50);
  manner.is_guarded = choices.OneIn(100);
  if (manner.is_guarded) {
    manner.metadata.emplace_back(choices.OneIn(2) ? "api-key" : "authorization", choices.Of(kKeys));
  }
  return manner;
}

LoopbackTarget::LoopbackTarget() : pool_({.name = "request", .threads = 2}) {}

Result<std::unique_ptr<LoopbackTarget>> LoopbackTarget::Start(FuzzedServer& server) {
  auto target = std::unique_ptr<LoopbackTarget>(new LoopbackTarget());
  AKIDB_RETURN_IF_ERROR(target->Listen(server, {}));
  AKIDB_ASSIGN_OR_RETURN(service::AccessKeys keys,
                         service::AccessKeys::Create({kKey, "", "", nullptr}));
  AKIDB_RETURN_IF_ERROR(target->Listen(server, std::move(keys)));
  return target;
}

Status LoopbackTarget::Listen(FuzzedServer& server, service::AccessKeys keys) {
  rpc::GrpcServerOptions options;
  options.title = "fuzzed";
  options.message_bytes_max = kMessageBytesMax;
  options.keys = std::move(keys);
  AKIDB_ASSIGN_OR_RETURN(
      std::unique_ptr<rpc::GrpcServer> listening,
      rpc::GrpcServer::Start(std::move(options), {server.service(), pool_, server.log()}));
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  channels_.push_back(grpc::CreateCustomChannel(listening->address(),
                                                grpc::InsecureChannelCredentials(), arguments));
  servers_.push_back(std::move(listening));
  return OkStatus();
}

CallAnswer LoopbackTarget::Answer(const FuzzedCall& call, const CallManner& manner) {
  grpc::ClientContext context;
  for (const auto& [name, value] : manner.metadata) context.AddMetadata(name, value);
  context.set_deadline(std::chrono::system_clock::now() +
                       manner.deadline.value_or(std::chrono::milliseconds(kPatience)));
  if (manner.is_compressed) context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  const grpc::ByteBuffer request = BufferOf(call.bytes);
  grpc::ByteBuffer response;
  std::promise<grpc::Status> ended;
  grpc::GenericStub stub(channels_[manner.is_guarded ? 1 : 0]);
  stub.UnaryCall(&context, call.method, {}, &request, &response,
                 [&ended](grpc::Status status) { ended.set_value(std::move(status)); });
  if (manner.is_cancelled) context.TryCancel();
  CallAnswer answer;
  answer.status = ended.get_future().get();
  answer.bytes = BytesOf(response);
  return answer;
}

}  // namespace akidb::fuzz
