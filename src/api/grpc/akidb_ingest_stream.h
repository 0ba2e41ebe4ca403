// One stream of AkidbService.Ingest: batches in, acknowledgements out.
//
// Batches wait in a bounded queue; while it is full nothing more is read, and HTTP/2's own flow
// control holds the client back. So it does while the collection has no room. The request pool
// writes a few of them at a time (one pass), which wait for the disk together, and one response
// acknowledges them. Responses that the client doesn't read are bounded, too: then no more is
// written. Between passes a stream has no thread, and passes never take all threads of the pool.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include <akidb/v1/akidb.pb.h>
#include <google/protobuf/arena.h>
#include <grpcpp/alarm.h>
#include <grpcpp/grpcpp.h>

#include "api/grpc/call.h"
#include "base/mutex.h"
#include "base/request_context.h"
#include "base/status.h"

namespace akidb::rpc {

class IngestStream;

struct IngestOptions {
  size_t passes_max = 1;                        // at a time; the others wait without a thread
  std::chrono::milliseconds start_wait{30000};  // for the first message, then the stream ends
};

// The streams of a server. Thread-safe.
class IngestStreams {
 public:
  // Of those that have begun. Each holds up to kWaitingBytesMax and a message.
  static constexpr size_t kStreamsMax = 32;
  // Of those whose first message is still to come; they hold next to nothing.
  static constexpr size_t kIdleMax = 256;

  explicit IngestStreams(const IngestOptions& options = {}) : options_(options) {}

  const IngestOptions& options() const { return options_; }

  // kResourceExhausted: as many have not begun as may be; kUnavailable: the server is stopping.
  Status Add(const std::shared_ptr<IngestStream>& stream);
  // Its first message has come. kResourceExhausted: as many have begun as may be.
  Status Begin(const IngestStream& stream);
  void Remove(const IngestStream& stream);
  // Lets each finish what it has read, and takes no new ones.
  void Stop();

  // Runs a pass of the stream once it may have a thread. kResourceExhausted, kUnavailable: the pool
  // takes no more.
  Status Submit(const std::shared_ptr<IngestStream>& stream);
  // By each pass, at its end: its thread is the next stream's.
  void EndPass();

 private:
  struct Open {
    std::shared_ptr<IngestStream> stream;  // shared: it may end while Stop() is at it
    bool begun = false;
  };

  const IngestOptions options_;
  Mutex mutex_;
  bool stopping_ AKIDB_GUARDED_BY(mutex_) = false;
  std::unordered_map<const IngestStream*, Open> streams_ AKIDB_GUARDED_BY(mutex_);
  size_t begun_ AKIDB_GUARDED_BY(mutex_) = 0;                                 // of streams_
  size_t passes_ AKIDB_GUARDED_BY(mutex_) = 0;                                // that the pool has
  std::deque<std::shared_ptr<IngestStream>> ready_ AKIDB_GUARDED_BY(mutex_);  // for a pass
};

// Thread-safe. Lives until gRPC is done with it and no pass holds it.
class IngestStream final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                           public std::enable_shared_from_this<IngestStream> {
 public:
  static constexpr size_t kWaitingMax = 16;                     // batches
  static constexpr size_t kWaitingBytesMax = size_t{16} << 20;  // beyond it no more is read
  static constexpr size_t kPassBatchesMax = 8;
  // A pass takes no more batches beyond it: large ones are written one by one, while their numbers
  // are in the caches (docs/internals/api.md).
  static constexpr size_t kPassBytesMax = size_t{1} << 20;
  static constexpr size_t kResponsesMax = 8;  // that the client has not read

  using Reactor = grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;

  // Owns itself from here on; key and rights are checked as far as the call's metadata tell. All
  // outlive it.
  static Reactor* Start(const CallEnvironment& environment, grpc::CallbackServerContext& server,
                        IngestStreams& streams);

  IngestStream(const CallEnvironment& environment, grpc::CallbackServerContext& server,
               IngestStreams& streams);

  // Reads no more; what was read is written and acknowledged.
  void Drain();

