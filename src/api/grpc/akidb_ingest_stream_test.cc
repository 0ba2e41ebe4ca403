// Streams of points over loopback, into collections in memory.
#include "api/grpc/akidb_ingest_stream.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <akidb/v1/akidb.pb.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "api/grpc/grpc_server.h"
#include "api/grpc/method_table.h"
#include "base/log.h"
#include "base/request_pool.h"
#include "service/service_fixture.h"

namespace akidb::rpc {
namespace {

// One stream, each step of which is waited for.
class Client {
 public:
  explicit Client(const std::string& address)
      : stub_(grpc::CreateChannel(address, grpc::InsecureChannelCredentials())),
        stream_(stub_.PrepareCall(&context_, "/akidb.v1.AkidbService/Ingest", &queue_)) {
    stream_->StartCall(nullptr);
    Await();
  }
  ~Client() {
    context_.TryCancel();
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) continue;
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void Start(bool goes_on = false) {
    v1::IngestRequest request;
    request.mutable_start()->set_collection_name("c");
    request.mutable_start()->set_continue_after_refusal(goes_on);
    Send(request);
  }
  // Of one point each, whose id is the sequence number; or that has none and is refused.
  void Batch(uint64_t sequence, bool has_id = true) {
    v1::IngestRequest request;
    request.mutable_batch()->set_sequence(sequence);
    v1::IngestPoint& point = *request.mutable_batch()->add_points();
    if (has_id) point.set_num(sequence);
    auto& values = *point.add_vectors()->mutable_dense()->mutable_values();
    for (int i = 0; i < 3; ++i) values.Add(1);
    Send(request);
  }
  void End() {
    stream_->WritesDone(nullptr);
    Await();
  }
  // None: the stream has ended.
  std::optional<v1::IngestResponse> Read() {
    grpc::ByteBuffer bytes;
    stream_->Read(&bytes, nullptr);
    if (!Await()) return std::nullopt;
    grpc::Slice slice;
    EXPECT_TRUE(bytes.DumpToSingleSlice(&slice).ok());
    v1::IngestResponse response;
    EXPECT_TRUE(response.ParseFromArray(slice.begin(), static_cast<int>(slice.size())));
    return response;
  }
  grpc::Status Finish() {
    while (Read()) continue;
    grpc::Status status;
    stream_->Finish(&status, nullptr);
    Await();
    return status;
  }

 private:
  bool Await() {
    void* tag = nullptr;
    bool ok = false;
    EXPECT_TRUE(queue_.Next(&tag, &ok));
    return ok;
  }
  void Send(const v1::IngestRequest& request) {
    const grpc::Slice slice(request.SerializeAsString());
    stream_->Write(grpc::ByteBuffer(&slice, 1), nullptr);
    Await();
  }

  grpc::CompletionQueue queue_;
  grpc::ClientContext context_;
  grpc::GenericStub stub_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
};

class IngestStreamTest : public service::ServiceFixture {
 protected:
  void SetUp() override {
    GrpcServerOptions options;
    Result<std::unique_ptr<GrpcServer>> started =
        GrpcServer::Start(std::move(options), {service_, pool_, *log_});
    ASSERT_TRUE(started.ok()) << started.status().ToString();
    server_ = std::move(*started);
    collection_ = &MakeCollection();
  }

