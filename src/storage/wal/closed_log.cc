#include "storage/wal/closed_log.h"

#include <algorithm>

#include "storage/wal/log_reader.h"

namespace akidb::storage {

Result<bool> LogWasClosed(env::FileSystem& fs, const LogOptions& options) {
  AKIDB_ASSIGN_OR_RETURN(const std::vector<std::string> names, fs.List(options.directory));
  std::vector<uint64_t> files;  // by their first record, ascending as the names are
  for (const std::string& name : names) {
    if (const std::optional<uint64_t> first = ParseLogFileName(name)) files.push_back(*first);
  }
  if (files.empty() || files.front() > options.start_after_seq + 1) return false;
  const std::string path = env::JoinPath(options.directory, LogFileName(files.back()));
  AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<env::File> file,
                         fs.Open(path, env::OpenMode::kRead));
  std::vector<std::byte> page(kLogHeaderBytes);
  AKIDB_ASSIGN_OR_RETURN(const size_t got, file->ReadAt(0, page));
  page.resize(got);
  AKIDB_ASSIGN_OR_RETURN(const LogFileHeader header, DecodeLogFileHeader(page, path));
  if (header.collection_uuid != options.collection_uuid || header.first_seq != files.back()) {
    return false;
  }
  AKIDB_ASSIGN_OR_RETURN(const uint64_t bytes, file->Size());
  AKIDB_ASSIGN_OR_RETURN(const std::optional<FragmentHeader> mark,
                         ReadClosingMark(*file, bytes, ChecksumSeed(header.file_uuid)));
  return mark && mark->seq >= std::max(options.start_after_seq, options.synced_seq);
}

}  // namespace akidb::storage
