// The only file that speaks ONNX Runtime's C API. Types and meanings are those of
// onnxruntime_c_api.h (v1.29.0); its objects are opaque to us.
#include "embedding/onnx_runtime.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include <dlfcn.h>

#include "embedding/onnx_runtime_slots.h"

// Opaque types of the C API, only ever used behind pointers.
struct OrtStatus;
struct OrtEnv;
struct OrtSession;
struct OrtSessionOptions;
struct OrtRunOptions;
struct OrtValue;
struct OrtMemoryInfo;
struct OrtTensorTypeAndShapeInfo;
struct OrtAllocator;

namespace akidb::embedding {
namespace {

// Enumerators of the C API that we pass or compare.
constexpr int kLogError = 3;         // OrtLoggingLevel
constexpr int kOptimiseAll = 99;     // GraphOptimizationLevel
constexpr int kDeviceAllocator = 0;  // OrtAllocatorType
constexpr int kMemTypeDefault = 0;   // OrtMemType
constexpr int kElementFloat = 1;     // ONNXTensorElementDataType
constexpr int kElementInt64 = 7;

struct OrtFunctions {
  int (*GetErrorCode)(const OrtStatus*);
  const char* (*GetErrorMessage)(const OrtStatus*);
  OrtStatus* (*CreateEnv)(int log_level, const char* log_id, OrtEnv**);
  OrtStatus* (*CreateSessionFromArray)(const OrtEnv*, const void* model, size_t bytes,
                                       const OrtSessionOptions*, OrtSession**);
  OrtStatus* (*Run)(OrtSession*, const OrtRunOptions*, const char* const* input_names,
                    const OrtValue* const* inputs, size_t input_count,
                    const char* const* output_names, size_t output_count, OrtValue** outputs);
  OrtStatus* (*CreateSessionOptions)(OrtSessionOptions**);
  OrtStatus* (*DisableMemPattern)(OrtSessionOptions*);
  OrtStatus* (*DisableCpuMemArena)(OrtSessionOptions*);
  OrtStatus* (*SetSessionLogSeverityLevel)(OrtSessionOptions*, int level);
  OrtStatus* (*SetSessionGraphOptimizationLevel)(OrtSessionOptions*, int level);
  OrtStatus* (*SetIntraOpNumThreads)(OrtSessionOptions*, int threads);
  OrtStatus* (*SetInterOpNumThreads)(OrtSessionOptions*, int threads);
  OrtStatus* (*SessionGetInputCount)(const OrtSession*, size_t*);
  OrtStatus* (*SessionGetOutputCount)(const OrtSession*, size_t*);
  OrtStatus* (*SessionGetInputName)(const OrtSession*, size_t index, OrtAllocator*, char**);
  OrtStatus* (*SessionGetOutputName)(const OrtSession*, size_t index, OrtAllocator*, char**);
  OrtStatus* (*CreateRunOptions)(OrtRunOptions**);
  OrtStatus* (*RunOptionsSetTerminate)(OrtRunOptions*);
  OrtStatus* (*CreateTensorWithDataAsOrtValue)(const OrtMemoryInfo*, void* data, size_t bytes,
                                               const int64_t* shape, size_t rank, int type,
                                               OrtValue**);
  OrtStatus* (*GetTensorMutableData)(OrtValue*, void**);
  OrtStatus* (*GetTensorElementType)(const OrtTensorTypeAndShapeInfo*, int*);
  OrtStatus* (*GetDimensionsCount)(const OrtTensorTypeAndShapeInfo*, size_t*);
  OrtStatus* (*GetDimensions)(const OrtTensorTypeAndShapeInfo*, int64_t*, size_t);
  OrtStatus* (*GetTensorTypeAndShape)(const OrtValue*, OrtTensorTypeAndShapeInfo**);
  OrtStatus* (*CreateCpuMemoryInfo)(int allocator_type, int memory_type, OrtMemoryInfo**);
  OrtStatus* (*AllocatorFree)(OrtAllocator*, void*);
  OrtStatus* (*GetAllocatorWithDefaultOptions)(OrtAllocator**);
  void (*ReleaseEnv)(OrtEnv*);
  void (*ReleaseStatus)(OrtStatus*);
  void (*ReleaseMemoryInfo)(OrtMemoryInfo*);
  void (*ReleaseSession)(OrtSession*);
  void (*ReleaseValue)(OrtValue*);
  void (*ReleaseRunOptions)(OrtRunOptions*);
  void (*ReleaseTensorTypeAndShapeInfo)(OrtTensorTypeAndShapeInfo*);
  void (*ReleaseSessionOptions)(OrtSessionOptions*);
  OrtStatus* (*AddSessionConfigEntry)(OrtSessionOptions*, const char* key, const char* value);
};

// What OrtGetApiBase() returns.
struct OrtApiBase {
  const void* const* (*GetApi)(uint32_t version);
  const char* (*GetVersionString)();
};

OrtFunctions ReadSlots(const void* const* table) {
  OrtFunctions functions;
#define AKIDB_ORT_SLOT_(function, place) \
  functions.function =                   \
      reinterpret_cast<decltype(functions.function)>(const_cast<void*>(table[place]));
  AKIDB_ORT_SLOTS(AKIDB_ORT_SLOT_)
#undef AKIDB_ORT_SLOT_
  return functions;
}

// Owns one object of the library.
template <typename T>
class Owned {
 public:
  explicit Owned(void (*release)(T*)) : release_(release) {}
  Owned(Owned&& other) noexcept
      : release_(other.release_), object_(std::exchange(other.object_, nullptr)) {}
  Owned& operator=(Owned&&) = delete;
  ~Owned() {
    if (object_ != nullptr) release_(object_);
  }
  T* get() const { return object_; }
  T** out() { return &object_; }

