#include "api/grpc/akidb_ingest_stream.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "api/grpc/akidb_ingest_message.h"
#include "api/grpc/akidb_message.h"
#include "api/grpc/message_bytes.h"
#include "api/grpc/value_message.h"

namespace akidb::rpc {
namespace {

constexpr size_t kArenaBytesMin = 1024;
constexpr std::chrono::milliseconds kRoomWait(20);

Status Stopping() {
  return UnavailableError("the server is stopping: begin again behind the last acknowledged batch");
}

CallHead UnboundedHead() {
  CallHead head;
  head.right = Right::kWrite;
  head.length = CallLength::kUnbounded;
  return head;
}

// So that who has no key, or one that only reads, takes no place. The collection's own rights are
// checked by each pass.
Status CheckMetadata(const CallEnvironment& environment,
                     const grpc::CallbackServerContext& server) {
  AKIDB_ASSIGN_OR_RETURN(const service::Caller caller, CallerOf(environment, server));
  return caller.MayReadAll().ok() ? caller.MayManage() : OkStatus();
}

bool HoldsText(std::span<const PointInput> points) {
  return std::any_of(points.begin(), points.end(), [](const PointInput& point) {
    return std::any_of(point.vectors.begin(), point.vectors.end(), [](const auto& vector) {
      return std::holds_alternative<TextInput>(vector.second);
    });
  });
}

}  // namespace

Status IngestStreams::Add(const std::shared_ptr<IngestStream>& stream) {
  const MutexLock lock(mutex_);
  if (stopping_) return Stopping();
  if (streams_.size() - begun_ >= kIdleMax) {
    return ResourceExhaustedError("at most " + std::to_string(kIdleMax) +
                                  " streams may wait for their first message at a time");
  }
  streams_.emplace(stream.get(), Open{stream});
  return OkStatus();
}

Status IngestStreams::Begin(const IngestStream& stream) {
  const MutexLock lock(mutex_);
  if (begun_ >= kStreamsMax) {
    return ResourceExhaustedError("at most " + std::to_string(kStreamsMax) +
                                  " streams may ingest at a time");
  }
  const auto found = streams_.find(&stream);
  if (found == streams_.end() || found->second.begun) return OkStatus();
  found->second.begun = true;
  ++begun_;
  return OkStatus();
}

void IngestStreams::Remove(const IngestStream& stream) {
  const MutexLock lock(mutex_);
  const auto found = streams_.find(&stream);
  if (found == streams_.end()) return;
  if (found->second.begun) --begun_;
  streams_.erase(found);
}

Status IngestStreams::Submit(const std::shared_ptr<IngestStream>& stream) {
  const MutexLock lock(mutex_);
  if (passes_ >= options_.passes_max) {
    ready_.push_back(stream);
    return OkStatus();
  }
  AKIDB_RETURN_IF_ERROR(stream->SubmitPass());
  ++passes_;
  return OkStatus();
}

void IngestStreams::EndPass() {
  for (;;) {
    std::shared_ptr<IngestStream> next;
    Status submitted;
    {
      const MutexLock lock(mutex_);
      if (ready_.empty()) {
        --passes_;
        return;
      }
      next = std::move(ready_.front());
      ready_.pop_front();
      submitted = next->SubmitPass();
    }
    if (submitted.ok()) return;
    next->FailPass(submitted);
  }
}

void IngestStreams::Stop() {
  std::vector<std::shared_ptr<IngestStream>> streams;
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    for (const auto& [key, open] : streams_) streams.push_back(open.stream);
  }
  for (const std::shared_ptr<IngestStream>& stream : streams) stream->Drain();
}

IngestStream::Reactor* IngestStream::Start(const CallEnvironment& environment,
                                           grpc::CallbackServerContext& server,
                                           IngestStreams& streams) {
  const auto stream = std::make_shared<IngestStream>(environment, server, streams);
  const MutexLock lock(stream->mutex_);
  stream->self_ = stream;
  Status added = CheckMetadata(environment, server);
  if (added.ok()) added = streams.Add(stream);
  if (added.ok()) {
    stream->AwaitStart();
  } else {
    stream->End(added);
  }
  stream->Advance();
  return stream.get();
}

