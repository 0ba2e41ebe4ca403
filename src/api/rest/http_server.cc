#include "api/rest/http_server.h"

#include <thread>
#include <vector>

#include <boost/asio/post.hpp>
#include <pthread.h>

#include "api/rest/http_connection.h"

// Beast and Asio are compiled here, once (BOOST_ASIO_SEPARATE_COMPILATION).
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>

namespace akidb::rest {
namespace {

namespace net = boost::asio;
using boost::system::error_code;
using net::ip::tcp;

constexpr std::chrono::milliseconds kAcceptPause{100};

constexpr std::string_view kFull =
    "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nretry-after: 1\r\nconnection: "
    "close\r\n\r\n";

Result<tcp::endpoint> ParseEndpoint(const std::string& host, uint16_t port) {
  error_code error;
  auto address = net::ip::make_address(host == "localhost" ? "127.0.0.1" : host, error);
  if (error) {
    return InvalidArgumentError("host `" + host + "` is no IP address (and not `localhost`)");
  }
  return tcp::endpoint(address, port);
}

std::string Shown(const tcp::endpoint& endpoint) {
  std::string address = endpoint.address().to_string();
  if (endpoint.address().is_v6()) address = "[" + address + "]";
  return address + ":" + std::to_string(endpoint.port());
}

Status ListenError(const tcp::endpoint& endpoint, const error_code& error) {
  std::string text = "can not listen on " + Shown(endpoint) + ": " + error.message();
  if (error == net::error::address_in_use) return BusyError(std::move(text));
  if (error == boost::system::errc::address_not_available) {
    return InvalidArgumentError(std::move(text));
  }
  return IoError(std::move(text));
}

// What went wrong with which of the texts.
Status TlsError(std::string_view what, const error_code& error) {
  return InvalidArgumentError(std::string(what) + ": " + error.message());
}

Result<std::shared_ptr<HttpStream::TlsContext>> TlsContextOf(const TlsMaterial& material) {
  using Context = HttpStream::TlsContext;
  auto context = std::make_shared<Context>(Context::tls_server);
  context->set_options(Context::default_workarounds | Context::no_sslv2 | Context::no_sslv3 |
                       Context::no_tlsv1 | Context::no_tlsv1_1 | Context::no_tlsv1_2);
  error_code error;
  // Else an encrypted key would be asked for at the terminal.
  context->set_password_callback([](size_t, Context::password_purpose) { return std::string(); },
                                 error);
  context->use_certificate_chain(net::buffer(material.certificates), error);
  if (error) return TlsError("the TLS certificate is no PEM with certificates", error);
  context->use_private_key(net::buffer(material.private_key), Context::pem, error);
  if (error) {
    return TlsError("the TLS key is no unencrypted PEM key of the (first) certificate", error);
  }
  if (material.client_authorities.empty()) return context;
  context->add_certificate_authority(net::buffer(material.client_authorities), error);
  if (error) return TlsError("the TLS authorities of clients are no PEM with certificates", error);
  context->set_verify_mode(net::ssl::verify_peer | net::ssl::verify_fail_if_no_peer_cert, error);
  if (error) return TlsError("certificates of clients can not be asked for", error);
  return context;
}

class HttpServerImpl final : public HttpServer {
 public:
  HttpServerImpl(HttpServerOptions options, HttpApplication& application, RequestPool& pool,
                 Logger& log)
      : shared_(std::move(options), application, pool, log) {
    for (int i = 0; i < shared_.options.io_threads; ++i) {
      loops_.push_back(std::make_unique<HttpLoop>(shared_));
    }
    acceptor_.emplace(loops_.front()->io());
    retry_.emplace(loops_.front()->io());
  }

  ~HttpServerImpl() override { Stop(std::chrono::milliseconds(0)); }

  Status Listen();
  Status RenewTls(const TlsMaterial& material) override;
  std::string address() const override { return Shown(endpoint_); }
  uint16_t port() const override { return endpoint_.port(); }
  void Stop(std::chrono::milliseconds grace) override;

 private:
  // On the first loop's thread.
  void Accept();
  void OnAccept(const error_code& error, tcp::socket socket, HttpLoop& loop);
  void TakeWaiting();
  void HandOver(tcp::socket socket, HttpLoop& loop);
  HttpLoop& NextLoop() { return *loops_[next_loop_++ % loops_.size()]; }