 private:
  void (*release_)(T*);
  T* object_ = nullptr;
};

// The library's message, or nothing when `status` is none. Takes the status.
std::optional<std::string> TakeError(const OrtFunctions& ort, OrtStatus* status) {
  if (status == nullptr) return std::nullopt;
  std::string message = ort.GetErrorMessage(status);
  ort.ReleaseStatus(status);
  return message;
}

// Turns a failed call of the library into a Status of the enclosing function.
#define AKIDB_ORT_RETURN_IF_ERROR(ort, call, MakeStatus)                                \
  do {                                                                                  \
    if (auto akidb_message_ = TakeError(ort, call)) return MakeStatus(*akidb_message_); \
  } while (false)

Status RunFailed(const std::string& message) {
  return InternalError("ONNX Runtime failed: " + message);
}

Status ModelRefused(const std::string& message) {
  return CorruptionError("ONNX Runtime refused the model: " + message);
}

class OrtSessionAdapter final : public Session {
 public:
  OrtSessionAdapter(const OrtFunctions& ort, OrtMemoryInfo* cpu, Owned<OrtSession> session,
                    SessionSpec spec)
      : ort_(ort), cpu_(cpu), session_(std::move(session)), spec_(std::move(spec)) {
    for (const SessionInput& input : spec_.inputs) input_names_.push_back(input.name.c_str());
  }

  Status Run(const TokenBatch& batch, RunControl& control, const Use& use) override {
    Owned<OrtRunOptions> options(ort_.ReleaseRunOptions);
    AKIDB_ORT_RETURN_IF_ERROR(ort_, ort_.CreateRunOptions(options.out()), RunFailed);
    Owned<OrtValue> output(ort_.ReleaseValue);
    control.Attach([this, &options] {
      // Fails only for a null argument.
      (void)TakeError(ort_, ort_.RunOptionsSetTerminate(options.get()));
    });
    Status status = RunGraph(batch, options.get(), output.out());
    control.Detach();
    if (control.stopped()) return CancelledError("the inference was stopped");
    AKIDB_RETURN_IF_ERROR(status);
    HiddenStates states;
    AKIDB_RETURN_IF_ERROR(ReadOutput(batch, output.get(), states));
    use(states);
    return OkStatus();
  }

  Status CheckNames(OrtAllocator* allocator) const {
    std::vector<std::string> inputs;
    AKIDB_RETURN_IF_ERROR(
        Names(allocator, ort_.SessionGetInputCount, ort_.SessionGetInputName, inputs));
    std::vector<std::string> outputs;
    AKIDB_RETURN_IF_ERROR(
        Names(allocator, ort_.SessionGetOutputCount, ort_.SessionGetOutputName, outputs));
    for (const SessionInput& input : spec_.inputs) {
      AKIDB_RETURN_IF_ERROR(Require("input", input.name, inputs));
    }
    if (inputs.size() != spec_.inputs.size()) {
      return CorruptionError("the model takes " + std::to_string(inputs.size()) +
                             " inputs, its manifest names " + std::to_string(spec_.inputs.size()));
    }
    return Require("output", spec_.output, outputs);
  }

 private:
  using CountFunction = OrtStatus* (*)(const OrtSession*, size_t*);
  using NameFunction = OrtStatus* (*)(const OrtSession*, size_t, OrtAllocator*, char**);

