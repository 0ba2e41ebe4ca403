#include "embedding/onnx_session.h"

#include <utility>
#include <vector>

#include "embedding/onnx_assignment.h"
#include "embedding/onnx_signature.h"

namespace akidb::embedding {
namespace {

class OrtSessionAdapter final : public Session {
 public:
  OrtSessionAdapter(const OrtFunctions& ort, OrtMemoryInfo* cpu, Owned<OrtSession> session,
                    SessionSpec spec)
      : ort_(ort), cpu_(cpu), session_(std::move(session)), spec_(std::move(spec)) {
    for (const SessionInput& input : spec_.inputs) input_names_.push_back(input.name.c_str());
    for (const std::string& name : spec_.empty_kv.names) input_names_.push_back(name.c_str());
  }

  std::vector<NodeCount> Nodes() const override { return CountNodes(ort_, session_.get()); }

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
    return use(states);
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
    states.pooled = spec_.pooled_in_graph;
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

}  // namespace

std::unique_ptr<Session> MakeOnnxSession(const OrtFunctions& ort, OrtMemoryInfo* cpu,
                                         Owned<OrtSession> session, SessionSpec spec) {
  return std::make_unique<OrtSessionAdapter>(ort, cpu, std::move(session), std::move(spec));
}

}  // namespace akidb::embedding
