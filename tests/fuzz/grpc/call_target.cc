#include "call_target.h"

#include <future>

#include <akidb/v1/akidb.pb.h>
#include <google/protobuf/descriptor.h>
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

// A call of a method that streams both ways: sends all messages, and keeps the last answer.
class StreamCall final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  explicit StreamCall(std::vector<grpc::ByteBuffer> messages) : messages_(std::move(messages)) {}

  void Begin() {
    StartRead(&read_);
    Send();
    StartCall();
  }
  grpc::Status Wait() { return ended_.get_future().get(); }
  const grpc::ByteBuffer& last() const { return last_; }

 private:
  void Send() {
    if (sent_ < messages_.size()) return StartWrite(&messages_[sent_++]);
    StartWritesDone();
  }
  void OnWriteDone(bool ok) override {
    if (ok) Send();
  }
  void OnReadDone(bool ok) override {
    if (!ok) return;
    last_ = read_;
    StartRead(&read_);
  }
  void OnDone(const grpc::Status& status) override { ended_.set_value(status); }

  std::vector<grpc::ByteBuffer> messages_;
  size_t sent_ = 0;
  grpc::ByteBuffer read_;
  grpc::ByteBuffer last_;
  std::promise<grpc::Status> ended_;
};

// What is no beginning of a stream follows one.
std::vector<grpc::ByteBuffer> StreamOf(const FuzzedCall& call) {
  std::vector<grpc::ByteBuffer> messages;
  v1::IngestRequest message;
  if (!message.ParseFromString(call.bytes) || !message.has_start()) {
    v1::IngestRequest first;
    first.mutable_start()->set_collection_name("bodies");
    first.mutable_start()->set_model("small");
    first.mutable_start()->set_continue_after_refusal(call.bytes.size() % 2 == 0);
    messages.push_back(BufferOf(first.SerializeAsString()));
  }
  messages.push_back(BufferOf(call.bytes));
  return messages;
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
  grpc::GenericStub stub(channels_[manner.is_guarded ? 1 : 0]);
  CallAnswer answer;
  const google::protobuf::MethodDescriptor* const method = MethodAt(call.method);
  if (method != nullptr && method->client_streaming()) {
    StreamCall stream(StreamOf(call));
    stub.PrepareBidiStreamingCall(&context, call.method, {}, &stream);
    stream.Begin();
    if (manner.is_cancelled) context.TryCancel();
    answer.status = stream.Wait();
    answer.bytes = BytesOf(stream.last());
    return answer;
  }
  const grpc::ByteBuffer request = BufferOf(call.bytes);
  grpc::ByteBuffer response;
  std::promise<grpc::Status> ended;
  stub.UnaryCall(&context, call.method, {}, &request, &response,
                 [&ended](grpc::Status status) { ended.set_value(std::move(status)); });
  if (manner.is_cancelled) context.TryCancel();
  answer.status = ended.get_future().get();
  answer.bytes = BytesOf(response);
  return answer;
}

}  // namespace akidb::fuzz
