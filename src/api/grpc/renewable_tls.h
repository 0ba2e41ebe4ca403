// TLS of the server whose certificate can be renewed while it listens.
#pragma once

#include <memory>
#include <string>

#include <grpc/grpc_security.h>
#include <grpcpp/security/server_credentials.h>

#include "api/grpc/grpc_server.h"
#include "base/mutex.h"

namespace akidb::rpc {

// gRPC asks it before each handshake. Thread-safe; outlives the server that it is given to.
class RenewableTls final : public grpc::ServerCredentials {
 public:
  explicit RenewableTls(GrpcTls tls);
  ~RenewableTls() override;

  // From the next handshake on. What is no certificate with its key is told by gRPC in no way but
  // that the one before stays; who calls has checked it. Whether clients have to show a certificate
  // stays as it was at first, whose authorities they are doesn't.
  void Renew(GrpcTls tls);

  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override;
  // Null: as it was at the last call.
  grpc_ssl_server_certificate_config* TakeChanged();

  const bool wants_certificates_;
  Mutex mutex_;
  GrpcTls tls_ AKIDB_GUARDED_BY(mutex_);
  bool changed_ AKIDB_GUARDED_BY(mutex_) = true;
  grpc_server_credentials* credentials_ = nullptr;  // of AddPortToServer; released at the end
};

}  // namespace akidb::rpc
