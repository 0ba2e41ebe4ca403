#include "storage/snapshot/archive.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/zeros.h"

namespace akidb::storage {
namespace {

constexpr size_t kNameBytes = 100;
constexpr size_t kSizeOffset = 124;
constexpr size_t kSizeBytes = 12;
constexpr size_t kSumOffset = 148;
constexpr size_t kTypeOffset = 156;
constexpr uint64_t kOctalMax = (uint64_t{1} << 33) - 1;  // 11 digits
constexpr std::byte kBinarySize{0x80};
constexpr uint64_t kWritebackBytes = uint64_t{8} << 20;
constexpr std::array<std::byte, kArchiveEndBytes> kZeros{};

using Header = std::array<std::byte, kArchiveBlockBytes>;

void PutText(std::string_view text, size_t offset, Header& header) {
  std::memcpy(header.data() + offset, text.data(), text.size());
}

std::string Octal(uint64_t number, size_t digits) {
  std::string text(digits, '0');
  for (size_t i = digits; i > 0; --i, number >>= 3)
    text[i - 1] = static_cast<char>('0' + number % 8);
  return text;
}

// Of the field of a header; nothing when it is in neither form.
std::optional<uint64_t> SizeOf(std::span<const std::byte> field) {
  uint64_t size = 0;
  if (field[0] == kBinarySize) {
    for (size_t i = 1; i < kSizeBytes; ++i) {
      if (size >> 56 != 0) return std::nullopt;
      size = size << 8 | std::to_integer<uint64_t>(field[i]);
    }
    return size;
  }
  for (size_t i = 0; i + 1 < kSizeBytes; ++i) {
    const auto digit = std::to_integer<uint8_t>(field[i]);
    if (digit < '0' || digit > '7') return std::nullopt;
    size = size << 3 | static_cast<uint64_t>(digit - '0');
  }
  return size;
}

}  // namespace

bool IsArchiveName(std::string_view name) {
  if (name.empty() || name.size() >= kNameBytes || name.front() == '.') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

size_t ArchivePadding(uint64_t bytes) {
  return static_cast<size_t>((kArchiveBlockBytes - bytes % kArchiveBlockBytes) %
                             kArchiveBlockBytes);
}

Header ArchiveHeader(std::string_view name, uint64_t bytes) {
  Header header{};
  PutText(name, 0, header);
  PutText("0000644", 100, header);
  PutText("0000000", 108, header);
  PutText("0000000", 116, header);
  if (bytes <= kOctalMax) {
    PutText(Octal(bytes, kSizeBytes - 1), kSizeOffset, header);
  } else {
    header[kSizeOffset] = kBinarySize;
    for (size_t i = 0; i < sizeof bytes; ++i) {
      header[kSizeOffset + kSizeBytes - 1 - i] = static_cast<std::byte>(bytes >> (8 * i));
    }
  }
  PutText("00000000000", 136, header);
  PutText("        ", kSumOffset, header);
  PutText("0", kTypeOffset, header);
  PutText(std::string_view("ustar\00000", 8), 257, header);
  uint64_t sum = 0;
  for (std::byte b : header) sum += std::to_integer<uint64_t>(b);
  PutText(Octal(sum, 6), kSumOffset, header);
  header[kSumOffset + 6] = std::byte{0};
  return header;
}

Result<std::unique_ptr<ArchiveWriter>> ArchiveWriter::Create(env::FileSystem& fs,
                                                             std::string path) {
  std::unique_ptr<ArchiveWriter> writer(new ArchiveWriter(fs, std::move(path)));
  AKIDB_ASSIGN_OR_RETURN(bool exists, fs.Exists(writer->temporary()));
  if (exists) AKIDB_RETURN_IF_ERROR(fs.Remove(writer->temporary()));
  AKIDB_ASSIGN_OR_RETURN(writer->file_, fs.Open(writer->temporary(), env::OpenMode::kCreate));
  return writer;
}

ArchiveWriter::~ArchiveWriter() {
  if (!file_) return;
  file_.reset();
  static_cast<void>(fs_.Remove(temporary()));  // else the next start removes it
}

Status ArchiveWriter::Write(std::span<const std::byte> bytes) {
  hash_.Update(bytes);
  return WriteUnhashed(bytes);
}

Status ArchiveWriter::WriteUnhashed(std::span<const std::byte> bytes) {
  AKIDB_RETURN_IF_ERROR(file_->WriteAt(offset_, bytes));
  offset_ += bytes.size();
  // Else the device would wait for the sync at the end.
  if (offset_ - on_its_way_ >= kWritebackBytes) {
    file_->StartWriteback({on_its_way_, offset_ - on_its_way_});
    on_its_way_ = offset_;
  }
  return OkStatus();
}

Status ArchiveWriter::Pad() {
  AKIDB_CHECK(left_ == 0);
  return Write(std::span(kZeros).first(ArchivePadding(offset_)));
}

Status ArchiveWriter::Begin(std::string_view name, uint64_t bytes) {
  AKIDB_CHECK(IsArchiveName(name));
  if (bytes > kArchiveEntryBytesMax) {
    return TooLargeError(std::string(name) + " is too large for an archive");
  }
  AKIDB_RETURN_IF_ERROR(Pad());
  left_ = bytes;
  return Write(ArchiveHeader(name, bytes));
}

Status ArchiveWriter::Append(std::span<const std::byte> bytes) {
  AKIDB_CHECK(bytes.size() <= left_);
  left_ -= bytes.size();
  return Write(bytes);
}

Status ArchiveWriter::AppendBuffer(std::vector<std::byte> bytes) {
  AKIDB_CHECK(bytes.size() <= left_);
  left_ -= bytes.size();
  AKIDB_RETURN_IF_ERROR(WriteUnhashed(bytes));
  hash_.Update(std::move(bytes));
  return OkStatus();
}

Result<FileRef> ArchiveWriter::Finish() {
  AKIDB_RETURN_IF_ERROR(Pad());
  AKIDB_RETURN_IF_ERROR(Write(kZeros));
  AKIDB_RETURN_IF_ERROR(file_->SyncData());
  AKIDB_RETURN_IF_ERROR(fs_.Rename(temporary(), path_));
  file_.reset();
  AKIDB_RETURN_IF_ERROR(fs_.SyncDirectory(env::DirectoryOf(path_)));
  return FileRef{path_.substr(path_.rfind('/') + 1), offset_, hash_.Finish()};
}

Result<std::unique_ptr<ArchiveReader>> ArchiveReader::Open(env::FileSystem& fs, std::string path) {
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<env::File> file, fs.Open(path, env::OpenMode::kRead));
  return Open(std::move(file), std::move(path));
}

Result<std::unique_ptr<ArchiveReader>> ArchiveReader::Open(std::unique_ptr<env::File> file,
                                                           std::string path) {
  std::unique_ptr<ArchiveReader> reader(new ArchiveReader(std::move(path)));
  reader->file_ = std::move(file);
  AKIDB_ASSIGN_OR_RETURN(reader->bytes_, reader->file_->Size());
  return reader;
}

Status ArchiveReader::Damaged(std::string_view what) const {
  return CorruptionError(path_ + ": at offset " + std::to_string(offset_) + ": " +
                         std::string(what));
}

Status ArchiveReader::ReadBytes(std::span<std::byte> out) {
  if (out.size() > bytes_ - offset_) return Damaged("the archive is cut off");
  AKIDB_ASSIGN_OR_RETURN(const size_t got, file_->ReadAt(offset_, out));
  if (got != out.size()) return Damaged("the archive is cut off");
  offset_ += got;
  return OkStatus();
}

Status ArchiveReader::SkipPadding() {
  std::array<std::byte, kArchiveBlockBytes> padding;
  const std::span<std::byte> wanted = std::span(padding).first(ArchivePadding(offset_));
  AKIDB_RETURN_IF_ERROR(ReadBytes(wanted));
  return AllZero(wanted) ? OkStatus() : Damaged("there are bytes behind the end of a file");
}

Status ArchiveReader::CheckEnd() {
  Header second;
  AKIDB_RETURN_IF_ERROR(ReadBytes(second));
  if (!AllZero(second) || offset_ != bytes_) return Damaged("something stands behind the end");
  return OkStatus();
}

Result<ArchiveEntry> ArchiveReader::DecodeHeader(std::span<const std::byte> header) const {
  const char* text = reinterpret_cast<const char*>(header.data());
  ArchiveEntry entry;
  entry.name.assign(text, strnlen(text, kNameBytes));
  if (!IsArchiveName(entry.name)) {
    return Damaged("an entry's name is none: 1 to 99 of A-Z a-z 0-9 . _ - without a path");
  }
  if (header[kTypeOffset] != std::byte{'0'}) {
    return Damaged(entry.name + " is no regular file");
  }
  const std::optional<uint64_t> size = SizeOf(header.subspan(kSizeOffset, kSizeBytes));
  if (!size) return Damaged("the size of " + entry.name + " is none");
  entry.bytes = *size;
  const Header wanted = ArchiveHeader(entry.name, entry.bytes);
  if (!std::equal(wanted.begin(), wanted.end(), header.begin())) {
    return Damaged("the header of " + entry.name + " is damaged, or of another program");
  }
  if (entry.bytes > kArchiveEntryBytesMax || entry.bytes > bytes_ - offset_) {
    return Damaged(entry.name + " is larger than what there is of the archive");
  }
  return entry;
}

Result<std::optional<ArchiveEntry>> ArchiveReader::Next() {
  AKIDB_CHECK(left_ == 0);
  AKIDB_RETURN_IF_ERROR(SkipPadding());
  Header header;
  AKIDB_RETURN_IF_ERROR(ReadBytes(header));
  if (AllZero(header)) {
    AKIDB_RETURN_IF_ERROR(CheckEnd());
    return std::optional<ArchiveEntry>();
  }
  AKIDB_ASSIGN_OR_RETURN(ArchiveEntry entry, DecodeHeader(header));
  if (!names_.insert(entry.name).second) return Damaged(entry.name + " stands there twice");
  if (names_.size() > kArchiveEntriesMax) {
    return Damaged("the archive has more than " + std::to_string(kArchiveEntriesMax) + " entries");
  }
  left_ = entry.bytes;
  return std::optional(std::move(entry));
}

Result<size_t> ArchiveReader::Read(std::span<std::byte> out) {
  const auto wanted = static_cast<size_t>(std::min<uint64_t>(out.size(), left_));
  AKIDB_RETURN_IF_ERROR(ReadBytes(out.first(wanted)));
  left_ -= wanted;
  return wanted;
}

}  // namespace akidb::storage