IngestStream::IngestStream(const CallEnvironment& environment, grpc::CallbackServerContext& server,
                           IngestStreams& streams)
    : environment_(environment),
      server_(server),
      streams_(streams),
      context_(DeadlineOf(environment, server, UnboundedHead())) {}

void IngestStream::Drain() {
  const MutexLock lock(mutex_);
  draining_ = true;
  Advance();
}

Status IngestStream::SubmitPass() {
  return environment_.pool.Submit([self = shared_from_this()] { self->Run(); });
}

void IngestStream::FailPass(const Status& status) {
  const MutexLock lock(mutex_);
  running_ = false;
  End(status);
  Advance();
}

void IngestStream::OnReadDone(bool ok) {
  const MutexLock lock(mutex_);
  reading_ = false;
  if (!ok) {
    read_all_ = true;
  } else if (!ended_) {
    const Status taken = Take(incoming_);
    if (!taken.ok()) End(taken);
  }
  incoming_.Clear();
  Advance();
}

void IngestStream::OnWriteDone(bool ok) {
  const MutexLock lock(mutex_);
  writing_ = false;
  outgoing_.pop_front();
  if (!ok) {
    outgoing_.clear();
    End(Status(ErrorCode::kCancelled, "the client has left"));
  }
  Advance();
}

void IngestStream::OnCancel() {
  context_.Cancel();
  const MutexLock lock(mutex_);
  End(Status(ErrorCode::kCancelled, "the client has left"));
  Advance();
}

void IngestStream::OnDone() {
  streams_.Remove(*this);
  std::shared_ptr<IngestStream> self;  // ends behind the lock
  const MutexLock lock(mutex_);
  self.swap(self_);
}

// The first reason counts.
void IngestStream::End(const Status& status) {
  if (!ended_) ended_ = status;
}

bool IngestStream::IsDone() const {
  if (running_ || writing_ || finished_) return false;
  if (ended_) return outgoing_.empty();
  return (read_all_ || draining_) && waiting_.empty() && outgoing_.empty();
}

void IngestStream::Advance() {
  if (IsDone()) {
    finished_ = true;
    if (!read_all_) End(Stopping());
    waiting_.clear();
    Finish(ToGrpcStatus(ended_.value_or(OkStatus())));
    return;
  }
  if (finished_) return;
  if (!reading_ && !read_all_ && !ended_ && !draining_ && waiting_.size() < kWaitingMax &&
      waiting_bytes_ < kWaitingBytesMax) {
    reading_ = true;
    StartRead(&incoming_);
  }
  if (!running_ && !held_back_ && !ended_ && !waiting_.empty() &&
      outgoing_.size() < kResponsesMax) {
    running_ = true;
    const Status submitted = streams_.Submit(shared_from_this());
    if (!submitted.ok()) {
      running_ = false;
      End(submitted);
      return Advance();
    }
  }
  if (!writing_ && !outgoing_.empty()) {
    writing_ = true;
    StartWrite(&outgoing_.front());
  }
}

Status IngestStream::Take(const grpc::ByteBuffer& bytes) {
  Waiting message;
  google::protobuf::ArenaOptions options;
  // In one block what is little more than the message, for most of it are numbers.
  options.start_block_size = kArenaBytesMin + bytes.Length() + bytes.Length() / 4;
  message.arena = std::make_unique<google::protobuf::Arena>(options);
  auto* request = google::protobuf::Arena::CreateMessage<v1::IngestRequest>(message.arena.get());
  AKIDB_RETURN_IF_ERROR(ParseMessage(bytes, *request));
  switch (request->message_case()) {
    case v1::IngestRequest::kStart:
      AKIDB_RETURN_IF_ERROR(TakeStart(request->start()));
      break;
    case v1::IngestRequest::kBatch:
      AKIDB_RETURN_IF_ERROR(TakeBatch(request->batch()));
      message.batch = &request->batch();
      break;
    case v1::IngestRequest::MESSAGE_NOT_SET:
      return MalformedError("expected `start` or `batch`, got none");
  }
  message.bytes = bytes.Length();
  waiting_bytes_ += message.bytes;
  waiting_.push_back(std::move(message));
  return OkStatus();
}

