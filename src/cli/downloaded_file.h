// The body of a reply as a file that is read once, from its beginning to its end, while it comes.
// Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/bounded_queue.h"
#include "base/mutex.h"
#include "base/status.h"
#include "cli/http_client.h"
#include "env/file_system.h"

namespace akidb::cli {

class DownloadedFile final : public env::File {
 public:
  // Asks for it. `client` outlives the object; `bytes` is what the body is to have.
  DownloadedFile(HttpClient& client, std::string path, uint64_t bytes);
  // Ends the request.
  ~DownloadedFile() override;
  DownloadedFile(const DownloadedFile&) = delete;
  DownloadedFile& operator=(const DownloadedFile&) = delete;

  // Told with each piece that is read.
  void set_progress(std::function<void(uint64_t done, uint64_t total)> progress) {
    progress_ = std::move(progress);
  }

  // `offset`: where the last read has ended. Errors of the request.
  Result<size_t> ReadAt(uint64_t offset, std::span<std::byte> out) override;
  Result<uint64_t> Size() override { return bytes_; }
  Status DropCache() override { return OkStatus(); }
  // It is only read.
  Status WriteAt(uint64_t offset, std::span<const std::byte> data) override;
  Status Allocate(uint64_t bytes) override;
  Status Truncate(uint64_t bytes) override;
  Status SyncData() override;
  void StartWriteback(env::FileRange) override {}

 private:
  static constexpr size_t kPieces = 16;  // that wait to be read, 16 KiB each

  Status Receive(HttpClient& client, const std::string& path);

  const uint64_t bytes_;
  std::function<void(uint64_t, uint64_t)> progress_;
  uint64_t offset_ = 0;           // of what is read next
  std::vector<std::byte> piece_;  // what has come and isn't read
  size_t taken_ = 0;              // of it
  BoundedQueue<std::vector<std::byte>> pieces_{kPieces};
  Mutex mutex_;
  Status end_ AKIDB_GUARDED_BY(mutex_);  // set before the queue is closed by the thread
  std::thread thread_;
};

}  // namespace akidb::cli
