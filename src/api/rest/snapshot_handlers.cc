// Snapshots of collections, and of the whole storage where the path names no collection.
#include <algorithm>
#include <memory>
#include <span>

#include "api/rest/api_call.h"
#include "api/rest/route.h"
#include "api/rest/snapshot_json.h"
#include "api/rest/snapshot_upload.h"

namespace akidb::rest {
namespace {

// The value of a parameter; empty when absent.
Result<std::string> QueryParameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const size_t equals = std::min(pair.find('='), pair.size());
    if (pair.substr(0, equals) != name) continue;
    return PercentDecode(pair.substr(std::min(equals + 1, pair.size())));
  }
  return std::string();
}

// Here one waits unless the parameter says otherwise.
bool Waits(const ApiCall& call) {
  const Result<std::string> wait = QueryParameter(call.query, "wait");
  return !wait.ok() || *wait != "false";
}

// To a request that doesn't wait.
std::string Accepted(const ApiCall& call) {
  call.answer->status = 202;
  std::string text;
  JsonWriter json(text);
  json.BeginObject();
  json.Key("status");
  json.String("accepted");
  json.Key("time");
  json.Double(SecondsSince(call.start));
  json.EndObject();
  return text;
}

std::string Done(const ApiCall& call) {
  if (!Waits(call)) return Accepted(call);
  Envelope envelope;
  envelope.result().Bool(true);
  envelope.Extras(call);
  return envelope.Finish();
}

class SnapshotSource final : public HttpBodySource {
 public:
  explicit SnapshotSource(service::SnapshotBytes snapshot) : snapshot_(std::move(snapshot)) {}

  uint64_t bytes() const override { return snapshot_.bytes; }
  Result<size_t> Read(uint64_t offset, std::span<char> out) override {
    return snapshot_.file->ReadAt(offset, std::as_writable_bytes(out));
  }

 private:
  const service::SnapshotBytes snapshot_;
};

}  // namespace

Status SnapshotUploadBody::Append(std::string_view piece) {
  content_.clear();
  AKIDB_RETURN_IF_ERROR(multipart_.Append(piece, content_));
  if (!file_) {
    AKIDB_ASSIGN_OR_RETURN(file_, service_.BeginUpload());
  }
  return file_->Append(std::as_bytes(std::span(content_)));
}

Result<std::unique_ptr<service::SnapshotUpload>> SnapshotUploadBody::Finish() {
  AKIDB_RETURN_IF_ERROR(multipart_.Finish());
  return std::move(file_);
}

Result<std::string> ListSnapshots(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(const std::vector<service::SnapshotInfo> snapshots,
                         call.service.Snapshots(call.collection));
  Envelope envelope;
  JsonWriter& json = envelope.result();
  json.BeginArray();
  for (const service::SnapshotInfo& snapshot : snapshots) WriteSnapshot(snapshot, json);
  json.EndArray();
  envelope.Extras(call);
  return envelope.Finish();
}

Result<std::string> CreateSnapshot(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(const service::SnapshotInfo snapshot,
                         call.service.CreateSnapshot(call.context, call.collection, Waits(call)));
  if (!Waits(call)) return Accepted(call);
  Envelope envelope;
  WriteSnapshot(snapshot, envelope.result());
  envelope.Extras(call);
  return envelope.Finish();
}

Result<std::string> DeleteSnapshot(const ApiCall& call) {
  AKIDB_RETURN_IF_ERROR(call.service.DeleteSnapshot(call.collection, call.point));
  return Done(call);
}

Result<std::string> DownloadSnapshot(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(service::SnapshotBytes snapshot,
                         call.service.OpenSnapshot(call.collection, call.point));
  call.answer->source = std::make_shared<SnapshotSource>(std::move(snapshot));
  // RFC 6266; names that a header can't hold as they are aren't told.
  const bool is_plain = std::all_of(call.point.begin(), call.point.end(), [](char c) {
    return c > 0x20 && c < 0x7F && c != '"' && c != '\\';
  });
  call.answer->headers = "content-disposition: attachment";
  if (is_plain) call.answer->headers += "; filename=\"" + call.point + "\"";
  call.answer->headers += "\r\n";
  return std::string();
}

Result<std::string> RecoverSnapshot(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(service::SnapshotRecovery recovery, DecodeRecovery(call.body));
  recovery.collection = call.collection;
  AKIDB_RETURN_IF_ERROR(call.service.RecoverSnapshot(call.context, recovery, Waits(call)));
  return Done(call);
}

Result<std::string> UploadSnapshot(const ApiCall& call) {
  service::SnapshotReceived received;
  AKIDB_ASSIGN_OR_RETURN(const std::string checksum, QueryParameter(call.query, "checksum"));
  if (!checksum.empty()) {
    AKIDB_ASSIGN_OR_RETURN(received.checksum, ReadChecksum(checksum));
  }
  AKIDB_ASSIGN_OR_RETURN(const std::string priority, QueryParameter(call.query, "priority"));
  if (!priority.empty()) AKIDB_RETURN_IF_ERROR(CheckPriority(priority));
  if (call.upload == nullptr) {
    return InvalidArgumentError(
        "the body is missing: expected a file called `snapshot` in "
        "multipart/form-data");
  }
  AKIDB_ASSIGN_OR_RETURN(received.upload, call.upload->Finish());
  received.name = call.upload->file_name();
  received.collection = call.collection;
  AKIDB_RETURN_IF_ERROR(call.service.RecoverUpload(call.context, std::move(received), Waits(call)));
  return Done(call);
}

}  // namespace akidb::rest
