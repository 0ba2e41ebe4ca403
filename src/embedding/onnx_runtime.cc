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
struct OrtTypeInfo;
struct OrtAllocator;

namespace akidb::embedding {
namespace {

// Enumerators of the C API that we pass or compare.
constexpr int kLogError = 3;         // OrtLoggingLevel
constexpr int kOptimiseAll = 99;     // GraphOptimizationLevel
constexpr int kDeviceAllocator = 0;  // OrtAllocatorType
constexpr int kMemTypeDefault = 0;   // OrtMemType

// ONNXTensorElementDataType.
constexpr std::array<std::pair<ElementType, int>, 7> kElementTypes = {{
    {ElementType::kFloat32, 1},
    {ElementType::kUint8, 2},
    {ElementType::kInt8, 3},
    {ElementType::kInt32, 6},
    {ElementType::kInt64, 7},
    {ElementType::kFloat16, 10},
    {ElementType::kBfloat16, 16},
}};

int EnumeratorOf(ElementType type) {
  for (const auto& [known, enumerator] : kElementTypes) {
    if (known == type) return enumerator;
  }
  return 0;
}

std::optional<ElementType> TypeOf(int enumerator) {
  for (const auto& [type, known] : kElementTypes) {
    if (known == enumerator) return type;
  }
  return std::nullopt;
}

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
  OrtStatus* (*SessionGetInputTypeInfo)(const OrtSession*, size_t index, OrtTypeInfo**);
  OrtStatus* (*SessionGetOutputTypeInfo)(const OrtSession*, size_t index, OrtTypeInfo**);
  OrtStatus* (*SessionGetInputName)(const OrtSession*, size_t index, OrtAllocator*, char**);
  OrtStatus* (*SessionGetOutputName)(const OrtSession*, size_t index, OrtAllocator*, char**);
  OrtStatus* (*CreateRunOptions)(OrtRunOptions**);
  OrtStatus* (*RunOptionsSetTerminate)(OrtRunOptions*);
  OrtStatus* (*CreateTensorWithDataAsOrtValue)(const OrtMemoryInfo*, void* data, size_t bytes,
                                               const int64_t* shape, size_t rank, int type,
                                               OrtValue**);
  OrtStatus* (*GetTensorMutableData)(OrtValue*, void**);
  // Null for what is no tensor; belongs to the type.
  OrtStatus* (*CastTypeInfoToTensorInfo)(const OrtTypeInfo*, const OrtTensorTypeAndShapeInfo**);
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
  void (*ReleaseTypeInfo)(OrtTypeInfo*);
  void (*ReleaseTensorTypeAndShapeInfo)(OrtTensorTypeAndShapeInfo*);
  void (*ReleaseSessionOptions)(OrtSessionOptions*);
  OrtStatus* (*GetAvailableProviders)(char*** names, int* count);
  OrtStatus* (*ReleaseAvailableProviders)(char** names, int count);
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

std::string Describe(const GraphValue& value) {
  std::string text(value.type ? NameOf(*value.type) : "of an unknown type");
  text += " [";
  for (size_t i = 0; i < value.shape.size(); ++i) {
    text += (i ? "," : "") + (value.shape[i] < 0 ? "?" : std::to_string(value.shape[i]));
  }
  return text + "]";
}

// Whether the graph may get, or give, `wanted` where it declares `found`: -1 fits any size, and a
// shape that isn't declared at all any shape.
bool Fits(const GraphValue& found, const GraphValue& wanted) {
  if (found.type != wanted.type) return false;
  if (found.shape.empty()) return true;
  return std::equal(found.shape.begin(), found.shape.end(), wanted.shape.begin(),
                    wanted.shape.end(),
                    [](int64_t a, int64_t b) { return a < 0 || b < 0 || a == b; });
}

// Reads what a session declares.
class SignatureReader {
 public:
  SignatureReader(const OrtFunctions& ort, const OrtSession* session, OrtAllocator* allocator)
      : ort_(ort), session_(session), allocator_(allocator) {}

