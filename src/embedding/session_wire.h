// What a database and the worker process of a session say to each other, and how the memory that
// both see is laid out. Both are the same program of the same build, so the form may change freely.
//
// The control socket carries OpenRequest, OpenLane, CancelRun and ReturnMemory to the worker,
// LoadReport and OpenReport back. Each lane, a socket of its own, carries one run at a time:
// RunRequest to the worker, RunReport back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/status.h"
#include "embedding/embedder.h"
#include "embedding/gpu_facts.h"
#include "embedding/model_session.h"
#include "embedding/session.h"

namespace akidb::embedding {

// The first message.
struct OpenRequest {
  std::vector<std::string> libraries;  // of ONNX Runtime, to be tried in this order
  SessionRequest session;
};

struct LoadReport {
  LoadPhase phase = LoadPhase::kWaiting;
  uint64_t verified_bytes = 0;  // so far
};

struct OpenReport {
  Status status;
  std::vector<NodeCount> nodes;  // of the session, once it is there
  uint64_t memory_bytes = 0;     // likewise
};

// With the lane's socket.
struct OpenLane {
  uint32_t lane = 0;
};

struct CancelRun {
  uint32_t lane = 0;
  uint64_t run = 0;
};

// With shared memory when it is other than the last run's; the batch lies in it.
struct RunRequest {
  uint64_t run = 0;  // ascending on a lane
  uint64_t items = 0;
  uint64_t tokens = 0;
};

// The hidden states lie in the memory.
struct RunReport {
  uint64_t run = 0;
  Status status;
  uint64_t memory_bytes = 0;  // Session::MemoryBytes, behind the run
  uint64_t number = 0;        // of all reports of all lanes; ascending as that was read
};

// The lane's memory is given back.
struct ReleaseMemory {};

// The worker's malloc keeps nothing that it holds free.
struct ReturnMemory {};

// In place of OpenRequest, by who wants no session: answered with LookReport.
struct LookRequest {};

struct LookReport {
  GpuFacts gpu;
};

using SessionMessage =
    std::variant<OpenRequest, LoadReport, OpenReport, OpenLane, CancelRun, RunRequest, RunReport,
                 ReleaseMemory, ReturnMemory, LookRequest, LookReport>;

// Messages of a Status are cut to 32 KiB.
std::vector<std::byte> EncodeMessage(const SessionMessage& message);
// nullopt: not what EncodeMessage writes. What it takes is bounded by a multiple of the bytes.
std::optional<SessionMessage> DecodeMessage(std::span<const std::byte> bytes);

// Where a batch and its hidden states lie in shared memory, one behind the other: ids, mask (items
// x tokens, int64), lengths (items, uint32), and the states (items x states_tokens x width,
// float32) from a multiple of 64 on.
class LaneLayout {
 public:
  // nullopt: more than kBytesMax, or no batch at all.
  static std::optional<LaneLayout> Of(const SessionSpec& spec, uint64_t items, uint64_t tokens);
  static constexpr uint64_t kBytesMax = uint64_t{1} << 33;

  size_t bytes() const { return states_at_ + states_count() * sizeof(float); }
  size_t states_tokens() const { return states_tokens_; }
  size_t states_count() const { return items_ * states_tokens_ * width_; }

  // `memory` has at least bytes() of them, and the batch the sizes of the layout.
  void Write(const TokenBatch& batch, std::span<std::byte> memory) const;
  TokenBatch Read(std::span<const std::byte> memory) const;
  std::span<float> States(std::span<std::byte> memory) const;

 private:
  LaneLayout() = default;

  size_t items_ = 0;
  size_t tokens_ = 0;
  size_t states_tokens_ = 0;  // 1 where the graph pools
  size_t width_ = 0;
  size_t states_at_ = 0;
};

}  // namespace akidb::embedding
