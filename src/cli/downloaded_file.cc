#include "cli/downloaded_file.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "cli/http_reply.h"

namespace akidb::cli {
namespace {

Status ReadOnly() { return IoError("what is received can only be read"); }

}  // namespace

DownloadedFile::DownloadedFile(HttpClient& client, std::string path, uint64_t bytes)
    : bytes_(bytes) {
  thread_ = std::thread([this, &client, path = std::move(path)] {
    Status end = Receive(client, path);
    {
      MutexLock lock(mutex_);
      end_ = std::move(end);
    }
    pieces_.Close();
  });
}

DownloadedFile::~DownloadedFile() {
  pieces_.Close();
  thread_.join();
}

Status DownloadedFile::Receive(HttpClient& client, const std::string& path) {
  AKIDB_ASSIGN_OR_RETURN(HttpReply reply,
                         client.Download(path, [this](std::span<const char> piece) -> Status {
                           const auto bytes = std::as_bytes(piece);
                           if (pieces_.Push({bytes.begin(), bytes.end()})) return OkStatus();
                           return CancelledError("nobody reads on");
                         }));
  return BodyOf(std::move(reply)).status();
}

Result<size_t> DownloadedFile::ReadAt(uint64_t offset, std::span<std::byte> out) {
  if (offset != offset_) return IoError("what is received can't be read out of turn");
  size_t done = 0;
  while (done < out.size()) {
    if (taken_ == piece_.size()) {
      std::optional<std::vector<std::byte>> next = pieces_.Pop();
      if (!next) {
        MutexLock lock(mutex_);
        AKIDB_RETURN_IF_ERROR(end_);
        break;
      }
      piece_ = std::move(*next);
      taken_ = 0;
      continue;
    }
    const size_t count = std::min(out.size() - done, piece_.size() - taken_);
    std::copy_n(piece_.begin() + static_cast<std::ptrdiff_t>(taken_), count,
                out.begin() + static_cast<std::ptrdiff_t>(done));
    taken_ += count;
    done += count;
  }
  offset_ += done;
  if (progress_) progress_(offset_, bytes_);
  return done;
}

Status DownloadedFile::WriteAt(uint64_t, std::span<const std::byte>) { return ReadOnly(); }
Status DownloadedFile::Allocate(uint64_t) { return ReadOnly(); }
Status DownloadedFile::Truncate(uint64_t) { return ReadOnly(); }
Status DownloadedFile::SyncData() { return ReadOnly(); }

}  // namespace akidb::cli
