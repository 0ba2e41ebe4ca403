#include "engine/segment_rescue.h"

#include <atomic>
#include <utility>

#include "engine/merge_rows.h"
#include "engine/segment_options.h"
#include "storage/segment/delta.h"
#include "storage/segment/segment_writer.h"

namespace akidb::engine {
namespace {

// kUnavailable: the device can't read it.
bool IsLost(const Status& status) {
  return status.code() == ErrorCode::kCorruption || status.code() == ErrorCode::kUnavailable;
}

// A device that fails to read may succeed when it is asked again.
constexpr int kTries = 3;

}  // namespace

Result<std::unique_ptr<SegmentRescue>> SegmentRescue::Examine(
    env::FileSystem& fs, const std::string& directory, const storage::Manifest& manifest,
    const storage::ManifestSegment& entry) {
  for (int tries = 1;; ++tries) {
    Result<std::unique_ptr<SegmentRescue>> rescue = ExamineOnce(fs, directory, manifest, entry);
    const bool unread =
        rescue.ok() ? (*rescue)->unread_ : rescue.status().code() == ErrorCode::kUnavailable;
    if (!unread || tries == kTries) return rescue;
  }
}

Result<std::unique_ptr<SegmentRescue>> SegmentRescue::ExamineOnce(
    env::FileSystem& fs, const std::string& directory, const storage::Manifest& manifest,
    const storage::ManifestSegment& entry) {
  std::unique_ptr<SegmentRescue> rescue(new SegmentRescue(fs, directory, manifest, entry));
  AKIDB_RETURN_IF_ERROR(rescue->Open());
  if (entry.delta) AKIDB_RETURN_IF_ERROR(rescue->ReadDelta());
  rescue->living_ = entry.rows - rescue->dead_.count();
  const Status whole = rescue->reader_->VerifyAll(entry.file.sha256);
  if (whole.ok()) return rescue;
  if (!IsLost(whole)) return whole;
  AKIDB_RETURN_IF_ERROR(rescue->FindLost());
  if (!rescue->lost_.empty()) rescue->what_ = whole.message();
  return rescue;
}

Status SegmentRescue::Open() {
  const std::string path = storage::SegmentPath(directory_, entry_.file);
  AKIDB_ASSIGN_OR_RETURN(reader_, storage::SegmentReader::Open(
                                      fs_, path, {entry_.uuid, uuid_in_files_, entry_.file.bytes}));
  if (reader_->rows() == entry_.rows) return OkStatus();
  return CorruptionError(path + " has another number of rows");
}

Status SegmentRescue::ReadDelta() {
  AKIDB_ASSIGN_OR_RETURN(
      const storage::Delta delta,
      storage::ReadDelta(fs_, env::JoinPath(directory_, storage::kSegmentFolder), *entry_.delta,
                         {entry_.uuid, uuid_in_files_, entry_.rows}));
  if (!delta.tombstones.empty()) {
    Result<Bitmap> dead = Bitmap::Deserialize(delta.tombstones, entry_.rows);
    if (!dead.ok()) return dead.status().WithContext(entry_.delta->name);
    dead_ = std::move(dead).value();
  }
  std::vector<RowUpdate> updates;
  for (const storage::DeltaChange& change : delta.changes) {
    const std::span<const std::byte> payload = delta.payloads[change.payload];
    updates.push_back({change.row,
                       {change.seq, std::make_shared<const Payload>(
                                        std::vector<std::byte>(payload.begin(), payload.end()))}});
  }
  changes_.Apply(updates);
  return OkStatus();
}

Status SegmentRescue::ReadRow(uint32_t row, storage::SegmentReader::PayloadReader& payloads) const {
  for (size_t ordinal = 0; ordinal < schema_.size(); ++ordinal) {
    // A vector that the collection no longer has may be damaged.
    const std::optional<size_t> there = reader_->FindVector(schema_.name(ordinal));
    if (!there) continue;
    const std::optional<uint32_t> number = reader_->FindNumber(row, *there);
    if (number) AKIDB_RETURN_IF_ERROR(reader_->Vectors(*there, *number, 1).status());
  }
  if (changes_.Find(row) != nullptr) return OkStatus();
  return payloads.Read(row).status();
}

Status SegmentRescue::FindLost() {
  storage::SegmentReader::PayloadReader payloads(*reader_);
  for (uint32_t row = 0; row < reader_->rows(); ++row) {
    if (dead_.Contains(row)) continue;
    const Status status = ReadRow(row, payloads);
    if (status.ok()) continue;
    if (!IsLost(status)) return status;
    unread_ = unread_ || status.code() == ErrorCode::kUnavailable;
    lost_.push_back(reader_->IdOf(row));
    dead_.Add(row);
  }
  return OkStatus();
}

Result<std::optional<storage::ManifestSegment>> SegmentRescue::Write(const Uuid& uuid) {
  const std::atomic<bool> stop{false};
  std::vector<MergeInput> inputs;
  inputs.push_back({reader_, {std::make_shared<const Bitmap>(dead_), changes_}});
  const MergeRows rows(std::move(inputs), schema_, stop, [] { return OkStatus(); });
  if (rows.rows() == 0) return std::optional<storage::ManifestSegment>();
  const storage::SegmentWriteOptions options =
      SegmentOptionsOf(directory_, schema_, uuid, uuid_in_files_);
  AKIDB_ASSIGN_OR_RETURN(const storage::WrittenSegment written,
                         storage::WriteSegment(fs_, options, rows));
  return std::optional(storage::ManifestSegment{.uuid = uuid,
                                                .file = written.file,
                                                .rows = written.rows,
                                                .first_seq = written.first_seq,
                                                .last_seq = written.last_seq,
                                                .delta = std::nullopt});
}

}  // namespace akidb::engine
