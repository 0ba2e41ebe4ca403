// One client's connection and the event loop that it lives on. Internal to the HTTP server: this
// header brings in Boost.Asio. Everything here runs on the loop's one thread.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/buffer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "api/rest/http_parser.h"
#include "api/rest/http_server.h"
#include "api/rest/http_stream.h"
#include "base/mutex.h"

namespace akidb::rest {

// What the loops of one server have in common. Thread-safe.
struct HttpShared {
  HttpShared(HttpServerOptions with, HttpApplication& app, RequestPool& jobs, Logger& logger)
      : options(std::move(with)), application(app), pool(jobs), log(logger) {}

  // Null: in the clear. A connection keeps what there is when it comes.
  std::shared_ptr<HttpStream::TlsContext> tls() const {
    MutexLock lock(tls_mutex_);
    return tls_;
  }
  void set_tls(std::shared_ptr<HttpStream::TlsContext> context) {
    MutexLock lock(tls_mutex_);
    tls_ = std::move(context);
  }

  const HttpServerOptions options;
  HttpApplication& application;
  RequestPool& pool;
  Logger& log;
  std::atomic<size_t> connections{0};
  std::atomic<size_t> buffered_bytes{0};  // of bodies, from their announcement to their answer
  std::atomic<size_t> answer_bytes{0};    // of answers over 16 KiB, until they are written

 private:
  mutable Mutex tls_mutex_;
  std::shared_ptr<HttpStream::TlsContext> tls_ AKIDB_GUARDED_BY(tls_mutex_);
};

class HttpConnection;

// One thread's event loop with its connections.
class HttpLoop {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit HttpLoop(HttpShared& shared) : shared_(shared), timer_(io_) {}

  // Runs until it has drained.
  void Run();

  boost::asio::io_context& io() { return io_; }
  HttpShared& shared() { return shared_; }
  bool draining() const { return draining_; }
  // No request may arrive any more.
  bool IsClosed(Time now) const { return now >= arrival_end_; }
  // As of the last sweep: good enough for timeouts of seconds.
  Time now() const { return now_; }

  void Add(boost::asio::ip::tcp::socket socket);
  void Remove(HttpConnection& connection);
  // Closes what is idle now, what is no whole request after `drain_timeout`, and everything at
  // `end`. Run returns when no connection is left.
  void Drain(Time end);

 private:
  void ArmSweep();
  void Sweep();

  HttpShared& shared_;
  boost::asio::io_context io_{1};
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work_{
      io_.get_executor()};
  boost::asio::steady_timer timer_;
  bool timer_armed_ = false;
  std::list<std::shared_ptr<HttpConnection>> connections_;
  Time now_ = std::chrono::steady_clock::now();
  bool draining_ = false;
  Time drain_end_ = Time::max();
  Time arrival_end_ = Time::max();
};

class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  using Place = std::list<std::shared_ptr<HttpConnection>>::iterator;

  HttpConnection(boost::asio::ip::tcp::socket socket, HttpLoop& loop);

  void Start();
  // Ends it if it is past its time, or a request still arrives where none may any more.
  void Sweep(HttpLoop::Time now);
  // Closes it unless a request has begun to arrive.
  void Drain();
  // Closes it, whatever it is doing. A running job is cancelled.
  void Close();

  // Where the loop keeps it.
  void set_place(Place place) { place_ = place; }
  Place place() const { return place_; }

 private:
  // kRunning: a job has the request. kLingering: what still arrives is thrown away.
  enum class Phase : unsigned char {
    kHandshake,
    kIdle,
    kHead,
    kLengthBody,
    kChunkedBody,
    kRunning,
    kWriting,
    kLingering,
    kClosed
  };
  // Handed to the pool: outlives the connection if need be.
  struct Exchange;

  void OnHandshake(const boost::system::error_code& error);

  // Reading. Those that return bool: false when there is something to wait for.
  void ArmRead();
  void OnRead(const boost::system::error_code& error, size_t bytes);
  void OnEnd();
  bool MakeRoom();
  void Process();
  bool ParseHead();
  bool OnHead();
  bool ExpectBody();
  bool TakeLengthBody();
  bool ReadLengthBody();
  void OnBodyRead(const boost::system::error_code& error, size_t bytes);
  bool ParseChunks();
  // What of the body has arrived goes to its sink. False.
  bool PassOn();
  void OnPassedOn(const Status& status, std::string piece);

  // Answering.
  bool Dispatch();
  bool RunOnPool(HttpJob job);
  void OnJobDone(HttpResponse response);
  // `status` replaces the one that belongs to the reason; 0 doesn't. Closes afterwards.
  bool Refuse(const Status& reason, int status = 0);
  bool RefuseParse(const boost::system::error_code& error);
  bool Send(HttpResponse response);
  // False: the answer doesn't fit beside those that wait to be taken.
  bool ReserveAnswer(const HttpResponse& response);
  void ReleaseAnswer();
  bool WriteLater(const std::array<boost::asio::const_buffer, 2>& buffers);
  void WriteHead(const HttpResponse& response);
  // Begins to measure how fast the answer is taken.
  void OpenWindow();
  // Whether it has been taken fast enough since then.
  bool IsTaken();
  // Of all that was ever sent, what the client's machine has acknowledged. An approximation with
  // TLS, good for differences.
  int64_t Acknowledged();
  bool FinishAnswer();
  // The next piece of a body that is read while it is sent. False.
  bool SendPiece();
  void OnPieceRead(Result<size_t> bytes, std::string piece);
  void Linger();

  bool Reserve(size_t bytes);
  void Release();
  void Enter(Phase phase, std::chrono::milliseconds time);
  void EnterBody(Phase phase, size_t bytes);
  size_t unread() const { return end_ - begin_; }

  HttpStream stream_;
  HttpLoop& loop_;
  HttpShared& shared_;
  const HttpServerOptions& options_;
  Place place_;
  Phase phase_ = Phase::kIdle;
  HttpLoop::Time phase_start_{};
  HttpLoop::Time deadline_ = HttpLoop::Time::max();
  bool reading_ = false;      // a read is under way
  bool encouraging_ = false;  // "100 Continue" is being written with TLS
  bool keep_alive_ = false;   // after the answer to this request
  bool ended_ = false;        // the client sends no more
  bool refused_ = false;      // what the client still sends belongs to a request that is answered

  // Bytes that have arrived and are not parsed: [begin_, end_) of the buffer.
  std::unique_ptr<char[]> buffer_;
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t head_bytes_ = 0;  // of this request's header, parsed so far
  uint64_t body_max_ = 0;
  size_t body_length_ = 0;  // of Content-Length
  size_t body_got_ = 0;     // of it
  size_t body_passed_ = 0;  // of that, no longer in request_.body
  bool passing_ = false;    // to the sink, just now
  size_t reserved_ = 0;     // share of HttpShared::buffered_bytes

  HttpRequest request_;
  bool peer_is_loopback_ = false;
  std::optional<HttpParser> parser_;
  std::shared_ptr<Exchange> exchange_;  // while a job runs
  std::string out_;                     // head of the answer, with its body if that is small
  std::string out_body_;
  // What is to be sent after that. Shared with the thread that reads from it.
  std::shared_ptr<HttpBodySource> source_;
  uint64_t source_offset_ = 0;
  size_t answer_reserved_ = 0;       // share of HttpShared::answer_bytes
  int64_t handed_over_ = 0;          // to the socket, of all answers
  int64_t acknowledged_before_ = 0;  // when the window began
};

}  // namespace akidb::rest
