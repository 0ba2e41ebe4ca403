// One loaded neural network: token ids in, hidden states out. Knows nothing of texts or pooling.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "embedding/element_type.h"
#include "embedding/provider.h"
#include "embedding/provider_state.h"
#include "embedding/run_control.h"

namespace akidb::embedding {

// items x tokens, row-major, padded on the right.
struct TokenBatch {
  size_t items = 0;
  size_t tokens = 0;              // of the longest item
  std::vector<int64_t> ids;       // items x tokens; 0 where padded
  std::vector<int64_t> mask;      // items x tokens; 1 for a token, 0 for padding
  std::vector<uint32_t> lengths;  // per item, without padding
};

// items x tokens x width, float32; where the graph pools by itself: items x width, tokens = 1.
// Borrowed: valid only inside the callback of Session::Run.
struct HiddenStates {
  std::span<const float> values;
  size_t items = 0;
  size_t tokens = 0;
  size_t width = 0;
  bool pooled = false;  // by the graph
};

// What a graph takes as one of its inputs; its kind is named by the manifest.
enum class InputKind : uint8_t { kIds, kMask, kTokenTypes, kPositions };

struct SessionInput {
  std::string name;
  InputKind kind = InputKind::kIds;
};

// Inputs for the keys and values of earlier tokens, which exports of generating models have. There
// are no earlier tokens: each is given as items x heads x 0 x head_dim.
struct EmptyKv {
  std::vector<std::string> names;  // empty: the graph has none
  uint32_t heads = 0;
  uint32_t head_dim = 0;
  ElementType type = ElementType::kFloat32;
};

struct SessionOutput {
  std::string name;
  ElementType type = ElementType::kFloat32;
  Dequantization dequantization;  // of bytes
};

struct SessionSpec {
  std::vector<SessionInput> inputs;
  EmptyKv empty_kv;
  SessionOutput output;
  bool pooled_in_graph = false;
  uint32_t width = 0;  // of the output; checked at every run
  int threads = 1;     // inside one run
  Provider provider = Provider::kCpu;
  ProviderOptions options;  // of that provider
};

// The bytes of an ONNX file, and of the files beside it that hold its weights by the names that the
// graph calls them. Borrowed.
struct GraphBytes {
  struct External {
    std::string name;
    std::span<const std::byte> bytes;
  };
  std::span<const std::byte> graph;
  std::vector<External> external;
};

// Thread-safe: several runs may go on at a time.
class Session {
 public:
  using Use = std::function<Status(const HiddenStates&)>;

  virtual ~Session() = default;

  // Calls `use` at most once, and returns what it returned. kCancelled when `control` stopped it,
  // kCorruption when the output doesn't have the promised shape or type, kResourceExhausted when
  // the provider is out of memory, kUnavailable when it is lost, so that every later run fails,
  // too; kInternal when the runtime failed otherwise.
  virtual Status Run(const TokenBatch& batch, RunControl& control, const Use& use) = 0;

  // Why every later run fails, kUnavailable; ok while none is known to. Cheap: asked before each
  // run, so that one that was lost while nobody ran is replaced rather than run.
  virtual Status Lost() { return OkStatus(); }

  // Nothing is left that a run could succeed on: it is to be made anew. Cheap: asked before each
  // use.
  virtual bool Refused() const { return false; }

  // It rests: another process that it runs in gives back what its runs have left there. What they
  // left in this one is the caller's to give back.
  virtual void GiveBack() {}

  // It is about to be destroyed: what it makes to run on is given up, and nothing more is made.
  virtual void StopMaking() {}

  // That it takes between runs, as far as is known, whether or not one goes on now. Cheap.
  virtual uint64_t MemoryBytes() const { return 0; }

  // What it may run on, the preferred one first; none where nobody asked.
  virtual std::vector<ProviderState> Providers() const { return {}; }
  // Which provider was given how many of the graph's nodes; empty: nobody tells.
  virtual std::vector<NodeCount> Nodes() const { return {}; }
};

}  // namespace akidb::embedding
