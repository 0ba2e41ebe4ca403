#include "embedding/onnx_signature.h"

#include <algorithm>

namespace akidb::embedding {
namespace {

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

}  // namespace

std::string Describe(const GraphValue& value) {
  std::string text(value.type ? NameOf(*value.type) : "of an unknown type");
  text += " [";
  for (size_t i = 0; i < value.shape.size(); ++i) {
    text += (i ? "," : "") + (value.shape[i] < 0 ? "?" : std::to_string(value.shape[i]));
  }
  return text + "]";
}

Result<GraphSignature> ReadSignature(const OrtFunctions& ort, const OrtSession* session,
                                     OrtAllocator* allocator) {
  return SignatureReader(ort, session, allocator).Read();
}

Status CheckSignature(const GraphSignature& signature, const SessionSpec& spec) {
  return SignatureCheck(signature, spec).Run();
}

}  // namespace akidb::embedding
