#include "embedding/onnx_runtime.h"

#include <memory>
#include <utility>
#include <vector>

#include <dlfcn.h>

#include "base/mutex.h"
#include "embedding/onnx_allocator.h"
#include "embedding/onnx_external_files.h"
#include "embedding/onnx_runtime_api.h"
#include "embedding/onnx_session.h"
#include "embedding/onnx_session_options.h"
#include "embedding/onnx_signature.h"
#include "embedding/resting_bytes.h"

namespace akidb::embedding {
namespace {

constexpr int kLogError = 3;         // OrtLoggingLevel
constexpr int kDeviceAllocator = 0;  // OrtAllocatorType
constexpr int kMemTypeDefault = 0;   // OrtMemType

// What OrtGetApiBase() returns.
struct OrtApiBase {
  const void* const* (*GetApi)(uint32_t version);
  const char* (*GetVersionString)();
};

// `later`: null in older libraries.
OrtFunctions ReadSlots(const void* const* table, const void* const* later) {
  OrtFunctions functions;
#define AKIDB_ORT_SLOT_(function, place) \
  functions.function =                   \
      reinterpret_cast<decltype(functions.function)>(const_cast<void*>(table[place]));
  AKIDB_ORT_SLOTS(AKIDB_ORT_SLOT_)
  table = later;
  if (later != nullptr) {
    AKIDB_ORT_LATER_SLOTS(AKIDB_ORT_SLOT_)
  }
#undef AKIDB_ORT_SLOT_
  return functions;
}

// Keeps the runtime alive as long as one of its sessions, and counts what this one takes of the
// processor's memory.
class HeldSession final : public Session {
 public:
  HeldSession(std::shared_ptr<OnnxRuntime> runtime, std::unique_ptr<Session> session,
              std::shared_ptr<OnnxAllocator::LiveBytes> live)
      : runtime_(std::move(runtime)),
        session_(std::move(session)),
        live_(std::move(live)),
        rest_(live_) {}
  Status Run(const TokenBatch& batch, RunControl& control, const Use& use) override {
    const RestingBytes::Running running(rest_);
    const OnnxAllocator::Counting counting(live_);
    return session_->Run(batch, control, use);
  }
  uint64_t MemoryBytes() const override { return rest_.value(); }
  std::vector<NodeCount> Nodes() const override { return session_->Nodes(); }