  Result<GraphSignature> Read() const {
    GraphSignature signature;
    AKIDB_RETURN_IF_ERROR(
        ReadAll({ort_.SessionGetInputCount, ort_.SessionGetInputName, ort_.SessionGetInputTypeInfo},
                signature.inputs));
    AKIDB_RETURN_IF_ERROR(ReadAll(
        {ort_.SessionGetOutputCount, ort_.SessionGetOutputName, ort_.SessionGetOutputTypeInfo},
        signature.outputs));
    return signature;
  }

 private:
  struct Getters {
    OrtStatus* (*count)(const OrtSession*, size_t*);
    OrtStatus* (*name)(const OrtSession*, size_t, OrtAllocator*, char**);
    OrtStatus* (*type)(const OrtSession*, size_t, OrtTypeInfo**);
  };

  Status ReadAll(const Getters& get, std::vector<GraphValue>& values) const {
    size_t count = 0;
    AKIDB_ORT_RETURN_IF_ERROR(ort_, get.count(session_, &count), ModelRefused);
    for (size_t i = 0; i < count; ++i) {
      char* name = nullptr;
      AKIDB_ORT_RETURN_IF_ERROR(ort_, get.name(session_, i, allocator_, &name), ModelRefused);
      GraphValue& value = values.emplace_back();
      value.name = name;
      AKIDB_ORT_RETURN_IF_ERROR(ort_, ort_.AllocatorFree(allocator_, name), ModelRefused);
      Owned<OrtTypeInfo> type(ort_.ReleaseTypeInfo);
      AKIDB_ORT_RETURN_IF_ERROR(ort_, get.type(session_, i, type.out()), ModelRefused);
      AKIDB_RETURN_IF_ERROR(ReadTensor(type.get(), value));
    }
    return OkStatus();
  }

  Status ReadTensor(const OrtTypeInfo* type, GraphValue& value) const {
    const OrtTensorTypeAndShapeInfo* tensor = nullptr;
    AKIDB_ORT_RETURN_IF_ERROR(ort_, ort_.CastTypeInfoToTensorInfo(type, &tensor), ModelRefused);
    if (tensor == nullptr) return OkStatus();
    int element_type = 0;
    AKIDB_ORT_RETURN_IF_ERROR(ort_, ort_.GetTensorElementType(tensor, &element_type), ModelRefused);
    value.type = TypeOf(element_type);
    size_t rank = 0;
    AKIDB_ORT_RETURN_IF_ERROR(ort_, ort_.GetDimensionsCount(tensor, &rank), ModelRefused);
    value.shape.resize(rank);
    AKIDB_ORT_RETURN_IF_ERROR(ort_, ort_.GetDimensions(tensor, value.shape.data(), rank),
                              ModelRefused);
    return OkStatus();
  }

  const OrtFunctions& ort_;
  const OrtSession* const session_;
  OrtAllocator* const allocator_;
};

// The graph's values against what a manifest says of them.
class SignatureCheck {
 public:
  SignatureCheck(const GraphSignature& signature, const SessionSpec& spec)
      : signature_(signature), spec_(spec) {}

  Status Run() const {
    for (const SessionInput& input : spec_.inputs) {
      AKIDB_RETURN_IF_ERROR(
          Require("input", signature_.inputs, {input.name, ElementType::kInt64, {-1, -1}}));
    }
    const EmptyKv& kv = spec_.empty_kv;
    for (const std::string& name : kv.names) {
      AKIDB_RETURN_IF_ERROR(
          Require("input", signature_.inputs, {name, kv.type, {-1, kv.heads, -1, kv.head_dim}}));
    }
    const size_t named = spec_.inputs.size() + kv.names.size();
    if (signature_.inputs.size() != named) {
      return CorruptionError("the model takes " + std::to_string(signature_.inputs.size()) +
                             " inputs, its manifest names " + std::to_string(named));
    }
    GraphValue output{spec_.output.name, spec_.output.type, {-1, spec_.width}};
    if (!spec_.pooled_in_graph) output.shape = {-1, -1, spec_.width};
    return Require("output", signature_.outputs, output);
  }