  std::unique_ptr<Logger> log_ = MakeNullLogger();
  RequestPool pool_{{.name = "request", .threads = 1}};
  std::unique_ptr<GrpcServer> server_;
  service::FakeCollection* collection_ = nullptr;
};

TEST_F(IngestStreamTest, AcknowledgesWhatIsWrittenWhileTheStreamIsOpen) {
  Client client(server_->address());
  client.Start();
  for (uint64_t sequence : {1, 2, 7}) {
    client.Batch(sequence);
    EXPECT_EQ(client.Read()->acknowledged_sequence(), sequence);
  }
  client.End();
  EXPECT_TRUE(client.Finish().ok());
  server_->Stop(std::chrono::seconds(10));
  EXPECT_EQ(collection_->points.size(), 3u);
}

TEST_F(IngestStreamTest, WaitsWhereOthersTakeTheRoom) {
  collection_->taken = true;
  Client client(server_->address());
  client.Start();
  client.Batch(1);
  while (collection_->room_checks < 3) std::this_thread::yield();  // it has tried again
  collection_->points_max = 10;
  EXPECT_EQ(client.Read()->acknowledged_sequence(), 1u);
}

TEST_F(IngestStreamTest, WaitsWhereTheCollectionHasNoRoom) {
  collection_->points_max = 1;
  Client client(server_->address());
  client.Start();
  for (uint64_t sequence : {1, 2, 3}) client.Batch(sequence);
  EXPECT_EQ(client.Read()->acknowledged_sequence(), 1u);
  collection_->points_max = 10;
  client.End();
  uint64_t last = 0;
  while (const std::optional<v1::IngestResponse> response = client.Read()) {
    EXPECT_GT(response->acknowledged_sequence(), last);
    last = response->acknowledged_sequence();
  }
  EXPECT_EQ(last, 3u);
  EXPECT_TRUE(client.Finish().ok());
}

TEST_F(IngestStreamTest, OneThatWaitsForRoomEndsWithItsClientAndWithTheServer) {
  collection_->points_max = 0;
  {
    Client leaves(server_->address());
    leaves.Start();
    leaves.Batch(1);
  }
  Client stays(server_->address());
  stays.Start();
  stays.Batch(1);
  server_->Stop(std::chrono::milliseconds(0));
  EXPECT_FALSE(stays.Finish().ok());
  EXPECT_TRUE(collection_->points.empty());
}

TEST_F(IngestStreamTest, ADrainedStreamWritesWhatItHasRead) {
  Client client(server_->address());
  client.Start();
  client.Batch(1);
  EXPECT_EQ(client.Read()->acknowledged_sequence(), 1u);
  server_->Stop(std::chrono::seconds(10));
  const grpc::Status status = client.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_NE(status.error_message().find("stopping"), std::string::npos);
  Client late(server_->address());
  EXPECT_FALSE(late.Finish().ok());
}

TEST_F(IngestStreamTest, ARefusalNamesThePointsOfItsOwnBatch) {
  Client client(server_->address());
  client.Start(true);
  client.Batch(1);
  EXPECT_EQ(client.Read()->acknowledged_sequence(), 1u);
  client.Batch(2, false);
  const v1::IngestResponse refused = *client.Read();
  EXPECT_EQ(refused.acknowledged_sequence(), 1u);
  EXPECT_EQ(refused.refusal().sequence(), 2u);
  ASSERT_EQ(refused.refusal().points_size(), 1);
  EXPECT_EQ(refused.refusal().points(0).message(), "id: expected `num` or `uuid`, got none");
  client.Batch(3);
  EXPECT_EQ(client.Read()->acknowledged_sequence(), 3u);
  client.End();
  EXPECT_TRUE(client.Finish().ok());
}

// A server of one method, whose streams the test knows.
class KnownStreamsTest : public service::ServiceFixture {
 protected:
  void Listen(const IngestOptions& options) {
    collection_ = &MakeCollection();
    environment_.emplace(CallEnvironment{service_, pool_, *log_, {}, "", "", ""});
    streams_.emplace(options);
    table_.emplace(*environment_);
    table_->AddStream("/akidb.v1.AkidbService/Ingest", [this](grpc::CallbackServerContext* server) {
      IngestStream::Reactor* const reactor = IngestStream::Start(*environment_, *server, *streams_);
      const MutexLock lock(mutex_);
      known_.push_back(static_cast<IngestStream*>(reactor)->weak_from_this());
      return reactor;
    });
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&*table_);
    server_ = builder.BuildAndStart();
    address_ = "127.0.0.1:" + std::to_string(port);
  }
  // Until so many have come.
  void Await(size_t count) {
    for (;;) {
      const MutexLock lock(mutex_);
      if (known_.size() >= count) return;
    }
  }
  void TearDown() override {
    streams_->Stop();
    server_->Shutdown();
    server_->Wait();
    // What calls a stream for the last time may let go of it behind that.
    const MutexLock lock(mutex_);
    for (const std::weak_ptr<IngestStream>& stream : known_) {
      const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
      while (!stream.expired() && std::chrono::steady_clock::now() < until) {
        std::this_thread::yield();
      }
      EXPECT_TRUE(stream.expired());
    }
  }

  std::unique_ptr<Logger> log_ = MakeNullLogger();
  std::optional<CallEnvironment> environment_;
  std::optional<IngestStreams> streams_;
  std::optional<MethodTable> table_;
  Mutex mutex_;
  std::vector<std::weak_ptr<IngestStream>> known_ AKIDB_GUARDED_BY(mutex_);
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
  service::FakeCollection* collection_ = nullptr;
  RequestPool pool_{{.name = "request", .threads = 2}};  // ends first: its passes use the others
};

TEST_F(KnownStreamsTest, AStreamThatWasHeldBackIsFreed) {
  Listen({});
  collection_->taken = true;
  Client client(address_);
  client.Start();
  client.Batch(1);
  while (collection_->room_checks < 3) std::this_thread::yield();  // it has tried again
  collection_->points_max = 10;
  EXPECT_EQ(client.Read()->acknowledged_sequence(), 1u);
  client.End();
  EXPECT_TRUE(client.Finish().ok());
}

TEST_F(KnownStreamsTest, OneThatDoesNotBeginEnds) {
  Listen({.start_wait = std::chrono::milliseconds(1)});
  Client client(address_);
  const grpc::Status status = client.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_NE(status.error_message().find("start"), std::string::npos) << status.error_message();
}

TEST_F(KnownStreamsTest, ThoseThatHaveNotBegunAreBoundedAndTakeNoPlace) {
  Listen({});
  std::vector<std::unique_ptr<Client>> idle;
  for (size_t i = 0; i + 1 < IngestStreams::kIdleMax; ++i) {
    idle.push_back(std::make_unique<Client>(address_));
  }
  Client client(address_);
  client.Start();
  client.Batch(1);
  EXPECT_EQ(client.Read()->acknowledged_sequence(), 1u);
  idle.push_back(std::make_unique<Client>(address_));
  Await(IngestStreams::kIdleMax + 1);
  Client refused(address_);
  const grpc::Status status = refused.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_NE(status.error_message().find("256"), std::string::npos) << status.error_message();
}

TEST_F(KnownStreamsTest, ManyShareOnePassAtATime) {
  Listen({.passes_max = 1});
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(std::make_unique<Client>(address_));
    clients.back()->Start();
  }
  for (uint64_t sequence = 1; sequence <= 5; ++sequence) {
    for (const auto& client : clients) client->Batch(sequence);
  }
  for (const auto& client : clients) {
    client->End();
    uint64_t last = 0;
    while (const std::optional<v1::IngestResponse> response = client->Read()) {
      last = response->acknowledged_sequence();
    }
    EXPECT_EQ(last, 5u);
    EXPECT_TRUE(client->Finish().ok());
  }
}

}  // namespace
}  // namespace akidb::rpc