 private:
  std::shared_ptr<OnnxRuntime> runtime_;
  std::unique_ptr<Session> session_;
  const std::shared_ptr<OnnxAllocator::LiveBytes> live_;
  RestingBytes rest_;
};

class OnnxRuntimeLibrary final : public OnnxRuntime,
                                 public std::enable_shared_from_this<OnnxRuntimeLibrary> {
 public:
  OnnxRuntimeLibrary(std::string path, std::string version, const OrtFunctions& ort)
      : path_(std::move(path)),
        version_(std::move(version)),
        ort_(ort),
        env_(ort.ReleaseEnv),
        cpu_(ort.ReleaseMemoryInfo) {}

  Status Start() {
    AKIDB_ORT_RETURN_IF_ERROR(ort_, ort_.CreateEnv(kLogError, "akidb", env_.out()), RunFailed);
    AKIDB_ORT_RETURN_IF_ERROR(
        ort_, ort_.CreateCpuMemoryInfo(kDeviceAllocator, kMemTypeDefault, cpu_.out()), RunFailed);
    AKIDB_ORT_RETURN_IF_ERROR(ort_, ort_.GetAllocatorWithDefaultOptions(&allocator_), RunFailed);
    return GiveAllocator();
  }

  const std::string& library_path() const override { return path_; }
  const std::string& version() const override { return version_; }

  Result<std::unique_ptr<Session>> CreateSession(const GraphBytes& model,
                                                 const SessionSpec& spec) override {
    const auto live = std::make_shared<OnnxAllocator::LiveBytes>(0);
    const OnnxAllocator::Counting counting(live);
    Owned<OrtSession> session(ort_.ReleaseSession);
    AKIDB_RETURN_IF_ERROR(Open(model, spec, session.out()));
    AKIDB_ASSIGN_OR_RETURN(GraphSignature signature,
                           ReadSignature(ort_, session.get(), allocator_));
    AKIDB_RETURN_IF_ERROR(CheckSignature(signature, spec));
    return std::make_unique<HeldSession>(
        shared_from_this(), MakeOnnxSession(ort_, cpu_.get(), std::move(session), spec), live);
  }

  Status CheckProvider(const SessionSpec& spec) override {
    Owned<OrtSessionOptions> options(ort_.ReleaseSessionOptions);
    return MakeSessionOptions(ort_, {}, spec, options.out());
  }

  Result<GraphSignature> Inspect(const GraphBytes& model) override {
    Owned<OrtSession> session(ort_.ReleaseSession);
    AKIDB_RETURN_IF_ERROR(Open(model, {}, session.out()));
    return ReadSignature(ort_, session.get(), allocator_);
  }

  Result<std::vector<std::string>> BuiltInProviders() override {
    char** names = nullptr;
    int count = 0;
    AKIDB_ORT_RETURN_IF_ERROR(ort_, ort_.GetAvailableProviders(&names, &count), RunFailed);
    std::vector<std::string> providers(names, names + count);
    AKIDB_ORT_RETURN_IF_ERROR(ort_, ort_.ReleaseAvailableProviders(names, count), RunFailed);
    return providers;
  }

 private:
  // The library has one environment for the whole process, which may outlive this: what it was
  // given stays for good. One that has an allocator already, given by another of these, keeps it.
  Status GiveAllocator() {
    OrtMemoryInfo* memory = nullptr;
    AKIDB_ORT_RETURN_IF_ERROR(
        ort_, ort_.CreateCpuMemoryInfo(kDeviceAllocator, kMemTypeDefault, &memory), RunFailed);
    auto allocator = std::make_unique<OnnxAllocator>(memory);
    if (TakeError(ort_, ort_.RegisterAllocator(env_.get(), allocator->get()))) {
      allocator.reset();
      ort_.ReleaseMemoryInfo(memory);
      return OkStatus();
    }
    static Mutex mutex;
    // Never destroyed.
    using Allocators = std::vector<std::unique_ptr<OnnxAllocator>>;
    static Allocators& given = *std::make_unique<Allocators>().release();
    MutexLock lock(mutex);
    given.push_back(std::move(allocator));
    return OkStatus();
  }

  Status Open(const GraphBytes& model, const SessionSpec& spec, OrtSession** session) const {
    // What the graph calls by other names would be looked for in the working directory.
    AKIDB_RETURN_IF_ERROR(CheckExternalFiles(model));
    Owned<OrtSessionOptions> options(ort_.ReleaseSessionOptions);
    AKIDB_RETURN_IF_ERROR(MakeSessionOptions(ort_, model, spec, options.out()));
    AKIDB_ORT_RETURN_IF_ERROR(
        ort_,
        ort_.CreateSessionFromArray(env_.get(), model.graph.data(), model.graph.size(),
                                    options.get(), session),
        ModelRefused);
    return OkStatus();
  }

  const std::string path_;
  const std::string version_;
  const OrtFunctions ort_;
  Owned<OrtEnv> env_;
  Owned<OrtMemoryInfo> cpu_;
  OrtAllocator* allocator_ = nullptr;  // the library's own; never released
};

Result<std::shared_ptr<OnnxRuntime>> StartLibrary(void* library, const std::string& path) {
  void* symbol = ::dlsym(library, "OrtGetApiBase");
  if (symbol == nullptr) {
    return UnsupportedError(path + " is not ONNX Runtime: it has no function OrtGetApiBase");
  }
  const auto* base = reinterpret_cast<const OrtApiBase* (*)()>(symbol)();
  std::string version = base->GetVersionString();
  const void* const* table = base->GetApi(kOrtApiVersion);
  if (table == nullptr) {
    return UnsupportedError(path + " is ONNX Runtime " + version +
                            ", which is too old: 1.18 or newer is needed");
  }
  auto runtime = std::make_shared<OnnxRuntimeLibrary>(
      path, version, ReadSlots(table, base->GetApi(kOrtLaterApiVersion)));
  AKIDB_RETURN_IF_ERROR(runtime->Start());
  return std::shared_ptr<OnnxRuntime>(std::move(runtime));
}

}  // namespace

Result<std::shared_ptr<OnnxRuntime>> LoadOnnxRuntime(std::span<const std::string> candidates) {
  std::string reasons;
  for (const std::string& path : candidates) {
    // Local: its symbols must not replace ours. Its threads outlive a dlclose, so it stays.
    void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library != nullptr) return StartLibrary(library, path);
    const char* reason = ::dlerror();
    reasons += (reasons.empty() ? "" : "; ") + std::string(reason ? reason : path.c_str());
  }
  return NotFoundError(
      "ONNX Runtime is not installed, so texts can't be embedded (vectors still work). Run `akidb "
      "models pull`, or set AKIDB_ORT_LIB to a libonnxruntime.so of version 1.18 or newer. "
      "Tried: " +
      reasons);
}

}  // namespace akidb::embedding

#if defined(__SANITIZE_ADDRESS__)
// The library keeps a few objects until the process ends (at most 622 bytes in 1.29.0, however many
// sessions and runs there were) and forgets where they are: not ours to report.
extern "C" const char* __lsan_default_suppressions() { return "leak:libonnxruntime.so\n"; }
#endif
