#include "api/grpc/renewable_tls.h"

#include <utility>

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

namespace akidb::rpc {

RenewableTls::RenewableTls(GrpcTls tls)
    : wants_certificates_(!tls.client_authorities.empty()), tls_(std::move(tls)) {}

RenewableTls::~RenewableTls() {
  if (credentials_ != nullptr) grpc_server_credentials_release(credentials_);
}

void RenewableTls::Renew(GrpcTls tls) {
  const MutexLock lock(mutex_);
  tls_ = std::move(tls);
  changed_ = true;
}

grpc_ssl_server_certificate_config* RenewableTls::TakeChanged() {
  const MutexLock lock(mutex_);
  if (!std::exchange(changed_, false)) return nullptr;
  const grpc_ssl_pem_key_cert_pair pair{tls_.private_key.c_str(), tls_.certificates.c_str()};
  // Read in any case, though used only where clients show a certificate.
  const std::string& authorities =
      wants_certificates_ ? tls_.client_authorities : tls_.certificates;
  return grpc_ssl_server_certificate_config_create(authorities.c_str(), &pair, 1);
}

int RenewableTls::AddPortToServer(const std::string& address, grpc_server* server) {
  const auto fetch = [](void* self, grpc_ssl_server_certificate_config** out) {
    *out = static_cast<RenewableTls*>(self)->TakeChanged();
    return *out == nullptr ? GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED
                           : GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  };
  credentials_ = grpc_ssl_server_credentials_create_with_options(
      grpc_ssl_server_credentials_create_options_using_config_fetcher(
          wants_certificates_ ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                              : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
          fetch, this));
  return grpc_server_add_http2_port(server, address.c_str(), credentials_);
}

}  // namespace akidb::rpc
