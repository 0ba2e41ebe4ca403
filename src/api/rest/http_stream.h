// A client's socket, in the clear or with TLS over it. Internal to the HTTP server: this header
// brings in Boost.Asio. Used on its loop's thread alone.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

namespace akidb::rest {

class HttpStream {
 public:
  using Socket = boost::asio::ip::tcp::socket;
  using TlsContext = boost::asio::ssl::context;

  // Null: in the clear. Shared, because a renewed context must not end connections that were made
  // with the one before.
  HttpStream(Socket socket, std::shared_ptr<TlsContext> context)
      : socket_(std::move(socket)), context_(std::move(context)) {
    if (context_) tls_.emplace(socket_, *context_);
  }
  HttpStream(const HttpStream&) = delete;
  HttpStream& operator=(const HttpStream&) = delete;

  bool secure() const { return tls_.has_value(); }
  Socket& socket() { return socket_; }

  // Of TLS only: before anything is read or written.
  template <typename Handler>
  void AsyncHandshake(Handler handler) {
    tls_->async_handshake(boost::asio::ssl::stream_base::server, std::move(handler));
  }
  // Of TLS only: tells the client that nothing more comes, and waits for it to say the same.
  template <typename Handler>
  void AsyncEnd(Handler handler) {
    tls_->async_shutdown(std::move(handler));
  }

  template <typename Buffer, typename Handler>
  void AsyncReadSome(const Buffer& buffer, Handler handler) {
    if (tls_) {
      tls_->async_read_some(buffer, std::move(handler));
    } else {
      socket_.async_read_some(buffer, std::move(handler));
    }
  }
  // Of all of them. `progress`, Asio's completion condition, is called with the error and the bytes
  // written so far, and gives how many may be written next.
  template <typename Buffers, typename Progress, typename Handler>
  void AsyncWrite(const Buffers& buffers, Progress progress, Handler handler) {
    if (tls_) {
      boost::asio::async_write(*tls_, buffers, std::move(progress), std::move(handler));
    } else {
      boost::asio::async_write(socket_, buffers, std::move(progress), std::move(handler));
    }
  }

 private:
  Socket socket_;
  const std::shared_ptr<TlsContext> context_;
  std::optional<boost::asio::ssl::stream<Socket&>> tls_;  // over socket_
};

}  // namespace akidb::rest
