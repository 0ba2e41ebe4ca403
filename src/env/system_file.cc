#include "env/system_file.h"

#include <span>

namespace akidb::env {

std::string ReadSystemFile(FileSystem& fs, const std::string& path) {
  Result<std::unique_ptr<File>> file = fs.Open(path, OpenMode::kRead);
  if (!file.ok()) return "";
  std::string text(kSystemFileBytesMax, '\0');
  const Result<size_t> got =
      (*file)->ReadAt(0, std::as_writable_bytes(std::span<char>(text.data(), text.size())));
  text.resize(got.ok() ? *got : 0);
  return text;
}

}  // namespace akidb::env