Status IngestStream::TakeStart(const v1::IngestStart& start) {
  if (head_) return MalformedError("start: the first message alone may be one");
  if (start.collection_name().empty()) {
    return ValidationError("[start.collection_name: expected a name]");
  }
  AKIDB_RETURN_IF_ERROR(streams_.Begin(*this));
  head_ = UnboundedHead();
  head_->collection = start.collection_name();
  model_ = start.model();
  continues_ = start.continue_after_refusal();
  return OkStatus();
}

Status IngestStream::TakeBatch(const v1::IngestBatch& batch) {
  if (!head_) return MalformedError("batch: the first message has to be `start`");
  if (batch.sequence() <= last_sequence_) {
    return ValidationError("[batch.sequence: expected more than " + std::to_string(last_sequence_) +
                           ", got " + std::to_string(batch.sequence()) + "]");
  }
  last_sequence_ = batch.sequence();
  return OkStatus();
}

void IngestStream::Respond(const v1::IngestResponse& response) {
  const Status encoded = SerializeMessage(response, outgoing_.emplace_back());
  if (encoded.ok()) return;
  outgoing_.pop_back();
  End(encoded);
}

IngestStream::Pass IngestStream::TakePass() {
  Pass pass;
  size_t bytes = 0;
  while (!waiting_.empty() && pass.batches.size() < kPassBatchesMax && bytes < kPassBytesMax) {
    bytes += waiting_.front().bytes;
    pass.batches.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return pass;
}

void IngestStream::EndPass(Pass pass) {
  for (const v1::IngestResponse& response : pass.responses) Respond(response);
  for (size_t i = 0; i < pass.settled; ++i) waiting_bytes_ -= pass.batches[i].bytes;
  while (pass.batches.size() > pass.settled) {
    waiting_.push_front(std::move(pass.batches.back()));
    pass.batches.pop_back();
  }
  if (!pass.has_room && !ended_) HoldBack();
}

void IngestStream::HoldBack() {
  held_back_ = true;
  room_alarm_ = std::make_unique<grpc::Alarm>();
  room_alarm_->Set(std::chrono::system_clock::now() + kRoomWait, [weak = weak_from_this()](bool) {
    const std::shared_ptr<IngestStream> self = weak.lock();
    if (self == nullptr) return;
    const MutexLock lock(self->mutex_);
    self->held_back_ = false;
    self->Advance();
  });
}

void IngestStream::AwaitStart() {
  const std::chrono::milliseconds wait = streams_.options().start_wait;
  start_alarm_.Set(std::chrono::system_clock::now() + wait, [weak = weak_from_this(), wait](bool) {
    const std::shared_ptr<IngestStream> self = weak.lock();
    if (self == nullptr) return;
    const MutexLock lock(self->mutex_);
    if (self->head_) return;
    self->End(Status(ErrorCode::kDeadlineExceeded,
                     "`start` did not come within " + std::to_string(wait.count()) + " ms"));
    self->Advance();
  });
}

void IngestStream::Run() {
  Pass pass;
  {
    const MutexLock lock(mutex_);
    pass = TakePass();
  }
  const Status written = RunCall({environment_, server_, *head_, context_},
                                 [&](const Call& call) { return WriteBatches(call, pass); });
  // Before the stream can end, behind which there may be no server.
  if (pass.counts) streams_.EndPass();
  const MutexLock lock(mutex_);
  running_ = false;
  if (!written.ok()) End(written);
  EndPass(std::move(pass));
  Advance();
}

Status IngestStream::WriteBatches(const Call& call, Pass& pass) {
  if (pass.batches.front().batch == nullptr) {
    // The first message: whether its collection is there.
    AKIDB_RETURN_IF_ERROR(call.service.Ingest(call.context, call.collection, {}).status());
    pass.settled = 1;
  }
  while (pass.settled < pass.batches.size() && pass.has_room && !pass.embeds) {
    AKIDB_RETURN_IF_ERROR(WriteSome(call, pass));
  }
  return OkStatus();
}

Status IngestStream::WriteSome(const Call& call, Pass& pass) {
  const auto batches = std::span<const Waiting>(pass.batches).subspan(pass.settled);
  std::vector<UpdateOperation> operations;
  std::vector<service::RefusedPoint> refused_points;
  for (size_t i = 0; i < batches.size() && refused_points.empty() && !pass.embeds; ++i) {
    UpsertRequest upsert;
    refused_points = DecodeIngestBatch(*batches[i].batch, model_, upsert.points);
    pass.embeds = HoldsText(upsert.points);
    if (refused_points.empty()) operations.emplace_back(std::move(upsert));
  }
  if (pass.embeds && pass.counts) {
    // It waits for the model, and without a thread's place: streams without texts don't wait for
    // that.
    pass.counts = false;
    streams_.EndPass();
  }
  AKIDB_ASSIGN_OR_RETURN(const service::IngestReply reply,
                         call.service.Ingest(call.context, call.collection, operations));
  const size_t written = reply.replies.size();
  pass.settled += written;
  pass.has_room = reply.has_room;
  if (written == 0 && !reply.has_room) return OkStatus();
  v1::IngestResponse& response = pass.responses.emplace_back();
  Acknowledge(batches.first(written), reply, response);
  if (!reply.has_room || (reply.refused.ok() && refused_points.empty())) return OkStatus();
  const v1::IngestBatch& refused = *batches[written].batch;
  if (!reply.refused.ok()) refused_points.clear();  // they are of a later batch
  if (IsOfBatch(reply.refused)) {
    // The points went with the write: they are made once more, to find those that are to blame.
    std::vector<PointInput> points;
    DecodeIngestBatch(refused, model_, points);
    refused_points = call.service.RefusedPoints(call.collection, points, kRefusedPointsMax);
  }
  ++pass.settled;
  return Refuse(refused, reply.refused, refused_points, response);
}

void IngestStream::Acknowledge(std::span<const Waiting> batches, const service::IngestReply& reply,
                               v1::IngestResponse& response) {
  for (size_t i = 0; i < batches.size(); ++i) {
    const service::WriteReply& one = reply.replies[i];
    acknowledged_sequence_ = batches[i].batch->sequence();
    acknowledged_points_ += static_cast<uint64_t>(batches[i].batch->points_size());
    operation_id_ = one.seq;
    if (!one.usage.empty()) {
      EncodeTokens(one.usage, one.truncated_texts, *response.mutable_usage());
    }
  }
  response.set_acknowledged_sequence(acknowledged_sequence_);
  response.set_acknowledged_points(acknowledged_points_);
  response.set_operation_id(operation_id_);
}

Status IngestStream::Refuse(const v1::IngestBatch& batch, const Status& status,
                            std::span<const service::RefusedPoint> points,
                            v1::IngestResponse& response) {
  Status told = status;
  if (!points.empty() && (status.ok() || IsOfBatch(status))) {
    const service::RefusedPoint& first = points.front();
    told = first.status.WithContext(Nth("points", first.index));
  }
  told = told.WithContext("batch " + std::to_string(batch.sequence()));
  EncodeRefusal(batch, told, points, *response.mutable_refusal());
  return continues_ && IsOfBatch(told) ? OkStatus() : told;
}

}  // namespace akidb::rpc
