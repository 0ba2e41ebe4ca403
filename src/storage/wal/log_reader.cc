#include "storage/wal/log_reader.h"

#include <algorithm>
#include <cstddef>

#include "base/zeros.h"

namespace akidb::storage {
namespace {

constexpr size_t kBufferBytes = size_t{1} << 20;
static_assert(kBufferBytes % kLogFrameBytes == 0);

FragmentHeader HeaderAt(std::span<const std::byte> rest) {
  return DecodeFragmentHeader(rest.first<kFragmentHeaderBytes>());
}

// No fragment begins at the first of `rest`'s bytes, nor at this many behind it: their kinds are
// zero, as all is in a tail that was allocated and not written.
size_t WithoutAKind(std::span<const std::byte> rest) {
  constexpr size_t kLook = 256;
  static_assert(kLook > 2 * kFragmentHeaderBytes);
  if (rest.size() < kLook || !AllZero(rest.first(kLook))) return 0;
  return kLook - kFragmentHeaderBytes;
}

// Lengths and places that any version keeps to. Without branches: a search asks it of each byte.
bool IsPlausible(const FragmentHeader& header, uint64_t rest_bytes, uint64_t offset) {
  const uint64_t part_end = uint64_t{header.body_offset} + header.part_bytes;
  return (header.kind != 0) & (kFragmentHeaderBytes + header.part_bytes <= rest_bytes) &
         (header.record_bytes <= kLogRecordBytesMax) & (part_end <= header.record_bytes) &
         (header.durable >= kLogHeaderBytes) & (header.durable <= offset);
}

}  // namespace

LogReader::LogReader(std::unique_ptr<env::File> file, std::string path)
    : file_(std::move(file)), path_(std::move(path)) {}

Result<std::unique_ptr<LogReader>> LogReader::Open(std::unique_ptr<env::File> file,
                                                   std::string path) {
  std::unique_ptr<LogReader> reader(new LogReader(std::move(file), std::move(path)));
  AKIDB_ASSIGN_OR_RETURN(reader->file_bytes_, reader->file_->Size());
  const uint64_t frames = (reader->file_bytes_ + kLogFrameBytes - 1) / kLogFrameBytes;
  reader->buffer_.resize(std::min<uint64_t>(kBufferBytes, frames * kLogFrameBytes));
  AKIDB_ASSIGN_OR_RETURN(std::span<const std::byte> page, reader->RestOfFrame(0));
  AKIDB_ASSIGN_OR_RETURN(reader->header_, DecodeLogFileHeader(page, reader->path_));
  reader->seed_ = ChecksumSeed(reader->header_.file_uuid);
  LogPosition start;
  start.next_seq = reader->header_.first_seq;
  start.checksum = reader->header_.checksum_before;
  start.record_checksum = reader->header_.checksum_before;
  reader->boundaries_.push_back(start);
  reader->Rewind(start);
  return reader;
}

Status LogReader::ReadFromMedium() {
  AKIDB_RETURN_IF_ERROR(file_->SyncData());
  AKIDB_RETURN_IF_ERROR(file_->DropCache());
  buffer_bytes_ = 0;
  return OkStatus();
}

void LogReader::Rewind(const LogPosition& position) {
  position_ = position;
  at_ = position.offset;
  checksum_ = position.checksum;
  in_record_ = false;
  while (boundaries_.size() > 1 && boundaries_.back().offset > position.offset) {
    boundaries_.pop_back();
  }
}

Result<std::span<const std::byte>> LogReader::RestOfFrame(uint64_t offset) {
  if (offset >= file_bytes_) return std::span<const std::byte>();
  uint64_t frame = offset - offset % kLogFrameBytes;
  if (frame < buffer_offset_ || frame >= buffer_offset_ + buffer_bytes_) {
    AKIDB_ASSIGN_OR_RETURN(buffer_bytes_, file_->ReadAt(frame, buffer_));
    buffer_offset_ = frame;
  }
  size_t begin = offset - buffer_offset_;
  size_t end = std::min<size_t>(frame + kLogFrameBytes - buffer_offset_, buffer_bytes_);
  if (begin >= end) return std::span<const std::byte>();
  return std::span<const std::byte>(buffer_).subspan(begin, end - begin);
}

Result<std::optional<LogRecord>> LogReader::Next() {
  for (;;) {
    AKIDB_ASSIGN_OR_RETURN(Step step, NextFragment());
    if (step == Step::kEnd) return std::optional<LogRecord>();
    if (step == Step::kRecord) return std::optional<LogRecord>(record_);
  }
}

Result<LogReader::Step> LogReader::NextFragment() {
  uint64_t start = NextFragmentStart(at_);
  if (start != at_) {
    AKIDB_ASSIGN_OR_RETURN(std::span<const std::byte> padding, RestOfFrame(at_));
    if (!AllZero(padding)) return EndAt(at_, "the padding is not zero");
  }
  AKIDB_ASSIGN_OR_RETURN(std::span<const std::byte> rest, RestOfFrame(start));
  if (rest.empty()) return EndAt(std::min(start, file_bytes_), "the file ends");
  if (rest.size() < kFragmentHeaderBytes) return EndAt(start, "the file ends within a header");
  FragmentHeader header = HeaderAt(rest);
  at_ = start;
  if (std::string_view fault = Fault(header, rest); !fault.empty()) return EndAt(start, fault);
  if (header.kind > static_cast<uint8_t>(FragmentKind::kClosingMark)) {
    return UnsupportedError(path_ + ": a fragment of kind " + std::to_string(header.kind) +
                            " at offset " + std::to_string(start) +
                            " is not known to this program: open it with a newer AkiDB");
  }
  at_ = start + kFragmentHeaderBytes + header.part_bytes;
  checksum_ = header.checksum;
  return TakePart(header, rest.subspan(kFragmentHeaderBytes, header.part_bytes));
}

std::string_view LogReader::Fault(const FragmentHeader& header,
                                  std::span<const std::byte> rest) const {
  if (!IsPlausible(header, rest.size(), at_)) {
    return AllZero(rest.first(kFragmentHeaderBytes)) ? "nothing was written here"
                                                     : "the fragment's header makes no sense";
  }
  if (FragmentChecksum(seed_, rest.first(kFragmentHeaderBytes + header.part_bytes)) !=
      header.checksum) {
    return "the fragment's checksum is wrong";
  }
  if (header.checksum_before != checksum_) return "the fragment belongs behind another one";
  bool mark = header.kind == static_cast<uint8_t>(FragmentKind::kClosingMark);
  if (header.seq != position_.next_seq - (mark ? 1 : 0)) {
    return "the sequence number is not the next one";
  }
  if (mark ? in_record_ : header.body_offset != (in_record_ ? parts_.size() : 0)) {
    return "the record is not continued";
  }
  if (in_record_ && (header.record_bytes != record_bytes_ || header.type != record_.type)) {
    return "the parts of the record disagree";
  }
  if (header.part_bytes == 0 && header.record_bytes != 0) return "an empty part of a record";
  return "";
}

LogReader::Step LogReader::TakePart(const FragmentHeader& header, std::span<const std::byte> part) {
  if (header.kind == static_cast<uint8_t>(FragmentKind::kClosingMark)) {
    position_.offset = at_;
    position_.checksum = checksum_;
    TakeBoundary(header.durable);
    return Step::kMark;
  }
  bool whole = part.size() == header.record_bytes;
  if (!whole) {
    if (!in_record_) parts_.clear();
    if (!in_record_) parts_.reserve(std::min<uint64_t>(header.record_bytes, file_bytes_));
    parts_.insert(parts_.end(), part.begin(), part.end());
  }
  record_ = {header.seq, header.type, whole ? part : std::span<const std::byte>(parts_)};
  record_bytes_ = header.record_bytes;
  in_record_ = !whole && parts_.size() < header.record_bytes;
  if (in_record_) return Step::kPart;
  position_ = {at_, header.seq + 1, checksum_, checksum_};
  TakeBoundary(header.durable);
  return Step::kRecord;
}

void LogReader::TakeBoundary(uint64_t durable) {
  boundaries_.push_back(position_);
  while (boundaries_.size() > 1 && boundaries_[1].offset <= durable) boundaries_.pop_front();
}

LogReader::Step LogReader::EndAt(uint64_t offset, std::string_view reason) {
  at_ = offset;
  end_reason_ = reason;
  return Step::kEnd;
}

std::string LogReader::EndReason() const {
  return "at offset " + std::to_string(at_) + ": " + std::string(end_reason_);
}

Result<LogTail> LogReader::ExamineTail() {
  LogTail tail;
  for (uint64_t offset = position_.offset; offset < file_bytes_;) {
    AKIDB_ASSIGN_OR_RETURN(std::span<const std::byte> rest, RestOfFrame(offset));
    if (rest.empty()) break;
    if (!AllZero(rest)) SearchFrame(rest, offset, tail);
    offset += rest.size();
  }
  return tail;
}

void LogReader::SearchFrame(std::span<const std::byte> rest, uint64_t offset, LogTail& tail) const {
  const auto written =
      std::find_if(rest.rbegin(), rest.rend(), [](std::byte byte) { return byte != std::byte{0}; });
  tail.torn_bytes = offset + static_cast<size_t>(rest.rend() - written) - position_.offset;
  // The good parts of a record that isn't whole are before at_.
  size_t i = at_ > offset ? static_cast<size_t>(at_ - offset) : 0;
  for (; i + kFragmentHeaderBytes <= rest.size(); ++i) {
    i += WithoutAKind(rest.subspan(i));
    FragmentHeader header = HeaderAt(rest.subspan(i));
    if (!IsPlausible(header, rest.size() - i, offset + i)) continue;
    std::span<const std::byte> fragment = rest.subspan(i, kFragmentHeaderBytes + header.part_bytes);
    if (FragmentChecksum(seed_, fragment) != header.checksum) continue;
    if (header.kind > static_cast<uint8_t>(FragmentKind::kClosingMark)) {
      tail.unknown_kind = header.kind;
    }
    if (header.durable > at_) tail.damaged = true;
    if (header.seq >= position_.next_seq) {
      tail.torn_records = std::max(tail.torn_records, header.seq - position_.next_seq + 1);
    }
  }
  if (tail.torn_bytes > 0) tail.torn_records = std::max<uint64_t>(tail.torn_records, 1);
}

Result<bool> LogReader::EndsWithClosingMark() {
  AKIDB_ASSIGN_OR_RETURN(const std::optional<FragmentHeader> mark,
                         ReadClosingMark(*file_, file_bytes_, seed_));
  return mark.has_value();
}

Result<std::optional<FragmentHeader>> ReadClosingMark(env::File& file, uint64_t file_bytes,
                                                      uint32_t seed) {
  const std::optional<FragmentHeader> none;
  if (file_bytes < kLogHeaderBytes + kFragmentHeaderBytes) return none;
  const uint64_t offset = file_bytes - kFragmentHeaderBytes;
  std::byte bytes[kFragmentHeaderBytes];
  AKIDB_ASSIGN_OR_RETURN(const size_t got, file.ReadAt(offset, bytes));
  if (got != sizeof bytes) return none;
  const FragmentHeader header = HeaderAt(bytes);
  const bool is_mark = header.kind == static_cast<uint8_t>(FragmentKind::kClosingMark) &&
                       IsPlausible(header, sizeof bytes, offset) &&
                       FragmentChecksum(seed, bytes) == header.checksum;
  return is_mark ? std::optional(header) : none;
}

}  // namespace akidb::storage
