#include "env/file_system.h"

namespace akidb::env {

Result<std::string> ReadWholeFile(FileSystem& fs, const std::string& path, uint64_t bytes_max) {
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<File> file, fs.Open(path, OpenMode::kRead));
  AKIDB_ASSIGN_OR_RETURN(uint64_t bytes, file->Size());
  if (bytes > bytes_max) {
    return TooLargeError(path + " has " + std::to_string(bytes) + " bytes; at most " +
                         std::to_string(bytes_max) + " are read");
  }
  std::string content(bytes, '\0');
  AKIDB_ASSIGN_OR_RETURN(size_t got,
                         file->ReadAt(0, std::as_writable_bytes(std::span<char>(content))));
  content.resize(got);
  return content;
}

Status WriteFileAtomically(FileSystem& fs, const std::string& path,
                           std::span<const std::byte> data) {
  const std::string temporary = path + ".tmp";
  // What an earlier attempt, cut short, may have left.
  Status removed = fs.Remove(temporary);
  if (!removed.ok() && removed.code() != ErrorCode::kNotFound) return removed;
  Status written = [&] {
    AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<File> file, fs.Open(temporary, OpenMode::kCreate));
    AKIDB_RETURN_IF_ERROR(file->WriteAt(0, data));
    return file->SyncData();
  }();
  if (written.ok()) written = fs.Rename(temporary, path);
  if (!written.ok()) {
    // The first error is the one to tell; a leftover is removed by the next attempt.
    static_cast<void>(fs.Remove(temporary));
    return written;
  }
  return fs.SyncDirectory(DirectoryOf(path));
}

std::string DirectoryOf(const std::string& path) {
  size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string JoinPath(std::string_view directory, std::string_view name) {
  std::string path(directory);
  if (!path.empty() && path.back() != '/') path.push_back('/');
  return path.append(name);
}

}  // namespace akidb::env
