#include "cli/ingest.h"

#include <algorithm>
#include <atomic>
#include <span>
#include <thread>
#include <utility>

#include "base/bounded_queue.h"
#include "base/mutex.h"
#include "base/sha256.h"
#include "cli/documents/document_reader.h"
#include "cli/interrupt.h"
#include "cli/passage_points.h"

namespace akidb::cli {
namespace {

// Enough texts to keep the model busy and to be batched by length, and no request near the server's
// deadline even at five texts a second.
constexpr size_t kBatchPoints = 32;
constexpr int kInFlight = 3;
constexpr size_t kBatchesWaiting = 8;
constexpr size_t kDeleteIdsMax = 1000;

using Batch = std::vector<TextPoint>;

// Sends batches from threads of its own. The first error stops it.
class Sender {
 public:
  Sender(Backend& backend, const IngestOptions& options, std::function<void()> on_sent)
      : backend_(backend), options_(options), on_sent_(std::move(on_sent)) {
    for (int i = 0; i < kInFlight; ++i) threads_.emplace_back([this] { Run(); });
    watcher_ = std::thread([this] { Watch(); });
  }
  ~Sender() { Finish(); }
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  // Waits for room. False once nothing is sent any more.
  bool Push(Batch batch) { return queue_.Push(std::move(batch)); }

  // Sends what waits, unless it stopped.
  void Finish() {
    queue_.Close();
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
    finished_ = true;
    if (watcher_.joinable()) watcher_.join();
  }

  uint64_t sent() const { return sent_.load(); }

  Status status() AKIDB_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return status_;
  }

 private:
  void Run() {
    while (std::optional<Batch> batch = queue_.Pop()) {
      if (stopped_ || Interrupted()) {
        queue_.Close();
        continue;
      }
      Status sent = backend_.Upsert(options_.collection, options_.vectors, *batch);
      if (sent.ok()) {
        sent_ += batch->size();
        on_sent_();
      } else {
        Stop(std::move(sent));
      }
    }
  }

  // Wakes everybody when the user asks to stop.
  void Watch() {
    constexpr std::chrono::milliseconds kLook{50};
    while (!finished_) {
      if (PauseUnlessInterrupted(kLook)) continue;
      queue_.Close();
      backend_.Cancel();
      return;
    }
  }

  void Stop(Status reason) AKIDB_EXCLUDES(mutex_) {
    stopped_ = true;
    queue_.Close();
    MutexLock lock(mutex_);
    if (status_.ok()) status_ = std::move(reason);
  }

  Backend& backend_;
  const IngestOptions& options_;
  const std::function<void()> on_sent_;
  BoundedQueue<Batch> queue_{kBatchesWaiting};
  std::atomic<bool> stopped_{false};
  std::atomic<bool> finished_{false};
  std::atomic<uint64_t> sent_{0};
  Mutex mutex_;
  Status status_ AKIDB_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;
  std::thread watcher_;
};

class Ingestion {
 public:
  Ingestion(const IngestJob& job, IngestReport& report)
      : backend_(job.backend),
        fs_(job.fs),
        files_(job.files),
        options_(job.options),
        progress_(job.progress),
        report_(report),
        sender_(backend_, options_, [this] { Show(); }) {}

  Status Run() {
    for (const FoundFile& file : files_) bytes_total_ += file.bytes;
    Status status = OkStatus();
    for (const FoundFile& file : files_) {
      if (Interrupted()) break;
      status = TakeFile(file);
      if (!status.ok()) break;
    }
    if (status.ok() && !Interrupted()) {
      SendBatch();
      all_planned_ = true;
    }
    sender_.Finish();
    report_.passages = sender_.sent();
    if (Interrupted()) return CancelledError("stopped; the same command goes on from here");
    AKIDB_RETURN_IF_ERROR(sender_.status());
    return status;
  }

 private:
  // A file that can't be read is told and passed over; only the backend's errors end the run.
  Status TakeFile(const FoundFile& file) {
    Result<std::string> bytes = LoadDocument(fs_, file.path);
    if (!bytes.ok()) {
      Skip(bytes.status());
      bytes_planned_ += file.bytes;
      return OkStatus();
    }
    const std::string sha256 = Sha256Hex(std::as_bytes(std::span(*bytes)));
    const SourceVersion source{options_.collection, file.path, sha256};
    AKIDB_ASSIGN_OR_RETURN(HeldPassages held, FindHeld(backend_, source));
    if (held.Complete()) {
      ++report_.files;
      ++report_.unchanged;
    } else {
      AKIDB_RETURN_IF_ERROR(Replace(source, *bytes, held));
    }
    bytes_planned_ += file.bytes;
    return OkStatus();
  }

