#include "cli/selftest/read_bandwidth.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <new>
#include <numeric>
#include <span>
#include <thread>
#include <vector>

#include "base/elapsed.h"

namespace akidb::cli {
namespace {

constexpr uint64_t kBytesMin = uint64_t{1} << 20;

// Independent sums, so that no addition waits for another.
uint64_t Sum(std::span<const uint64_t> words) {
  constexpr size_t kLanes = 16;
  std::array<uint64_t, kLanes> sums{};
  size_t i = 0;
  for (; i + kLanes <= words.size(); i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) sums[lane] += words[i + lane];
  }
  for (; i < words.size(); ++i) sums[0] += words[i];
  return std::accumulate(sums.begin(), sums.end(), uint64_t{0});
}

template <typename Work>
void OnThreads(uint32_t threads, const Work& work) {
  std::vector<std::thread> running;
  for (uint32_t i = 0; i < threads; ++i) running.emplace_back([&work, i] { work(i); });
  for (std::thread& thread : running) thread.join();
}

}  // namespace

Result<ReadBandwidth> MeasureReadBandwidth(const RequestContext& context,
                                           const ReadBandwidthOptions& options) {
  const uint32_t threads = std::max(1u, options.threads);
  const size_t words = std::max(options.bytes, kBytesMin) / sizeof(uint64_t) / threads;
  std::vector<std::unique_ptr<uint64_t[]>> parts(threads);
  for (auto& part : parts) {
    part.reset(new (std::nothrow) uint64_t[words]);
    if (part == nullptr) return ResourceExhaustedError("no memory to measure its bandwidth in");
  }
  // Written by the thread that will read it, so that it lies near it.
  OnThreads(threads,
            [&](uint32_t i) { std::iota(parts[i].get(), parts[i].get() + words, uint64_t{i}); });
  ReadBandwidth measured;
  measured.threads = threads;
  measured.buffer_bytes = uint64_t{threads} * words * sizeof(uint64_t);
  std::atomic<uint64_t> sink{0};  // keeps the sums from being left out
  for (uint32_t round = 0; round < std::max(1u, options.rounds); ++round) {
    AKIDB_RETURN_IF_ERROR(context.Check());
    const auto start = SteadyClock::now();
    OnThreads(threads, [&](uint32_t i) { sink += Sum({parts[i].get(), words}); });
    const double seconds = MillisecondsSince(start) / 1e3;
    measured.bytes_per_s =
        std::max(measured.bytes_per_s, static_cast<double>(measured.buffer_bytes) / seconds);
  }
  return measured;
}

uint64_t BandwidthBufferBytes(uint64_t largest_cache_bytes, uint64_t available_bytes) {
  const uint64_t wanted = std::max(uint64_t{256} << 20, 4 * largest_cache_bytes);
  return available_bytes == 0 ? wanted : std::min(wanted, available_bytes / 4);
}

}  // namespace akidb::cli