  // Of IngestStreams: hands a pass to the pool; and tells that it has not come to be.
  Status SubmitPass();
  void FailPass(const Status& status);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  // A message that waits to be written; without a batch the first one.
  struct Waiting {
    std::unique_ptr<google::protobuf::Arena> arena;
    const v1::IngestBatch* batch = nullptr;
    size_t bytes = 0;
  };

  // Begins whatever can be begun now.
  void Advance() AKIDB_REQUIRES(mutex_);
  bool IsDone() const AKIDB_REQUIRES(mutex_);
  Status Take(const grpc::ByteBuffer& bytes) AKIDB_REQUIRES(mutex_);
  Status TakeStart(const v1::IngestStart& start) AKIDB_REQUIRES(mutex_);
  Status TakeBatch(const v1::IngestBatch& batch) AKIDB_REQUIRES(mutex_);
  void Respond(const v1::IngestResponse& response) AKIDB_REQUIRES(mutex_);
  void End(const Status& status) AKIDB_REQUIRES(mutex_);

  // Some of the messages that wait, and what has become of them.
  struct Pass {
    std::vector<Waiting> batches;
    size_t settled = 0;    // of these: written or refused
    bool has_room = true;  // false: the others are to wait
    bool embeds = false;   // texts, which takes long: others have the thread before the next batch
    bool counts = true;    // among those that run
    std::vector<v1::IngestResponse> responses;
  };
  Pass TakePass() AKIDB_REQUIRES(mutex_);
  void EndPass(Pass pass) AKIDB_REQUIRES(mutex_);
  // Tries again in a moment.
  void HoldBack() AKIDB_REQUIRES(mutex_);
  // Ends the stream if its first message isn't here by then.
  void AwaitStart() AKIDB_REQUIRES(mutex_);

  // On the request pool, one at a time.
  void Run();
  Status WriteBatches(const Call& call, Pass& pass);
  // As many as it can.
  Status WriteSome(const Call& call, Pass& pass);
  void Acknowledge(std::span<const Waiting> batches, const service::IngestReply& reply,
                   v1::IngestResponse& response);
  Status Refuse(const v1::IngestBatch& batch, const Status& status,
                std::span<const service::RefusedPoint> points, v1::IngestResponse& response);

  const CallEnvironment& environment_;
  grpc::CallbackServerContext& server_;
  IngestStreams& streams_;
  RequestContext context_;

  Mutex mutex_;
  std::shared_ptr<IngestStream> self_ AKIDB_GUARDED_BY(mutex_);  // until gRPC is done with it
  grpc::ByteBuffer incoming_ AKIDB_GUARDED_BY(mutex_);
  std::deque<Waiting> waiting_ AKIDB_GUARDED_BY(mutex_);
  size_t waiting_bytes_ AKIDB_GUARDED_BY(mutex_) = 0;  // of the pass that runs, too
  std::deque<grpc::ByteBuffer> outgoing_ AKIDB_GUARDED_BY(mutex_);
  uint64_t last_sequence_ AKIDB_GUARDED_BY(mutex_) = 0;
  bool reading_ AKIDB_GUARDED_BY(mutex_) = false;
  bool read_all_ AKIDB_GUARDED_BY(mutex_) = false;  // there is no more to be read
  bool writing_ AKIDB_GUARDED_BY(mutex_) = false;
  bool running_ AKIDB_GUARDED_BY(mutex_) = false;
  bool held_back_ AKIDB_GUARDED_BY(mutex_) = false;
  // Alarms keep what they call as long as they live themselves: it must not own the stream.
  std::unique_ptr<grpc::Alarm> room_alarm_ AKIDB_GUARDED_BY(mutex_);  // ends held_back_
  grpc::Alarm start_alarm_ AKIDB_GUARDED_BY(mutex_);
  bool draining_ AKIDB_GUARDED_BY(mutex_) = false;
  bool finished_ AKIDB_GUARDED_BY(mutex_) = false;
  std::optional<Status> ended_ AKIDB_GUARDED_BY(mutex_);  // early

  // Set by the first message, before the first pass.
  std::optional<CallHead> head_;
  std::string model_;
  bool continues_ = false;

  // Of passes alone.
  uint64_t acknowledged_sequence_ = 0;
  uint64_t acknowledged_points_ = 0;
  uint64_t operation_id_ = 0;
};

}  // namespace akidb::rpc