  Status Names(OrtAllocator* allocator, CountFunction count_of, NameFunction name_of,
               std::vector<std::string>& names) const {
    size_t count = 0;
    AKIDB_ORT_RETURN_IF_ERROR(ort_, count_of(session_.get(), &count), ModelRefused);
    for (size_t i = 0; i < count; ++i) {
      char* name = nullptr;
      AKIDB_ORT_RETURN_IF_ERROR(ort_, name_of(session_.get(), i, allocator, &name), ModelRefused);
      names.emplace_back(name);
      AKIDB_ORT_RETURN_IF_ERROR(ort_, ort_.AllocatorFree(allocator, name), ModelRefused);
    }
    return OkStatus();
  }

  static Status Require(std::string_view kind, const std::string& name,
                        const std::vector<std::string>& names) {
    if (std::find(names.begin(), names.end(), name) != names.end()) return OkStatus();
    std::string have;
    for (const std::string& other : names) have += (have.empty() ? "" : ", ") + other;
    return CorruptionError("the model has no " + std::string(kind) + " `" + name + "` (it has " +
                           have + ")");
  }

  // The tensors borrow the batch; the library only reads inputs.
  Status RunGraph(const TokenBatch& batch, OrtRunOptions* options, OrtValue** output) {
    const std::array<int64_t, 2> shape = {static_cast<int64_t>(batch.items),
                                          static_cast<int64_t>(batch.tokens)};
    const size_t bytes = batch.ids.size() * sizeof(int64_t);
    std::vector<int64_t> zeros;
    std::vector<int64_t> positions;
    std::vector<Owned<OrtValue>> tensors;
    std::vector<const OrtValue*> inputs;
    for (const SessionInput& input : spec_.inputs) {
      const int64_t* data = nullptr;
      switch (input.kind) {
        case InputKind::kIds:
          data = batch.ids.data();
          break;
        case InputKind::kMask:
          data = batch.mask.data();
          break;
        case InputKind::kTokenTypes:
          zeros.resize(batch.ids.size());
          data = zeros.data();
          break;
        case InputKind::kPositions:
          positions.resize(batch.ids.size());
          for (size_t i = 0; i < positions.size(); ++i) {
            positions[i] = static_cast<int64_t>(i % batch.tokens);
          }
          data = positions.data();
          break;
      }
      tensors.emplace_back(ort_.ReleaseValue);
      AKIDB_ORT_RETURN_IF_ERROR(
          ort_,
          ort_.CreateTensorWithDataAsOrtValue(cpu_, const_cast<int64_t*>(data), bytes, shape.data(),
                                              shape.size(), kElementInt64, tensors.back().out()),
          RunFailed);
      inputs.push_back(tensors.back().get());
    }
    const char* output_name = spec_.output.c_str();
    AKIDB_ORT_RETURN_IF_ERROR(ort_,
                              ort_.Run(session_.get(), options, input_names_.data(), inputs.data(),
                                       inputs.size(), &output_name, 1, output),
                              RunFailed);
    return OkStatus();
  }

  Status ReadOutput(const TokenBatch& batch, OrtValue* output, HiddenStates& states) const {
    Owned<OrtTensorTypeAndShapeInfo> info(ort_.ReleaseTensorTypeAndShapeInfo);
    AKIDB_ORT_RETURN_IF_ERROR(ort_, ort_.GetTensorTypeAndShape(output, info.out()), RunFailed);
    int type = 0;
    AKIDB_ORT_RETURN_IF_ERROR(ort_, ort_.GetTensorElementType(info.get(), &type), RunFailed);
    size_t rank = 0;
    AKIDB_ORT_RETURN_IF_ERROR(ort_, ort_.GetDimensionsCount(info.get(), &rank), RunFailed);
    std::vector<int64_t> shape(rank);
    AKIDB_ORT_RETURN_IF_ERROR(ort_, ort_.GetDimensions(info.get(), shape.data(), rank), RunFailed);
    std::vector<int64_t> expected = {static_cast<int64_t>(batch.items)};
    if (!spec_.pooled_in_graph) expected.push_back(static_cast<int64_t>(batch.tokens));
    expected.push_back(spec_.width);
    if (type != kElementFloat || shape != expected) {
      return CorruptionError("the model's output `" + spec_.output + "` is " +
                             Describe(type, shape) + "; its manifest promises " +
                             Describe(kElementFloat, expected));
    }
    void* data = nullptr;
    AKIDB_ORT_RETURN_IF_ERROR(ort_, ort_.GetTensorMutableData(output, &data), RunFailed);
    states.items = batch.items;
    states.tokens = spec_.pooled_in_graph ? 1 : batch.tokens;
    states.width = spec_.width;
    states.values = {static_cast<const float*>(data), states.items * states.tokens * states.width};
    return OkStatus();
  }