 private:
  static Status Require(const std::string& kind, const std::vector<GraphValue>& values,
                        const GraphValue& wanted) {
    std::string have;
    for (const GraphValue& found : values) {
      have += (have.empty() ? "" : ", ") + found.name;
      if (found.name != wanted.name) continue;
      if (Fits(found, wanted)) return OkStatus();
      return CorruptionError("the model's " + kind + " `" + found.name + "` is " + Describe(found) +
                             "; its manifest promises " + Describe(wanted));
    }
    return CorruptionError("the model has no " + kind + " `" + wanted.name + "` (it has " + have +
                           ")");
  }

  const GraphSignature& signature_;
  const SessionSpec& spec_;
};

class OrtSessionAdapter final : public Session {
 public:
  OrtSessionAdapter(const OrtFunctions& ort, OrtMemoryInfo* cpu, Owned<OrtSession> session,
                    SessionSpec spec)
      : ort_(ort), cpu_(cpu), session_(std::move(session)), spec_(std::move(spec)) {
    for (const SessionInput& input : spec_.inputs) input_names_.push_back(input.name.c_str());
    for (const std::string& name : spec_.empty_kv.names) input_names_.push_back(name.c_str());
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
    std::vector<float> converted;
    AKIDB_RETURN_IF_ERROR(ReadOutput(batch, output.get(), converted, states));
    use(states);
    return OkStatus();
  }

 private:
  // The tensors borrow the batch; the library only reads inputs.
  Status RunGraph(const TokenBatch& batch, OrtRunOptions* options, OrtValue** output) {
    const auto items = static_cast<int64_t>(batch.items);
    const GraphValue of_tokens{
        "", ElementType::kInt64, {items, static_cast<int64_t>(batch.tokens)}};
    std::vector<int64_t> zeros;
    std::vector<int64_t> positions;
    std::vector<Owned<OrtValue>> tensors;
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
      AKIDB_RETURN_IF_ERROR(AddTensor(of_tokens, data, tensors));
    }
    const EmptyKv& kv = spec_.empty_kv;
    const GraphValue of_nothing{"", kv.type, {items, kv.heads, 0, kv.head_dim}};
    for (size_t i = 0; i < kv.names.size(); ++i) {
      AKIDB_RETURN_IF_ERROR(AddTensor(of_nothing, &kNothing, tensors));
    }
    std::vector<const OrtValue*> inputs;
    for (const Owned<OrtValue>& tensor : tensors) inputs.push_back(tensor.get());
    const char* output_name = spec_.output.name.c_str();
    AKIDB_ORT_RETURN_IF_ERROR(ort_,
                              ort_.Run(session_.get(), options, input_names_.data(), inputs.data(),
                                       inputs.size(), &output_name, 1, output),
                              RunFailed);
    return OkStatus();
  }

  // Borrows `data`, which is only read.
  Status AddTensor(const GraphValue& of, const int64_t* data,
                   std::vector<Owned<OrtValue>>& tensors) const {
    size_t bytes = BytesOf(*of.type);
    for (int64_t size : of.shape) bytes *= static_cast<size_t>(size);
    tensors.emplace_back(ort_.ReleaseValue);
    AKIDB_ORT_RETURN_IF_ERROR(ort_,
                              ort_.CreateTensorWithDataAsOrtValue(
                                  cpu_, const_cast<int64_t*>(data), bytes, of.shape.data(),
                                  of.shape.size(), EnumeratorOf(*of.type), tensors.back().out()),
                              RunFailed);
    return OkStatus();
  }

