#include "storage/segment/section_file_writer.h"

#include <algorithm>

#include "base/crc32c.h"

namespace akidb::storage {
namespace {

constexpr size_t kBufferBytes = 16 * kSectionBlockBytes;

}  // namespace

SectionFileWriter::SectionFileWriter(env::FileSystem& fs, const std::string& directory,
                                     const std::string& name)
    : fs_(fs), directory_(directory), name_(name) {
  buffer_.reserve(kBufferBytes);
}

SectionFileWriter::~SectionFileWriter() {
  if (file_ == nullptr || published_) return;
  file_.reset();
  // A leftover costs only space, and is removed when the collection is opened.
  static_cast<void>(fs_.Remove(env::JoinPath(directory_, name_ + ".tmp")));
}

Result<std::unique_ptr<SectionFileWriter>> SectionFileWriter::Create(
    env::FileSystem& fs, const std::string& directory, const std::string& name,
    const SectionFileHeader& header) {
  std::unique_ptr<SectionFileWriter> writer(new SectionFileWriter(fs, directory, name));
  const std::string path = env::JoinPath(directory, name + ".tmp");
  Status removed = fs.Remove(path);
  if (!removed.ok() && removed.code() != ErrorCode::kNotFound) return removed;
  AKIDB_ASSIGN_OR_RETURN(writer->file_, fs.Open(path, env::OpenMode::kCreate));
  writer->file_uuid_ = header.file_uuid;
  AKIDB_RETURN_IF_ERROR(writer->Append(EncodeSectionFileHeader(header)));
  return writer;
}

Status SectionFileWriter::Align(uint64_t alignment) {
  EndSection();
  return Pad(alignment);
}

Status SectionFileWriter::BeginSection(const SectionEntry& entry, uint64_t alignment) {
  AKIDB_RETURN_IF_ERROR(Align(alignment));
  sections_.push_back(entry);
  sections_.back().offset = position();
  in_section_ = true;
  return OkStatus();
}

Status SectionFileWriter::Append(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    size_t count = std::min(bytes.size(), kBufferBytes - buffer_.size());
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(count));
    bytes = bytes.subspan(count);
    if (buffer_.size() == kBufferBytes) AKIDB_RETURN_IF_ERROR(FlushData());
  }
  return OkStatus();
}

Status SectionFileWriter::AddSection(const SectionEntry& entry, std::span<const std::byte> bytes) {
  if (bytes.empty()) return OkStatus();
  AKIDB_RETURN_IF_ERROR(BeginSection(entry));
  return Append(bytes);
}

void SectionFileWriter::EndSection() {
  if (!in_section_) return;
  sections_.back().bytes = position() - sections_.back().offset;
  in_section_ = false;
}

Status SectionFileWriter::Pad(uint64_t alignment) {
  static constexpr std::byte kZeros[kRowsAlignment]{};
  uint64_t missing = AlignUp(position(), alignment) - position();
  while (missing > 0) {
    size_t count = static_cast<size_t>(std::min<uint64_t>(missing, sizeof kZeros));
    AKIDB_RETURN_IF_ERROR(Append(std::span(kZeros).first(count)));
    missing -= count;
  }
  return OkStatus();
}

Status SectionFileWriter::FlushData() {
  std::span<const std::byte> rest(buffer_);
  while (!rest.empty()) {
    std::span<const std::byte> block = rest.first(std::min(rest.size(), kSectionBlockBytes));
    block_crcs_.push_back(SectionBlockCrc(file_uuid_, block_crcs_.size(), block));
    rest = rest.subspan(block.size());
  }
  AKIDB_RETURN_IF_ERROR(WriteOut(buffer_));
  buffer_.clear();
  return OkStatus();
}

Status SectionFileWriter::WriteOut(std::span<const std::byte> bytes) {
  AKIDB_RETURN_IF_ERROR(file_->WriteAt(flushed_, bytes));
  sha256_.Update(bytes);
  flushed_ += bytes.size();
  return OkStatus();
}

Result<FileRef> SectionFileWriter::Finish(const RowSummary& summary) {
  AKIDB_RETURN_IF_ERROR(Align(kSectionAlignment));
  AKIDB_RETURN_IF_ERROR(FlushData());
  SectionFileFooter footer;
  footer.rows = summary.rows;
  footer.first_seq = summary.first_seq;
  footer.last_seq = summary.last_seq;
  footer.data_bytes = flushed_;
  std::span<const std::byte> table = std::as_bytes(std::span(block_crcs_));
  footer.table_crc = Crc32c(table);
  AKIDB_RETURN_IF_ERROR(WriteOut(table));
  footer.sha256 = sha256_.Digest();
  footer.sections = std::move(sections_);
  std::vector<std::byte> encoded = EncodeSectionFileFooter(footer);
  SectionFileTrailer trailer;
  trailer.footer_offset = flushed_;
  trailer.footer_bytes = static_cast<uint32_t>(encoded.size());
  trailer.footer_crc = SectionFooterCrc(file_uuid_, encoded);
  trailer.file_uuid = file_uuid_;
  trailer.file_bytes = flushed_ + encoded.size() + kSectionFileTrailerBytes;
  std::vector<std::byte> tail = EncodeSectionFileTrailer(trailer);
  encoded.insert(encoded.end(), tail.begin(), tail.end());
  AKIDB_RETURN_IF_ERROR(WriteOut(encoded));
  AKIDB_RETURN_IF_ERROR(file_->SyncData());
  const std::string path = env::JoinPath(directory_, name_);
  AKIDB_RETURN_IF_ERROR(fs_.Rename(path + ".tmp", path));
  published_ = true;
  AKIDB_RETURN_IF_ERROR(fs_.SyncDirectory(directory_));
  return FileRef{name_, flushed_, sha256_.Digest()};
}

}  // namespace akidb::storage