  static std::string Describe(int type, const std::vector<int64_t>& shape) {
    std::string text =
        type == kElementFloat ? "float32" : "of element type " + std::to_string(type);
    text += " [";
    for (size_t i = 0; i < shape.size(); ++i) text += (i ? "," : "") + std::to_string(shape[i]);
    return text + "]";
  }

  const OrtFunctions& ort_;
  OrtMemoryInfo* const cpu_;
  const Owned<OrtSession> session_;
  const SessionSpec spec_;
  std::vector<const char*> input_names_;  // point into spec_
};

// Keeps the runtime alive as long as one of its sessions.
class HeldSession final : public Session {
 public:
  HeldSession(std::shared_ptr<OnnxRuntime> runtime, std::unique_ptr<Session> session)
      : runtime_(std::move(runtime)), session_(std::move(session)) {}
  Status Run(const TokenBatch& batch, RunControl& control, const Use& use) override {
    return session_->Run(batch, control, use);
  }

 private:
  std::shared_ptr<OnnxRuntime> runtime_;
  std::unique_ptr<Session> session_;
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
    return OkStatus();
  }

  const std::string& library_path() const override { return path_; }
  const std::string& version() const override { return version_; }

  Result<std::unique_ptr<Session>> CreateSession(std::span<const std::byte> model,
                                                 const SessionSpec& spec) override {
    Owned<OrtSessionOptions> options(ort_.ReleaseSessionOptions);
    AKIDB_RETURN_IF_ERROR(MakeOptions(spec, options.out()));
    Owned<OrtSession> session(ort_.ReleaseSession);
    AKIDB_ORT_RETURN_IF_ERROR(ort_,
                              ort_.CreateSessionFromArray(env_.get(), model.data(), model.size(),
                                                          options.get(), session.out()),
                              ModelRefused);
    auto adapter = std::make_unique<OrtSessionAdapter>(ort_, cpu_.get(), std::move(session), spec);
    AKIDB_RETURN_IF_ERROR(adapter->CheckNames(allocator_));
    return std::make_unique<HeldSession>(shared_from_this(), std::move(adapter));
  }

 private:
  // Arena and memory pattern off: with shapes that vary they only grow (measured in
  // docs/internals/embedding.md). No spinning: idle threads must not burn a core.
  Status MakeOptions(const SessionSpec& spec, OrtSessionOptions** out) const {
    AKIDB_ORT_RETURN_IF_ERROR(ort_, ort_.CreateSessionOptions(out), RunFailed);
    OrtSessionOptions* options = *out;
    OrtStatus* (*entry)(OrtSessionOptions*, const char*, const char*) = ort_.AddSessionConfigEntry;
    AKIDB_ORT_RETURN_IF_ERROR(ort_, ort_.DisableMemPattern(options), RunFailed);
    AKIDB_ORT_RETURN_IF_ERROR(ort_, ort_.DisableCpuMemArena(options), RunFailed);
    AKIDB_ORT_RETURN_IF_ERROR(ort_, ort_.SetSessionLogSeverityLevel(options, kLogError), RunFailed);
    AKIDB_ORT_RETURN_IF_ERROR(ort_, ort_.SetSessionGraphOptimizationLevel(options, kOptimiseAll),
                              RunFailed);
    AKIDB_ORT_RETURN_IF_ERROR(ort_, ort_.SetIntraOpNumThreads(options, spec.threads), RunFailed);
    AKIDB_ORT_RETURN_IF_ERROR(ort_, ort_.SetInterOpNumThreads(options, 1), RunFailed);
    AKIDB_ORT_RETURN_IF_ERROR(ort_, entry(options, "session.intra_op.allow_spinning", "0"),
                              RunFailed);
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
                            ", which is too old: 1.16 or newer is needed");
  }
  auto runtime = std::make_shared<OnnxRuntimeLibrary>(path, version, ReadSlots(table));
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
      "models pull`, or set AKIDB_ORT_LIB to a libonnxruntime.so of version 1.16 or newer. "
      "Tried: " +
      reasons);
}

}  // namespace akidb::embedding

#if defined(__SANITIZE_ADDRESS__)
// The library keeps a few objects until the process ends (at most 622 bytes in 1.29.0, however many
// sessions and runs there were) and forgets where they are: not ours to report.
extern "C" const char* __lsan_default_suppressions() { return "leak:libonnxruntime.so\n"; }
#endif
