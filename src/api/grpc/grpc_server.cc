#include "api/grpc/grpc_server.h"

#include <atomic>
#include <utility>
#include <vector>

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/service_type.h>
#include <grpcpp/resource_quota.h>

#include "api/grpc/akidb_service.h"
#include "api/grpc/call.h"
#include "api/grpc/collections_service.h"
#include "api/grpc/points_service.h"
#include "api/grpc/renewable_tls.h"
#include "api/grpc/snapshots_service.h"

namespace akidb::rpc {
namespace {

constexpr int kKeepAliveMs = 60'000;         // between pings to a client that is silent
constexpr int kKeepAliveTimeoutMs = 20'000;  // for its answer
constexpr int kClientPingsMinMs = 10'000;    // more frequent ones end the connection
constexpr int kPingStrikesMax = 2;

// Whose health may be asked for by name.
constexpr const char* kServiceNames[] = {"qdrant.Qdrant", "qdrant.Collections", "qdrant.Points",
                                         "qdrant.Snapshots", "akidb.v1.AkidbService"};

std::string AddressOf(const std::string& host, int port) {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

// The library would first unpack all of a message, a thousand times its size, and then ask whether
// it is too large. So it leaves them as they come; ParseMessage unpacks gzip within a bound.
void UnpackNothing(grpc::ServerBuilder& builder) {
  for (int i = GRPC_COMPRESS_NONE + 1; i < GRPC_COMPRESS_ALGORITHMS_COUNT; ++i) {
    builder.SetCompressionAlgorithmSupportStatus(static_cast<grpc_compression_algorithm>(i),
                                                 i == GRPC_COMPRESS_GZIP);
  }
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
}

void SetLimits(const GrpcServerOptions& options, grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(static_cast<int>(options.message_bytes_max));
  grpc::ResourceQuota quota("akidb");
  builder.SetResourceQuota(quota.Resize(options.buffered_bytes_max));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.streams_max);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepAliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepAliveTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kClientPingsMinMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, kPingStrikesMax);
  // A port that another process has is taken, not shared.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
}

class GrpcServerImpl final : public GrpcServer {
 public:
  GrpcServerImpl(GrpcServerOptions options, const GrpcDependencies& dependencies)
      : options_(std::move(options)),
        environment_{dependencies.service, dependencies.pool,       dependencies.log,
                     options_.keys,        options_.title,          options_.version,
                     options_.commit,      options_.request_timeout},
        ingest_streams_({.passes_max = options_.ingest_passes_max}),
        tls_(options_.tls ? std::make_shared<RenewableTls>(*options_.tls) : nullptr) {}
  ~GrpcServerImpl() override { Stop(std::chrono::milliseconds(0)); }

  Status Listen() {
    // The libraries' own lines, about messages that clients spoil and handshakes that fail, would
    // stand between those of the log, as many as clients like.
    google::protobuf::SetLogHandler(nullptr);
    gpr_set_log_function([](gpr_log_func_args*) {});
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    grpc::ServerBuilder builder;
    SetLimits(options_, builder);
    UnpackNothing(builder);
    const std::string wanted = AddressOf(options_.host, options_.port);
    builder.AddListeningPort(wanted,
                             tls_ ? std::static_pointer_cast<grpc::ServerCredentials>(tls_)
                                  : grpc::InsecureServerCredentials(),
                             &port_);
    services_.push_back(MakeHealthCheckService(environment_));
    services_.push_back(MakeCollectionsService(environment_));
    services_.push_back(MakePointsService(environment_));
    services_.push_back(MakeSnapshotsService(environment_));
    services_.push_back(MakeAkidbService(environment_, ingest_streams_));
    for (const std::unique_ptr<grpc::Service>& service : services_) {
      builder.RegisterService(service.get());
    }
    server_ = builder.BuildAndStart();
    if (server_ != nullptr && port_ != 0) {
      grpc::HealthCheckServiceInterface& health = *server_->GetHealthCheckService();
      for (const char* name : kServiceNames) health.SetServingStatus(name, true);
      return OkStatus();
    }
    return BusyError("gRPC can't listen on " + wanted +
                     ": the port is taken, it is no address of this machine, or certificate and "
                     "key are no pair; --grpc-port takes another one, 0 none");
  }

  void RenewTls(GrpcTls tls) override {
    if (tls_) tls_->Renew(std::move(tls));
  }

  std::string address() const override { return AddressOf(options_.host, port_); }

  void Stop(std::chrono::milliseconds grace) override {
    if (server_ == nullptr || stopped_.exchange(true)) return;
    ingest_streams_.Stop();
    server_->Shutdown(std::chrono::system_clock::now() + grace);
    server_->Wait();
  }

 private:
  const GrpcServerOptions options_;
  const CallEnvironment environment_;
  IngestStreams ingest_streams_;
  // Shared with the builder, which takes nothing else. The server asks it as long as it lives.
  const std::shared_ptr<RenewableTls> tls_;
  std::vector<std::unique_ptr<grpc::Service>> services_;
  std::unique_ptr<grpc::Server> server_;
  std::atomic<bool> stopped_{false};
  int port_ = 0;
};

}  // namespace

Result<std::unique_ptr<GrpcServer>> GrpcServer::Start(GrpcServerOptions options,
                                                      const GrpcDependencies& dependencies) {
  auto server = std::make_unique<GrpcServerImpl>(std::move(options), dependencies);
  AKIDB_RETURN_IF_ERROR(server->Listen());
  return server;
}

}  // namespace akidb::rpc