  Status Replace(const SourceVersion& source, std::string_view bytes, const HeldPassages& held) {
    Result<Document> document = ParseDocument(source.path, bytes);
    if (!document.ok()) {
      Skip(document.status());
      return OkStatus();
    }
    ++report_.files;
    SplitterOptions splitter;
    splitter.window_tokens = options_.window_tokens;
    std::vector<Passage> passages = SplitDocument(*document, splitter);
    std::vector<PointId> gone;
    for (size_t i = 0; i < held.all.size(); ++i) {
      if (held.numbers[i] >= passages.size()) gone.push_back(held.all[i]);
    }
    AKIDB_RETURN_IF_ERROR(DeleteAll(gone));
    // A version of another cut (the model's window changed) has another total.
    const bool same_cut = held.total == passages.size();
    for (uint64_t number = 0; number < passages.size(); ++number) {
      if (same_cut && number < held.current.size() && held.current[number]) continue;
      batch_.push_back(MakePoint(source, *document, passages, number));
      ++planned_;
      if (batch_.size() == kBatchPoints && !SendBatch()) break;
    }
    return OkStatus();
  }

  bool SendBatch() {
    if (batch_.empty()) return true;
    return sender_.Push(std::exchange(batch_, {}));
  }

  Status DeleteAll(const std::vector<PointId>& ids) {
    std::span<const PointId> rest = ids;
    while (!rest.empty()) {
      std::span<const PointId> part = rest.first(std::min(rest.size(), kDeleteIdsMax));
      AKIDB_RETURN_IF_ERROR(backend_.Delete(options_.collection, part));
      report_.deleted += part.size();
      rest = rest.subspan(part.size());
    }
    return OkStatus();
  }

  void Skip(const Status& reason) {
    ++report_.failed;
    progress_.PrintLine("skipped: " + std::string(reason.message()));
  }

  // Called by the sender's threads. Until every file is read, the total is guessed by bytes.
  void Show() {
    ProgressCount count;
    count.done = sender_.sent();
    count.total = planned_;
    count.total_is_exact = all_planned_;
    uint64_t bytes = bytes_planned_;
    if (!all_planned_ && bytes > 0) {
      count.total =
          static_cast<uint64_t>(static_cast<double>(planned_) * static_cast<double>(bytes_total_) /
                                static_cast<double>(bytes));
    }
    progress_.Show(count, std::chrono::steady_clock::now());
  }

  Backend& backend_;
  env::FileSystem& fs_;
  const std::vector<FoundFile>& files_;
  const IngestOptions& options_;
  Progress& progress_;
  IngestReport& report_;
  Batch batch_;
  uint64_t bytes_total_ = 0;
  std::atomic<uint64_t> bytes_planned_{0};
  std::atomic<uint64_t> planned_{0};
  std::atomic<bool> all_planned_{false};
  Sender sender_;  // last: its threads use what is above
};

bool IsBelow(std::string_view path, const std::vector<std::string>& roots) {
  return std::any_of(roots.begin(), roots.end(), [&](const std::string& root) {
    return path == root || (path.starts_with(root) && path.substr(root.size()).starts_with('/'));
  });
}

bool IsAmong(std::string_view path, const std::vector<FoundFile>& files) {
  auto before = [](const FoundFile& file, std::string_view wanted) { return file.path < wanted; };
  auto at = std::lower_bound(files.begin(), files.end(), path, before);
  return at != files.end() && at->path == path;
}

// Deletes the passages below the roots whose file was not found.
Status Prune(const IngestJob& job, IngestReport& report) {
  std::optional<PointId> from;
  do {
    AKIDB_ASSIGN_OR_RETURN(StoredPage page,
                           job.backend.Scroll(job.options.collection, from, {"file"}));
    std::vector<PointId> gone;
    for (const StoredPoint& point : page.points) {
      std::optional<PayloadValue> file = point.payload.root().Member("file");
      if (!file || file->kind() != PayloadValue::Kind::kString) continue;
      std::string_view path = file->AsString();
      if (IsBelow(path, job.options.roots) && !IsAmong(path, job.files)) gone.push_back(point.id);
    }
    if (!gone.empty()) AKIDB_RETURN_IF_ERROR(job.backend.Delete(job.options.collection, gone));
    report.deleted += gone.size();
    from = page.next;
  } while (from && !Interrupted());
  return OkStatus();
}

}  // namespace

Status Ingest(const IngestJob& job, IngestReport& report) {
  AKIDB_RETURN_IF_ERROR(Ingestion(job, report).Run());
  return job.options.prune ? Prune(job, report) : OkStatus();
}

}  // namespace akidb::cli
