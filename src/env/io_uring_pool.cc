#include "env/io_uring_pool.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include <liburing.h>

namespace akidb::env {
namespace {

constexpr unsigned kDepth = 64;
// Of one read: longer ranges are read in pieces.
constexpr uint64_t kPieceBytes = uint64_t{128} << 10;
// Callers that read at once; more of them read in the plain way.
constexpr size_t kRingsMax = 4;
constexpr size_t kDescriptorsMax = 256;
// Times that the kernel may put a read off.
constexpr int kRefusalsMax = 1000;

// Cuts ranges into pieces.
class Pieces {
 public:
  explicit Pieces(std::span<const FileRange> ranges) : ranges_(ranges) {}

  // The next one; one of no bytes at the end.
  FileRange Next() {
    while (!ranges_.empty() && done_ == ranges_.front().bytes) {
      ranges_ = ranges_.subspan(1);
      done_ = 0;
    }
    if (ranges_.empty()) return {};
    const uint64_t bytes = std::min(kPieceBytes, ranges_.front().bytes - done_);
    const FileRange piece{ranges_.front().offset + done_, bytes};
    done_ += bytes;
    return piece;
  }

 private:
  std::span<const FileRange> ranges_;
  uint64_t done_ = 0;  // of the first
};

std::string At(const FileRange& range) { return " at offset " + std::to_string(range.offset); }

}  // namespace

class IoUringPool::Ring {
 public:
  // Null when the kernel makes none.
  static std::unique_ptr<Ring> Make() {
    auto ring = std::make_unique<Ring>();
    io_uring_params params{};
#ifdef IORING_SETUP_COOP_TASKRUN
    // Completions needn't interrupt a caller that waits for them anyway (Linux 5.19).
    params.flags = IORING_SETUP_COOP_TASKRUN;
#endif
    int error = io_uring_queue_init_params(kDepth, &ring->ring_, &params);
    if (error == -EINVAL && params.flags != 0) {
      params = {};
      error = io_uring_queue_init_params(kDepth, &ring->ring_, &params);
    }
    if (error < 0) return nullptr;
    ring->made_ = true;
    return ring;
  }
  Ring() : scratch_(kPieceBytes) {
    for (unsigned slot = 0; slot < kDepth; ++slot) free_.push_back(slot);
  }
  ~Ring() {
    if (made_) io_uring_queue_exit(&ring_);
  }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  // Reads may still be under way: the object must not go.
  bool broken() const { return broken_; }
  // This kernel doesn't know the operation.
  bool unsupported() const { return unsupported_; }

  Result<bool> Read(int descriptor, std::span<const FileRange> ranges) {
    Pieces pieces(ranges);
    Status failure;
    bool more = true;
    postponed_ = 0;
    for (int refusals = 0;;) {
      // After a failure nothing more is begun; what is under way has to come back all the same.
      while (more && failure.ok() && !unsupported_ && !free_.empty()) {
        const FileRange piece = again_.empty() ? pieces.Next() : again_.back();
        if (!again_.empty()) again_.pop_back();
        more = piece.bytes > 0;
        if (more) Prepare(descriptor, piece);
      }
      const auto under_way = kDepth - static_cast<unsigned>(free_.size());
      if (under_way == 0) break;
      // With more to begin, some must come back first; at the end, all.
      const unsigned wanted = more ? std::max(under_way / 2, 1u) : under_way;
      const int got = io_uring_submit_and_wait(&ring_, wanted);
      refusals = got < 0 && got != -EINTR ? refusals + 1 : 0;
      if ((refusals > 0 && got != -EAGAIN && got != -EBUSY) || refusals > kRefusalsMax) {
        broken_ = true;
        return false;
      }
      Reap(failure);
      more = more || !again_.empty();
    }
    again_.clear();
    if (unsupported_) return false;
    if (!failure.ok()) return failure;
    return true;
  }

 private:
  void Prepare(int descriptor, const FileRange& piece) {
    io_uring_sqe* entry = io_uring_get_sqe(&ring_);
    AKIDB_CHECK(entry != nullptr);  // as many entries as slots
    const unsigned slot = free_.back();
    free_.pop_back();
    slots_[slot] = piece;
    // All reads have the same target: nobody looks at it.
    io_uring_prep_read(entry, descriptor, scratch_.data(), static_cast<unsigned>(piece.bytes),
                       piece.offset);
    entry->user_data = slot;
  }

  void Reap(Status& failure) {
    io_uring_cqe* entry = nullptr;
    while (io_uring_peek_cqe(&ring_, &entry) == 0) {
      const auto slot = static_cast<unsigned>(entry->user_data);
      const int result = entry->res;
      io_uring_cqe_seen(&ring_, entry);
      free_.push_back(slot);
      Finish(slots_[slot], result, failure);
    }
  }

  void Finish(const FileRange& piece, int result, Status& failure) {
    if ((result == -EAGAIN || result == -EINTR) && ++postponed_ < kRefusalsMax) {
      again_.push_back(piece);
    } else if (result == -EINVAL || result == -EOPNOTSUPP) {
      unsupported_ = true;
    } else if (result < 0) {
      failure = IoError("can't read" + At(piece) + ": " + std::generic_category().message(-result));
    } else if (result == 0) {
      failure = IoError("can't read" + At(piece) + ": the file ends before");
    } else if (static_cast<uint64_t>(result) < piece.bytes) {
      const auto got = static_cast<uint64_t>(result);
      again_.push_back({piece.offset + got, piece.bytes - got});
    }
  }

  io_uring ring_{};
  bool made_ = false;
  bool broken_ = false;
  bool unsupported_ = false;
  int postponed_ = 0;  // reads of this call that the kernel wanted to be told again
  std::array<FileRange, kDepth> slots_;  // what each read that is under way is to read
  std::vector<unsigned> free_;
  std::vector<FileRange> again_;  // what came back without having been read
  std::vector<std::byte> scratch_;
};

IoUringPool::IoUringPool() = default;
IoUringPool::~IoUringPool() = default;

Result<bool> IoUringPool::Read(int descriptor, std::span<const FileRange> ranges) {
  std::unique_ptr<Ring> ring = Take();
  if (ring == nullptr) return false;
  Result<bool> done = ring->Read(descriptor, ranges);
  Return(std::move(ring));
  return done;
}

std::unique_ptr<IoUringPool::Ring> IoUringPool::Take() {
  MutexLock lock(mutex_);
  if (forbidden_ || taken_ + broken_.size() >= kRingsMax) return nullptr;
  std::unique_ptr<Ring> ring;
  if (!idle_.empty()) {
    ring = std::move(idle_.back());
    idle_.pop_back();
  } else {
    ring = Ring::Make();
  }
  forbidden_ = ring == nullptr && taken_ == 0;
  if (ring != nullptr) ++taken_;
  return ring;
}

void IoUringPool::Return(std::unique_ptr<Ring> ring) {
  MutexLock lock(mutex_);
  --taken_;
  forbidden_ = forbidden_ || ring->unsupported();
  (ring->broken() ? broken_ : idle_).push_back(std::move(ring));
}

bool IoUringPool::TakeDescriptor() {
  MutexLock lock(mutex_);
  if (forbidden_ || descriptors_ == kDescriptorsMax) return false;
  ++descriptors_;
  return true;
}

void IoUringPool::ReturnDescriptor() {
  MutexLock lock(mutex_);
  --descriptors_;
}

}  // namespace akidb::env
