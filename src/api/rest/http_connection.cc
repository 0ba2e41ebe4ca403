#include "api/rest/http_connection.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>

#include <boost/asio/completion_condition.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/beast/http/error.hpp>

namespace akidb::rest {
namespace {

namespace net = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr size_t kFirstBuffer = 2u << 10;  // enough for nearly every header
constexpr size_t kBodyStep = 256u << 10;   // a body's memory grows no faster than it arrives
constexpr size_t kSinkStep = 1u << 20;     // what goes to a sink at once

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

struct HttpConnection::Exchange {
  Exchange(HttpRequest&& arrived, RequestContext::SteadyTime deadline, HttpLoop& loop)
      : request(std::move(arrived)), context(deadline), loop_lives(loop.io().get_executor()) {}

  HttpRequest request;
  RequestContext context;
  std::function<HttpResponse(const HttpRequest&, const RequestContext&)> run;
  net::executor_work_guard<net::io_context::executor_type> loop_lives;
};

HttpConnection::HttpConnection(net::ip::tcp::socket socket, HttpLoop& loop)
    : stream_(std::move(socket), loop.shared().tls()),
      loop_(loop),
      shared_(loop.shared()),
      options_(shared_.options) {}

void HttpConnection::Start() {
  error_code error;
  const auto peer = stream_.socket().remote_endpoint(error);
  peer_is_loopback_ = !error && peer.address().is_loopback();
  stream_.socket().non_blocking(true, error);
  if (error) return Close();
  if (!stream_.secure()) return OnHandshake(error);
  Enter(Phase::kHandshake, options_.head_timeout);
  stream_.AsyncHandshake(
      [self = shared_from_this()](const error_code& failed) { self->OnHandshake(failed); });
}

void HttpConnection::OnHandshake(const error_code& error) {
  if (phase_ == Phase::kClosed) return;
  if (error) {
    shared_.log.Write(LogLevel::kInfo, "tls_handshake_failed", "a client and TLS do not agree",
                      {{"error.type", error.message()}});
    return Close();
  }
  Enter(Phase::kIdle, options_.idle_timeout);
  if (loop_.draining()) Drain();
  if (phase_ != Phase::kClosed) ArmRead();
}

void HttpConnection::Sweep(HttpLoop::Time now) {
  const bool arriving =
      phase_ == Phase::kHead || phase_ == Phase::kLengthBody || phase_ == Phase::kChunkedBody;
  const bool closed = loop_.IsClosed(now) && (arriving || phase_ == Phase::kHandshake);
  if (now < deadline_ && !closed) return;
  if (encouraging_) return Close();
  if (passing_) return;  // the disk is slow, not the client
  if (phase_ == Phase::kWriting && IsTaken()) return OpenWindow();
  if (!arriving) return Close();
  Refuse(closed ? UnavailableError("the server is about to stop")
                : DeadlineExceededError("the request arrived too slowly"));
}

void HttpConnection::Drain() {
  if (phase_ != Phase::kIdle) return;
  // What has been sent before the drain is answered: it is still in the socket, or has been read,
  // and OnRead stands in the loop's queue. What is posted now comes behind that.
  error_code error;
  if (stream_.socket().available(error) > 0) return;
  net::post(loop_.io(), [self = shared_from_this()] {
    if (self->phase_ == Phase::kIdle) self->Close();
  });
}

void HttpConnection::Close() {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosed;
  if (exchange_) exchange_->context.Cancel();
  error_code ignored;
  stream_.socket().close(ignored);
  ReleaseAnswer();
  // A job's bytes stay reserved until it ends.
  if (!exchange_) Release();
  loop_.Remove(*this);
}

void HttpConnection::Enter(Phase phase, std::chrono::milliseconds time) {
  phase_ = phase;
  phase_start_ = loop_.now();
  deadline_ = phase_start_ + time;
}

void HttpConnection::EnterBody(Phase phase, size_t bytes) {
  Enter(phase, options_.transfer_timeout +
                   std::chrono::milliseconds(bytes * 1000 / options_.transfer_rate_min));
}

bool HttpConnection::Reserve(size_t bytes) {
  size_t before = shared_.buffered_bytes.fetch_add(bytes, std::memory_order_relaxed);
  if (before + bytes > options_.buffered_bytes_max) {
    shared_.buffered_bytes.fetch_sub(bytes, std::memory_order_relaxed);
    return false;
  }
  reserved_ += bytes;
  return true;
}

void HttpConnection::Release() {
  if (reserved_ == 0) return;
  shared_.buffered_bytes.fetch_sub(reserved_, std::memory_order_relaxed);
  reserved_ = 0;
}

// Room behind end_ for one byte at least.
bool HttpConnection::MakeRoom() {
  if (begin_ == end_) begin_ = end_ = 0;
  if (end_ < capacity_) return true;
  if (begin_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, unread());
    end_ -= begin_;
    begin_ = 0;
    return true;
  }
  if (capacity_ >= options_.header_bytes_max) return false;
  size_t larger = std::min(options_.header_bytes_max, std::max(kFirstBuffer, capacity_ * 4));
  std::unique_ptr<char[]> buffer(new char[larger]);
  if (end_ > 0) std::memcpy(buffer.get(), buffer_.get(), end_);
  buffer_ = std::move(buffer);
  capacity_ = larger;
  return true;
}

void HttpConnection::ArmRead() {
  if (reading_ || phase_ == Phase::kClosed) return;
  if (ended_) return OnEnd();
  if (!MakeRoom()) return;  // only while a job runs: pipelined requests
  reading_ = true;
  stream_.AsyncReadSome(net::buffer(buffer_.get() + end_, capacity_ - end_),
                        [self = shared_from_this()](const error_code& error, size_t bytes) {
                          self->OnRead(error, bytes);
                        });
}

void HttpConnection::OnRead(const error_code& error, size_t bytes) {
  reading_ = false;
  if (phase_ == Phase::kClosed) return;
  // Without TLS's own end, too: what a request is, its length says.
  if (error == net::error::eof || error == net::ssl::error::stream_truncated) {
    ended_ = true;
    return OnEnd();
  }
  if (error) return Close();
  end_ += bytes;
  switch (phase_) {
    case Phase::kLingering:
      begin_ = end_ = 0;
      return ArmRead();
    case Phase::kRunning:
    case Phase::kWriting:
      return ArmRead();  // a pipelined request; also, so that the client's leaving is noticed
    default:
      return Process();
  }
}

// A client that has gone and one that only sends no more look alike. So the job is cancelled, as
// for one that has gone, and whatever comes of it is sent, for one that listens: no request ends
// without an answer, and a write that was not cancelled in time is reported as done.
void HttpConnection::OnEnd() {
  if (phase_ == Phase::kRunning) return exchange_->context.Cancel();
  if (phase_ != Phase::kWriting) Close();
}

// Goes on until it has to wait: for bytes, for a job, or for the socket to take the answer.
void HttpConnection::Process() {
  bool more = true;
  while (more && !passing_) {
    switch (phase_) {
      case Phase::kIdle:
      case Phase::kHead:
        more = ParseHead();
        break;
      case Phase::kLengthBody:
        more = TakeLengthBody();
        break;
      case Phase::kChunkedBody:
        more = ParseChunks();
        break;
      case Phase::kHandshake:
      case Phase::kRunning:
      case Phase::kWriting:
      case Phase::kLingering:
      case Phase::kClosed:
        more = false;
        break;
    }
  }
}

bool HttpConnection::ParseHead() {
  if (unread() == 0) {
    ArmRead();
    return false;
  }
  if (phase_ == Phase::kIdle) {
    Enter(Phase::kHead, options_.head_timeout);
    parser_.emplace(request_);
    parser_->header_limit(static_cast<uint32_t>(options_.header_bytes_max));
    parser_->body_limit(boost::none);  // which one holds depends on the request
    head_bytes_ = 0;
  }
  error_code error;
  size_t used = parser_->put(net::buffer(buffer_.get() + begin_, unread()), error);
  begin_ += used;
  head_bytes_ += used;
  if (error == http::error::need_more) {
    if (head_bytes_ + unread() >= options_.header_bytes_max) {
      return RefuseParse(http::error::header_limit);
    }
    ArmRead();
    return false;
  }
  if (error) return RefuseParse(error);
  return OnHead();
}

// The header is complete: what can be refused without the body is refused here.
bool HttpConnection::OnHead() {
  request_.start = std::chrono::steady_clock::now();
  keep_alive_ = parser_->keep_alive();
  if (!parser_->has_host() && !parser_->old_client()) {
    return Refuse(MalformedError("the header `host` is missing"));
  }
  if (parser_->has_transfer_encoding() && !parser_->chunked()) {
    return Refuse(MalformedError("the last transfer encoding must be `chunked`"));
  }
  if (parser_->has_other_transfer_encoding()) {
    // RFC 9112, 6.1.
    return Refuse(UnsupportedError("the only transfer encoding that is read is `chunked`"), 501);
  }
  if (parser_->has_content_encoding()) {
    return Refuse(UnsupportedError("bodies with a content encoding are not served"), 415);
  }
  if (parser_->expects_unknown()) {
    return Refuse(UnsupportedError("the only expectation that is met is `100-continue`"), 417);
  }
  body_length_ = static_cast<size_t>(parser_->content_length().value_or(0));
  if (body_length_ == 0 && !parser_->chunked()) return Dispatch();
  HttpReception reception = shared_.application.Receive(request_);
  if (reception.refusal) {
    refused_ = true;
    keep_alive_ = false;
    return Send(std::move(*reception.refusal));
  }
  request_.sink = std::move(reception.sink);
  body_max_ = request_.sink ? reception.bytes_max : options_.body_bytes_max;
  if (body_length_ > body_max_) return RefuseParse(http::error::body_limit);
  if (parser_->chunked()) parser_->body_limit(body_max_);
  return ExpectBody();
}

bool HttpConnection::ExpectBody() {
  if (!Reserve(request_.sink ? 2 * kSinkStep : body_length_)) {
    return Refuse(ResourceExhaustedError("the bodies of requests fill their memory"));
  }
  const bool encourage = parser_->expects_continue() && unread() == 0 && !parser_->old_client();
  if (encourage && !stream_.secure()) {
    error_code ignored;  // a socket that doesn't take it will not take the answer either
    stream_.socket().write_some(net::buffer(kContinue), ignored);
  }
  body_got_ = 0;
  body_passed_ = 0;
  if (parser_->chunked()) {
    EnterBody(Phase::kChunkedBody, 0);
  } else {
    EnterBody(Phase::kLengthBody, body_length_);
  }
  if (!encourage || !stream_.secure()) return true;
  encouraging_ = true;  // two writes at a time would mix
  stream_.AsyncWrite(net::buffer(kContinue), net::transfer_all(),
                     [self = shared_from_this()](const error_code& error, size_t) {
                       self->encouraging_ = false;
                       if (self->phase_ == Phase::kClosed) return;
                       error ? self->Close() : self->Process();
                     });
  return false;
}

// Past what has come with the header, a body is read to where it stays.
bool HttpConnection::TakeLengthBody() {
  size_t taken = std::min(unread(), body_length_ - body_got_);
  if (taken > 0) {
    request_.body.resize(body_got_ - body_passed_);
    request_.body.append(buffer_.get() + begin_, taken);
    begin_ += taken;
    body_got_ += taken;
  }
  const size_t waiting = body_got_ - body_passed_;
  const bool whole = body_got_ == body_length_;
  if (!whole && (!request_.sink || waiting < kSinkStep)) return ReadLengthBody();
  request_.body.resize(waiting);
  if (request_.sink && waiting > 0) return PassOn();
  return Dispatch();
}

bool HttpConnection::PassOn() {
  passing_ = true;
  body_passed_ += request_.body.size();
  // Neither the sink nor the loop may end before the pool's thread has done its part.
  auto task = [self = shared_from_this(), sink = request_.sink, piece = std::move(request_.body),
               loop_lives = net::make_work_guard(loop_.io())]() mutable {
    Status status = sink->Append(piece);
    sink.reset();
    net::io_context& io = self->loop_.io();
    net::post(
        io, [self = std::move(self), loop_lives = std::move(loop_lives), status = std::move(status),
             piece = std::move(piece)]() mutable { self->OnPassedOn(status, std::move(piece)); });
  };
  request_.body.clear();
  if (Status status = shared_.pool.Submit(std::move(task)); !status.ok()) {
    passing_ = false;
    return Refuse(status);
  }
  return false;
}

void HttpConnection::OnPassedOn(const Status& status, std::string piece) {
  passing_ = false;
  if (phase_ == Phase::kClosed) return;
  // Its memory stays.
  request_.body = std::move(piece);
  request_.body.clear();
  if (!status.ok() && !Refuse(status)) return;
  if (phase_ == Phase::kLengthBody) EnterBody(phase_, body_length_ - body_got_);
  Process();
}

bool HttpConnection::ReadLengthBody() {
  if (reading_) return false;  // into the buffer, since before this request
  const size_t waiting = body_got_ - body_passed_;
  request_.body.resize(std::min(body_length_ - body_passed_, waiting + kBodyStep));
  reading_ = true;
  stream_.AsyncReadSome(net::buffer(request_.body.data() + waiting, request_.body.size() - waiting),
                        [self = shared_from_this()](const error_code& error, size_t bytes) {
                          self->OnBodyRead(error, bytes);
                        });
  return false;
}

void HttpConnection::OnBodyRead(const error_code& error, size_t bytes) {
  reading_ = false;
  if (phase_ == Phase::kClosed) return;
  if (error) return Close();
  body_got_ += bytes;
  if (phase_ == Phase::kLengthBody) return Process();
  ArmRead();  // refused meanwhile
}

bool HttpConnection::ParseChunks() {
  while (!parser_->is_done()) {
    size_t before = request_.body.size();
    error_code error;
    begin_ += parser_->put(net::buffer(buffer_.get() + begin_, unread()), error);
    size_t arrived = request_.body.size() - before;
    if (arrived > 0) {
      if (!request_.sink && !Reserve(arrived)) {
        return Refuse(ResourceExhaustedError("the bodies of requests fill their memory"));
      }
      deadline_ += std::chrono::milliseconds(arrived * 1000 / options_.transfer_rate_min);
    }
    if (error && error != http::error::need_more) return RefuseParse(error);
    if (request_.sink && request_.body.size() >= kSinkStep) return PassOn();
    if (error || (unread() == 0 && !parser_->is_done())) {
      if (unread() >= options_.header_bytes_max) return RefuseParse(http::error::bad_chunk);
      ArmRead();
      return false;
    }
  }
  if (request_.sink && !request_.body.empty()) return PassOn();
  return Dispatch();
}

// The request is here.
bool HttpConnection::Dispatch() {
  request_.from_loopback = peer_is_loopback_;
  std::variant<HttpResponse, HttpJob> reply = shared_.application.Begin(request_);
  if (HttpResponse* response = std::get_if<HttpResponse>(&reply)) {
    return Send(std::move(*response));
  }
  return RunOnPool(std::get<HttpJob>(std::move(reply)));
}

bool HttpConnection::RunOnPool(HttpJob job) {
  phase_ = Phase::kRunning;
  deadline_ = HttpLoop::Time::max();  // the job has its own
  exchange_ = std::make_shared<Exchange>(std::move(request_), job.deadline, loop_);
  exchange_->run = std::move(job.run);
  // Nothing of the connection may be left to the pool's thread once the answer is posted: the loop
  // may end before that thread does.
  auto task = [self = shared_from_this(), exchange = exchange_]() mutable {
    HttpResponse response = exchange->run(exchange->request, exchange->context);
    net::io_context& io = self->loop_.io();
    net::post(io, [self = std::move(self), exchange = std::move(exchange),
                   response = std::move(response)]() mutable {
      exchange.reset();
      self->OnJobDone(std::move(response));
    });
  };
  Status status = shared_.pool.Submit(std::move(task));
  if (!status.ok()) {
    request_ = std::move(exchange_->request);
    exchange_.reset();
    return Send(shared_.application.Refuse(request_, status));
  }
  ArmRead();
  return false;
}

void HttpConnection::OnJobDone(HttpResponse response) {
  request_ = std::move(exchange_->request);
  exchange_.reset();
  if (phase_ == Phase::kClosed) return Release();
  if (Send(std::move(response))) Process();
}

bool HttpConnection::Refuse(const Status& reason, int status) {
  refused_ = true;
  keep_alive_ = false;
  HttpResponse response = shared_.application.Refuse(request_, reason);
  if (status != 0) response.status = status;
  return Send(std::move(response));
}

bool HttpConnection::RefuseParse(const error_code& error) {
  if (error == http::error::header_limit) {
    return Refuse(TooLargeError("the header is larger than " +
                                std::to_string(options_.header_bytes_max) + " bytes"),
                  431);
  }
  if (error == http::error::body_limit) {
    return Refuse(TooLargeError("the body is larger than " + std::to_string(body_max_) + " bytes"));
  }
  return Refuse(MalformedError("the request is not HTTP/1.1: " + error.message()));
}

}  // namespace akidb::rest
