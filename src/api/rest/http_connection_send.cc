// The half of HttpConnection that sends: the head of an answer, its body from memory or from a
// source, the end of the connection.
#include <algorithm>
#include <array>

#include <boost/asio/post.hpp>
#include <boost/beast/http/status.hpp>
#include <linux/sockios.h>

#include "api/rest/http_connection.h"

namespace akidb::rest {
namespace {

namespace net = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr size_t kSourceStep = 256u << 10;   // what is read from a source at once
constexpr size_t kJoinedBody = 16u << 10;    // bodies up to here are sent from the head's buffer
constexpr size_t kWriteStep = 64u << 10;     // what an asynchronous write hands over at once
constexpr size_t kKeptCapacity = 64u << 10;  // of strings that are used again

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kOkJson =
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ";

void Recycle(std::string& text) {
  text.clear();
  if (text.capacity() > kKeptCapacity) text.shrink_to_fit();
}

// Of what the socket was given: a command of tcp(7), in the form that Asio wants.
struct UnacknowledgedBytes {
  int bytes = 0;
  static int name() { return SIOCOUTQ; }
  void* data() { return &bytes; }
};

}  // namespace

void HttpConnection::WriteHead(const HttpResponse& response) {
  const uint64_t bytes = response.source ? response.source->bytes() : response.body.size();
  if (response.status == 200 && response.content_type == kJson && bytes > 0) {
    out_.append(kOkJson);
  } else {
    auto reason =
        http::obsolete_reason(http::int_to_status(static_cast<unsigned>(response.status)));
    out_.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
    out_.append(reason.data(), reason.size());
    if (bytes > 0) out_.append("\r\ncontent-type: ").append(response.content_type);
    out_.append("\r\ncontent-length: ");
  }
  out_.append(std::to_string(bytes)).append("\r\n").append(response.headers);
  if (!keep_alive_) {
    out_.append("connection: close\r\n");
  } else if (parser_ && parser_->old_client()) {
    out_.append("connection: keep-alive\r\n");
  }
  out_.append("\r\n");
}

// One that is larger than all may be goes while no other waits.
bool HttpConnection::ReserveAnswer(const HttpResponse& response) {
  const size_t bytes =
      response.source
          ? static_cast<size_t>(std::min<uint64_t>(response.source->bytes(), kSourceStep))
          : response.body.size();
  if (bytes <= kJoinedBody || request_.method == "HEAD") return true;
  const size_t before = shared_.answer_bytes.fetch_add(bytes, std::memory_order_relaxed);
  if (before > 0 && before + bytes > options_.answer_bytes_max) {
    shared_.answer_bytes.fetch_sub(bytes, std::memory_order_relaxed);
    return false;
  }
  answer_reserved_ = bytes;
  return true;
}

void HttpConnection::ReleaseAnswer() {
  if (answer_reserved_ == 0) return;
  shared_.answer_bytes.fetch_sub(answer_reserved_, std::memory_order_relaxed);
  answer_reserved_ = 0;
}

int64_t HttpConnection::Acknowledged() {
  UnacknowledgedBytes waiting;
  error_code error;
  stream_.socket().io_control(waiting, error);
  return handed_over_ - (error ? 0 : waiting.bytes);
}

void HttpConnection::OpenWindow() {
  Enter(Phase::kWriting, options_.answer_window);
  acknowledged_before_ = Acknowledged();
}

bool HttpConnection::IsTaken() {
  const auto expected =
      static_cast<int64_t>(options_.answer_rate_min) * options_.answer_window.count() / 1000;
  return Acknowledged() - acknowledged_before_ >= std::max<int64_t>(expected, 1);
}

// Most answers go out here, in one call. True when all is written and the connection goes on.
bool HttpConnection::Send(HttpResponse response) {
  if (loop_.draining()) keep_alive_ = false;
  if (!ReserveAnswer(response)) {
    response = shared_.application.Refuse(
        request_, UnavailableError("answers that clients are slow to take fill their memory"));
  }
  WriteHead(response);
  if (request_.method != "HEAD") {
    if (response.body.size() <= kJoinedBody) {
      out_.append(response.body);
    } else {
      out_body_ = std::move(response.body);
    }
    source_ = std::move(response.source);
    source_offset_ = 0;
  }
  std::array<net::const_buffer, 2> buffers = {net::buffer(out_), net::buffer(out_body_)};
  // TLS can't be told to take only what the socket takes at once.
  if (stream_.secure()) return WriteLater(buffers);
  error_code error;
  net::ip::tcp::socket& socket = stream_.socket();
  // One buffer goes out by send(2), which is cheaper than sendmsg(2).
  size_t written =
      out_body_.empty() ? socket.write_some(buffers[0], error) : socket.write_some(buffers, error);
  if (error && error != net::error::would_block) {
    Close();
    return false;
  }
  handed_over_ += static_cast<int64_t>(written);
  if (written == out_.size() + out_body_.size()) return FinishAnswer();
  size_t of_head = std::min(written, out_.size());
  buffers[0] += of_head;
  buffers[1] += written - of_head;
  return WriteLater(buffers);
}

// False: the answer ends when all of it is written.
bool HttpConnection::WriteLater(const std::array<net::const_buffer, 2>& buffers) {
  OpenWindow();
  auto on_progress = [self = shared_from_this(), before = handed_over_](const error_code& failed,
                                                                        size_t bytes) -> size_t {
    self->handed_over_ = before + static_cast<int64_t>(bytes);
    return failed ? 0 : kWriteStep;
  };
  stream_.AsyncWrite(buffers, std::move(on_progress),
                     [self = shared_from_this()](const error_code& failed, size_t) {
                       if (self->phase_ == Phase::kClosed) return;
                       if (failed) return self->Close();
                       if (self->FinishAnswer()) self->Process();
                     });
  return false;
}

bool HttpConnection::FinishAnswer() {
  if (source_) {
    if (source_offset_ < source_->bytes()) return SendPiece();
    source_.reset();
  }
  Release();
  ReleaseAnswer();
  if (!keep_alive_) {
    if (refused_ || unread() > 0 || stream_.secure()) {
      Linger();
    } else {
      Close();
    }
    return false;
  }
  Recycle(out_);
  Recycle(out_body_);
  Recycle(request_.body);
  request_.Reset();
  Enter(Phase::kIdle, options_.idle_timeout);
  return true;
}

bool HttpConnection::SendPiece() {
  phase_ = Phase::kWriting;
  deadline_ = HttpLoop::Time::max();  // the disk is slow, not the client
  std::string piece = std::move(out_body_);
  piece.resize(std::min<uint64_t>(kSourceStep, source_->bytes() - source_offset_));
  auto task = [self = shared_from_this(), source = source_, offset = source_offset_, piece,
               loop_lives = net::make_work_guard(loop_.io())]() mutable {
    Result<size_t> bytes = source->Read(offset, piece);
    source.reset();
    net::io_context& io = self->loop_.io();
    net::post(io, [self = std::move(self), loop_lives = std::move(loop_lives),
                   bytes = std::move(bytes), piece = std::move(piece)]() mutable {
      self->OnPieceRead(std::move(bytes), std::move(piece));
    });
  };
  if (shared_.pool.Submit(std::move(task)).ok()) return false;
  // Rather a loop that waits for the disk than an answer that is cut off.
  Result<size_t> bytes = source_->Read(source_offset_, piece);
  OnPieceRead(std::move(bytes), std::move(piece));
  return false;
}

void HttpConnection::OnPieceRead(Result<size_t> bytes, std::string piece) {
  if (phase_ == Phase::kClosed) return;
  if (!bytes.ok() || *bytes == 0) {
    shared_.log.Write(LogLevel::kError, "answer_cut_off",
                      bytes.ok() ? "a file has become shorter" : bytes.status().message());
    return Close();
  }
  piece.resize(*bytes);
  source_offset_ += *bytes;
  out_.clear();
  out_body_ = std::move(piece);
  WriteLater({net::buffer(out_), net::buffer(out_body_)});
}

// Closing at once would reset the connection, and the client could lose the answer (RFC 9112, 9.6).
void HttpConnection::Linger() {
  Enter(Phase::kLingering, options_.linger_timeout);
  if (stream_.secure() && !refused_ && unread() == 0) {
    return stream_.AsyncEnd([self = shared_from_this()](const error_code&) { self->Close(); });
  }
  // TLS would take what the client still sends for an error once it has been told the end.
  error_code error;
  if (!stream_.secure()) stream_.socket().shutdown(net::ip::tcp::socket::shutdown_send, error);
  if (error) return Close();
  if (!reading_) begin_ = end_ = 0;
  ArmRead();
}

}  // namespace akidb::rest
