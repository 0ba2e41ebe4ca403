// SHA-256 of a stream on a thread of its own, while its bytes are read and written: the hash takes
// about as long as both. Not thread-safe itself.
#pragma once

#include <cstddef>
#include <span>
#include <thread>
#include <vector>

#include "base/bounded_queue.h"
#include "base/sha256.h"

namespace akidb::storage {

class BackgroundHash {
 public:
  BackgroundHash();
  ~BackgroundHash();
  BackgroundHash(const BackgroundHash&) = delete;
  BackgroundHash& operator=(const BackgroundHash&) = delete;

  // Memory for a piece, of any size and content. Waits while kPieces are yet to be hashed.
  std::vector<std::byte> Buffer();
  // Takes a piece that was written into such memory.
  void Update(std::vector<std::byte> piece);
  // Copies the bytes, likewise.
  void Update(std::span<const std::byte> bytes);
  // Of everything. Once, nothing follows.
  Sha256Digest Finish();

 private:
  static constexpr size_t kPieces = 4;

  void Run();

  BoundedQueue<std::vector<std::byte>> full_{kPieces};
  BoundedQueue<std::vector<std::byte>> empty_{kPieces + 2};  // whose memory is used again
  Sha256 hash_;                                              // of the thread, until it has ended
  std::thread thread_;
};

}  // namespace akidb::storage