  HttpShared shared_;
  std::vector<std::unique_ptr<HttpLoop>> loops_;
  std::optional<tcp::acceptor> acceptor_;
  std::optional<net::steady_timer> retry_;  // after running out of descriptors
  size_t next_loop_ = 0;
  tcp::endpoint endpoint_;
  std::vector<std::thread> threads_;
  std::atomic<bool> stopped_{false};
};

Status HttpServerImpl::Listen() {
  if (shared_.options.tls) AKIDB_RETURN_IF_ERROR(RenewTls(*shared_.options.tls));
  AKIDB_ASSIGN_OR_RETURN(endpoint_, ParseEndpoint(shared_.options.host, shared_.options.port));
  error_code error;
  acceptor_->open(endpoint_.protocol(), error);
  if (!error) acceptor_->set_option(tcp::acceptor::reuse_address(true), error);
  // Connections inherit it (tcp(7)): one system call less for each.
  if (!error) acceptor_->set_option(tcp::no_delay(true), error);
  if (!error) acceptor_->non_blocking(true, error);
  if (!error) acceptor_->bind(endpoint_, error);
  if (!error) acceptor_->listen(net::socket_base::max_listen_connections, error);
  if (error) return ListenError(endpoint_, error);
  endpoint_ = acceptor_->local_endpoint(error);
  if (error) return ListenError(endpoint_, error);
  Accept();
  for (size_t i = 0; i < loops_.size(); ++i) {
    threads_.emplace_back([this, i] {
      pthread_setname_np(pthread_self(), ("io/" + std::to_string(i)).c_str());
      loops_[i]->Run();
    });
  }
  return OkStatus();
}

Status HttpServerImpl::RenewTls(const TlsMaterial& material) {
  if (!shared_.options.tls) return InvalidArgumentError("the server was started without TLS");
  AKIDB_ASSIGN_OR_RETURN(auto context, TlsContextOf(material));
  shared_.set_tls(std::move(context));
  return OkStatus();
}

void HttpServerImpl::Accept() {
  HttpLoop& loop = NextLoop();
  acceptor_->async_accept(loop.io(), [this, &loop](const error_code& error, tcp::socket socket) {
    OnAccept(error, std::move(socket), loop);
  });
}

void HttpServerImpl::OnAccept(const error_code& error, tcp::socket socket, HttpLoop& loop) {
  if (!error) HandOver(std::move(socket), loop);
  if (!acceptor_->is_open()) return;
  if (!error || error == net::error::connection_aborted) return Accept();
  if (error == net::error::operation_aborted) return;
  shared_.log.Write(LogLevel::kWarning, "accept_failed", "a connection could not be accepted",
                    {{"error.type", error.message()}});
  retry_->expires_after(kAcceptPause);
  retry_->async_wait([this](const error_code& cancelled) {
    if (!cancelled && acceptor_->is_open()) Accept();
  });
}

void HttpServerImpl::HandOver(tcp::socket socket, HttpLoop& loop) {
  size_t before = shared_.connections.fetch_add(1, std::memory_order_relaxed);
  if (before >= shared_.options.connections_max) {
    shared_.connections.fetch_sub(1, std::memory_order_relaxed);
    error_code ignored;
    socket.non_blocking(true, ignored);
    if (!shared_.options.tls) socket.write_some(net::buffer(kFull), ignored);
    return;
  }
  if (&loop == loops_.front().get()) return loop.Add(std::move(socket));
  net::post(loop.io(),
            [&loop, taken = std::move(socket)]() mutable { loop.Add(std::move(taken)); });
}

// Clients whose connection stands in the kernel's queue have been promised an answer.
void HttpServerImpl::TakeWaiting() {
  error_code error;
  while (!error) {
    HttpLoop& loop = NextLoop();
    tcp::socket socket = acceptor_->accept(loop.io(), error);
    if (!error) HandOver(std::move(socket), loop);
  }
}

void HttpServerImpl::Stop(std::chrono::milliseconds grace) {
  if (stopped_.exchange(true)) return;
  auto end = std::chrono::steady_clock::now() + grace;
  net::post(loops_.front()->io(), [this, end] {
    TakeWaiting();
    error_code ignored;
    acceptor_->close(ignored);
    retry_->cancel();
    for (std::unique_ptr<HttpLoop>& loop : loops_) {
      net::post(loop->io(), [&loop, end] { loop->Drain(end); });
    }
  });
  for (std::thread& thread : threads_) thread.join();
}

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::Start(HttpServerOptions options,
                                                      HttpApplication& application,
                                                      RequestPool& pool, Logger& log) {
  AKIDB_CHECK(options.io_threads > 0);
  auto server = std::make_unique<HttpServerImpl>(std::move(options), application, pool, log);
  AKIDB_RETURN_IF_ERROR(server->Listen());
  return server;
}

}  // namespace akidb::rest
