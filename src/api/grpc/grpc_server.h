// The gRPC server: port, limits, keep-alive, TLS, drain. Beside the dialect's services it answers
// grpc.health.v1.Health and server reflection.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/log.h"
#include "base/request_pool.h"
#include "base/status.h"
#include "service/access_keys.h"
#include "service/service.h"

namespace akidb::rpc {

// PEM texts.
struct GrpcTls {
  std::string certificates;  // the server's own first
  std::string private_key;
  std::string client_authorities;  // empty: clients need no certificate
};

struct GrpcServerOptions {
  std::string host = "127.0.0.1";  // an IP address or "localhost"
  uint16_t port = 0;               // 0: a free one
  std::optional<GrpcTls> tls{};
  size_t message_bytes_max = 32u << 20;    // RESOURCE_EXHAUSTED beyond
  size_t buffered_bytes_max = 256u << 20;  // of all connections
  int streams_max = 1000;                  // calls at a time of one connection
  std::chrono::seconds request_timeout{60};
  // Threads of the pool that streams of points may take at a time.
  size_t ingest_passes_max = 1;
  std::string title;
  std::string version;
  std::string commit;
  service::AccessKeys keys;
};

// What it uses; everything outlives it.
struct GrpcDependencies {
  service::Service& service;
  RequestPool& pool;
  Logger& log;
};

// Thread-safe.
class GrpcServer {
 public:
  // Listens and serves. kBusy: the port is taken, or not of this machine; kInvalidArgument: the TLS
  // material.
  static Result<std::unique_ptr<GrpcServer>> Start(GrpcServerOptions options,
                                                   const GrpcDependencies& dependencies);
  virtual ~GrpcServer() = default;

  // New connections get it, where there was TLS at the start; `tls` has been checked to be sound.
  virtual void RenewTls(GrpcTls tls) = 0;
  virtual std::string address() const = 0;  // "127.0.0.1:6334"
  // Takes no new calls; those that run have `grace` to end, then they are cancelled.
  virtual void Stop(std::chrono::milliseconds grace) = 0;
};

}  // namespace akidb::rpc
