#include "cli/documents/document_walker.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "cli/documents/document_reader.h"

namespace akidb::cli {
namespace {

namespace fs = std::filesystem;

bool IsHidden(const fs::path& path) { return path.filename().native().starts_with('.'); }

Status CannotRead(const fs::path& path, const std::error_code& error) {
  return IoError(path.string() + ": " + error.message());
}

Status AddFile(const fs::path& path, std::vector<FoundFile>& found) {
  if (found.size() >= kFoundFilesMax) {
    return TooLargeError("more than " + std::to_string(kFoundFilesMax) +
                         " files; name smaller folders");
  }
  std::error_code error;
  uint64_t bytes = fs::file_size(path, error);
  if (error) return CannotRead(path, error);
  found.push_back({path.string(), bytes});
  return OkStatus();
}

Status WalkFolder(const fs::path& root, std::vector<FoundFile>& found) {
  std::error_code error;
  fs::recursive_directory_iterator entry(root, error);
  if (error) return CannotRead(root, error);
  for (; entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (IsHidden(entry->path())) {
      entry.disable_recursion_pending();
      continue;
    }
    std::error_code ignored;  // a dangling link is not a file
    if (entry->is_regular_file(ignored) && FormatOfName(entry->path().native())) {
      AKIDB_RETURN_IF_ERROR(AddFile(entry->path(), found));
    }
  }
  // An error ends the iteration: what could not be listed must not pass for gone.
  if (error) return CannotRead(root, error);
  return OkStatus();
}

}  // namespace

Result<std::string> AbsolutePath(const std::string& name) {
  std::error_code error;
  fs::path path = fs::absolute(name, error).lexically_normal();
  if (error) return CannotRead(name, error);
  if (!path.has_filename()) path = path.parent_path();
  return path.string();
}

Result<std::vector<FoundFile>> FindDocuments(const std::vector<std::string>& paths) {
  std::vector<FoundFile> found;
  for (const std::string& name : paths) {
    AKIDB_ASSIGN_OR_RETURN(const fs::path path, AbsolutePath(name));
    std::error_code error;
    fs::file_status status = fs::status(path, error);
    if (status.type() == fs::file_type::not_found) {
      return NotFoundError(name + ": no such file or folder");
    }
    if (error) return CannotRead(path, error);
    if (fs::is_directory(status)) {
      AKIDB_RETURN_IF_ERROR(WalkFolder(path, found));
    } else if (fs::is_regular_file(status)) {
      AKIDB_RETURN_IF_ERROR(AddFile(path, found));
    } else {
      return UnsupportedError(name + ": neither a file nor a folder");
    }
  }
  std::sort(found.begin(), found.end(),
            [](const FoundFile& a, const FoundFile& b) { return a.path < b.path; });
  auto last = std::unique(found.begin(), found.end(),
                          [](const FoundFile& a, const FoundFile& b) { return a.path == b.path; });
  found.erase(last, found.end());
  return found;
}

}  // namespace akidb::cli
