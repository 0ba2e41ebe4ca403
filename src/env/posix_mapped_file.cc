#include "env/posix_mapped_file.h"

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include <sys/mman.h>

namespace akidb::env {
namespace {

// Pages looked at, and ranges asked for, at a time.
constexpr size_t kPagesAtOnce = 512;
constexpr size_t kRangesAtOnce = 64;

uint64_t PageBytes() {
  static const auto bytes = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

// To who may neither change a file nor owns it, mincore says that all of it is in memory.
bool IsToldWhatIsResident(const struct stat& info, const std::string& path) {
  return geteuid() == 0 || info.st_uid == geteuid() ||
         faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0;
}

}  // namespace

Result<std::unique_ptr<MappedFile>> PosixMappedFile::Open(const std::string& path,
                                                          std::shared_ptr<IoUringPool> rings) {
  AKIDB_ASSIGN_OR_RETURN(Descriptor descriptor, OpenDescriptor(path, O_RDONLY));
  AKIDB_ASSIGN_OR_RETURN(struct stat info, Stat(descriptor, path));
  if (!S_ISREG(info.st_mode)) return IoError(path + " is not a regular file");
  Mapping mapping{nullptr, info, IsToldWhatIsResident(info, path)};
  // A mapping can't be empty.
  if (info.st_size > 0) {
    mapping.address = mmap(nullptr, static_cast<size_t>(info.st_size), PROT_READ, MAP_SHARED,
                           descriptor.get(), 0);
    if (mapping.address == MAP_FAILED) return ErrnoStatus("can't map", path, errno);
  }
  return std::unique_ptr<MappedFile>(new PosixMappedFile(path, mapping, std::move(rings)));
}

PosixMappedFile::PosixMappedFile(std::string path, const Mapping& mapping,
                                 std::shared_ptr<IoUringPool> rings)
    : path_(std::move(path)),
      address_(mapping.address),
      bytes_(static_cast<size_t>(mapping.file.st_size)),
      device_(mapping.file.st_dev),
      inode_(mapping.file.st_ino),
      residency_told_(mapping.residency_told),
      rings_(std::move(rings)) {}

PosixMappedFile::~PosixMappedFile() {
  if (descriptor_) rings_->ReturnDescriptor();
  if (bytes_ > 0) munmap(address_, bytes_);
}

FileRange PosixMappedFile::PagesOf(const FileRange& range) const {
  const uint64_t page = PageBytes();
  const uint64_t begin = range.offset / page * page;
  const uint64_t end = (range.offset + range.bytes + page - 1) / page * page;
  return {begin, end - begin};
}

bool PosixMappedFile::IsResident(const FileRange& range) const {
  if (!residency_told_) return false;
  unsigned char pages[kPagesAtOnce];
  const FileRange whole = PagesOf(range);
  for (uint64_t done = 0; done < whole.bytes;) {
    const uint64_t bytes = std::min(kPagesAtOnce * PageBytes(), whole.bytes - done);
    auto* begin = static_cast<std::byte*>(address_) + whole.offset + done;
    // Where it isn't told, reading when touched is all that can be done.
    if (mincore(begin, bytes, pages) != 0) return true;
    const size_t count = bytes / PageBytes();
    if (!std::all_of(pages, pages + count, [](unsigned char page) { return page & 1; })) {
      return false;
    }
    done += bytes;
  }
  return true;
}

Result<size_t> PosixMappedFile::Fetch(std::span<const FileRange> ranges) const {
  std::vector<FileRange> cold;
  for (const FileRange& range : ranges) {
    AKIDB_CHECK(range.offset <= bytes_ && range.bytes <= bytes_ - range.offset);
    if (range.bytes > 0 && !IsResident(range)) cold.push_back(range);
  }
  if (cold.empty()) return size_t{0};
  if (const Descriptor* descriptor = ReadingDescriptor()) {
    Result<bool> read = rings_->Read(descriptor->get(), cold);
    if (!read.ok()) return read.status().WithContext(path_);
    if (*read) return cold.size();
  }
  AKIDB_RETURN_IF_ERROR(ReadAhead(cold));
  return cold.size();
}

Status PosixMappedFile::ReadAhead(std::span<const FileRange> ranges) const {
  for (size_t first = 0; first < ranges.size(); first += kRangesAtOnce) {
    const auto some = ranges.subspan(first, std::min(kRangesAtOnce, ranges.size() - first));
    for (const FileRange& range : some) {
      const FileRange pages = PagesOf(range);
      // It only begins the reading: an error shows below.
      madvise(static_cast<std::byte*>(address_) + pages.offset, pages.bytes, MADV_WILLNEED);
    }
#ifdef MADV_POPULATE_READ
    // Waits, and where touching would be answered by SIGBUS, says so (Linux 5.14).
    for (const FileRange& range : some) {
      const FileRange pages = PagesOf(range);
      auto* begin = static_cast<std::byte*>(address_) + pages.offset;
      if (Retry([&] { return madvise(begin, pages.bytes, MADV_POPULATE_READ); }) == 0) continue;
      if (errno == EFAULT || errno == EHWPOISON || errno == EIO) {
        return IoError(path_ + ": can't read " + std::to_string(range.bytes) + " bytes at offset " +
                       std::to_string(range.offset));
      }
    }
#endif
  }
  return OkStatus();
}

const Descriptor* PosixMappedFile::ReadingDescriptor() const {
  if (rings_ == nullptr) return nullptr;
  std::call_once(opened_, [this] {
    if (!rings_->TakeDescriptor()) return;
    Result<Descriptor> descriptor = OpenDescriptor(path_, O_RDONLY);
    Result<struct stat> info =
        descriptor.ok() ? Stat(*descriptor, path_) : Result<struct stat>(descriptor.status());
    // The name may be gone, or another file's by now.
    if (!info.ok() || info->st_dev != device_ || info->st_ino != inode_) {
      rings_->ReturnDescriptor();
      return;
    }
    // Each read is to read what it says and no more.
    static_cast<void>(posix_fadvise(descriptor->get(), 0, 0, POSIX_FADV_RANDOM));
    descriptor_.emplace(std::move(*descriptor));
  });
  return descriptor_ ? &*descriptor_ : nullptr;
}

void PosixMappedFile::Release(FileRange range) const {
  AKIDB_CHECK(range.offset <= bytes_ && range.bytes <= bytes_ - range.offset);
  const uint64_t page = PageBytes();
  const uint64_t begin = (range.offset + page - 1) / page * page;
  const uint64_t end = (range.offset + range.bytes) / page * page;
  if (begin >= end) return;
  // The map is read-only and shared: nothing of it can be lost, and a refusal changes nothing.
  static_cast<void>(madvise(static_cast<std::byte*>(address_) + begin, end - begin, MADV_DONTNEED));
}

}  // namespace akidb::env