  // Numbers that are no float32 are converted into `converted`.
  Status ReadOutput(const TokenBatch& batch, OrtValue* output, std::vector<float>& converted,
                    HiddenStates& states) const {
    Owned<OrtTensorTypeAndShapeInfo> info(ort_.ReleaseTensorTypeAndShapeInfo);
    AKIDB_ORT_RETURN_IF_ERROR(ort_, ort_.GetTensorTypeAndShape(output, info.out()), RunFailed);
    GraphValue found;
    int type = 0;
    AKIDB_ORT_RETURN_IF_ERROR(ort_, ort_.GetTensorElementType(info.get(), &type), RunFailed);
    found.type = TypeOf(type);
    size_t rank = 0;
    AKIDB_ORT_RETURN_IF_ERROR(ort_, ort_.GetDimensionsCount(info.get(), &rank), RunFailed);
    found.shape.resize(rank);
    AKIDB_ORT_RETURN_IF_ERROR(ort_, ort_.GetDimensions(info.get(), found.shape.data(), rank),
                              RunFailed);
    GraphValue wanted{"", spec_.output.type, {static_cast<int64_t>(batch.items)}};
    if (!spec_.pooled_in_graph) wanted.shape.push_back(static_cast<int64_t>(batch.tokens));
    wanted.shape.push_back(spec_.width);
    if (found.type != wanted.type || found.shape != wanted.shape) {
      return CorruptionError("the model's output `" + spec_.output.name + "` is " +
                             Describe(found) + "; its manifest promises " + Describe(wanted));
    }
    void* data = nullptr;
    AKIDB_ORT_RETURN_IF_ERROR(ort_, ort_.GetTensorMutableData(output, &data), RunFailed);
    states.items = batch.items;
    states.tokens = spec_.pooled_in_graph ? 1 : batch.tokens;
    states.width = spec_.width;
    const size_t count = states.items * states.tokens * states.width;
    if (spec_.output.type == ElementType::kFloat32) {
      states.values = {static_cast<const float*>(data), count};
      return OkStatus();
    }
    converted.resize(count);
    ToFloat32(spec_.output.type, data, spec_.output.dequantization, converted);
    states.values = converted;
    return OkStatus();
  }

  static constexpr int64_t kNothing = 0;  // an address for tensors without numbers

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
    Owned<OrtSession> session(ort_.ReleaseSession);
    AKIDB_RETURN_IF_ERROR(Open(model, spec.threads, session.out()));
    AKIDB_ASSIGN_OR_RETURN(GraphSignature signature,
                           SignatureReader(ort_, session.get(), allocator_).Read());
    AKIDB_RETURN_IF_ERROR(SignatureCheck(signature, spec).Run());
    auto adapter = std::make_unique<OrtSessionAdapter>(ort_, cpu_.get(), std::move(session), spec);
    return std::make_unique<HeldSession>(shared_from_this(), std::move(adapter));
  }

  Result<GraphSignature> Inspect(std::span<const std::byte> model) override {
    Owned<OrtSession> session(ort_.ReleaseSession);
    AKIDB_RETURN_IF_ERROR(Open(model, /*threads=*/1, session.out()));
    return SignatureReader(ort_, session.get(), allocator_).Read();
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
  Status Open(std::span<const std::byte> model, int threads, OrtSession** session) const {
    Owned<OrtSessionOptions> options(ort_.ReleaseSessionOptions);
    AKIDB_RETURN_IF_ERROR(MakeOptions(threads, options.out()));
    AKIDB_ORT_RETURN_IF_ERROR(
        ort_,
        ort_.CreateSessionFromArray(env_.get(), model.data(), model.size(), options.get(), session),
        ModelRefused);
    return OkStatus();
  }

  // Arena and memory pattern off: with shapes that vary they only grow (measured in
  // docs/internals/embedding.md). No spinning: idle threads must not burn a core.
  Status MakeOptions(int threads, OrtSessionOptions** out) const {
    AKIDB_ORT_RETURN_IF_ERROR(ort_, ort_.CreateSessionOptions(out), RunFailed);
    OrtSessionOptions* options = *out;
    OrtStatus* (*entry)(OrtSessionOptions*, const char*, const char*) = ort_.AddSessionConfigEntry;
    AKIDB_ORT_RETURN_IF_ERROR(ort_, ort_.DisableMemPattern(options), RunFailed);
    AKIDB_ORT_RETURN_IF_ERROR(ort_, ort_.DisableCpuMemArena(options), RunFailed);
    AKIDB_ORT_RETURN_IF_ERROR(ort_, ort_.SetSessionLogSeverityLevel(options, kLogError), RunFailed);
    AKIDB_ORT_RETURN_IF_ERROR(ort_, ort_.SetSessionGraphOptimizationLevel(options, kOptimiseAll),
                              RunFailed);
    AKIDB_ORT_RETURN_IF_ERROR(ort_, ort_.SetIntraOpNumThreads(options, threads), RunFailed);
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
