// The ONNX Runtime library, loaded at run time: a build of AkiDB needs neither its headers nor its
// library, and one binary runs with the CPU build and with builds for accelerators.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "embedding/session.h"

namespace akidb::embedding {

// One input or output of a graph.
struct GraphValue {
  std::string name;
  std::optional<ElementType> type;  // nullopt: another than we know
  std::vector<int64_t> shape;       // -1: free
};

struct GraphSignature {
  std::vector<GraphValue> inputs;
  std::vector<GraphValue> outputs;
};

// Thread-safe. Sessions keep the library in use; it is never unloaded, since its threads and static
// objects don't survive that.
class OnnxRuntime {
 public:
  virtual ~OnnxRuntime() = default;

  virtual const std::string& library_path() const = 0;
  virtual const std::string& version() const = 0;  // "1.29.0"

  // `model` is borrowed until the call returns. Nodes that the provider of `spec` can't run are run
  // by the processor. kUnsupported: the library doesn't have the provider, or that can't start
  // here; kCorruption: not a model that the library can run, or without the inputs and the output
  // that `spec` names, of the types that it names; kResourceExhausted, kUnavailable, kInternal: as
  // Session::Run, another try may do better.
  virtual Result<std::unique_ptr<Session>> CreateSession(const GraphBytes& model,
                                                         const SessionSpec& spec) = 0;

  // kUnsupported: the library doesn't have the provider of `spec`, or that can't start here;
  // kResourceExhausted, kUnavailable: as Session::Run. Cheap; ok is no evidence that a session
  // works.
  virtual Status CheckProvider(const SessionSpec& spec) = 0;

  // What the graph takes and gives. Errors as CreateSession, but for `spec`.
  virtual Result<GraphSignature> Inspect(const GraphBytes& model) = 0;

  // The execution providers that the library was built with, the one it would prefer first, as
  // OrtApi::GetAvailableProviders lists them. No evidence that any works here: neither a device nor
  // a provider's own libraries are looked for.
  virtual Result<std::vector<std::string>> BuiltInProviders() = 0;
};

// Opens the first of `candidates` that can be opened. kNotFound when none can: the message names
// them and what to do. kUnsupported when the one found is not ONNX Runtime or is too old.
Result<std::shared_ptr<OnnxRuntime>> LoadOnnxRuntime(std::span<const std::string> candidates);

}  // namespace akidb::embedding
