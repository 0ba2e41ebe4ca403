#include "base/json_writer.h"
#include "cli/selftest/report.h"

namespace akidb::cli {
namespace {

constexpr uint64_t kSchema = 1;

// Members of one object.
class Members {
 public:
  explicit Members(JsonWriter& json) : json_(json) { json_.BeginObject(); }
  ~Members() { json_.EndObject(); }
  Members(const Members&) = delete;
  Members& operator=(const Members&) = delete;

  // Null where the system doesn't say.
  void Text(std::string_view key, const std::string& value) {
    json_.Key(key);
    value.empty() ? json_.Null() : json_.String(value);
  }
  void Number(std::string_view key, double value) {
    json_.Key(key);
    json_.Double(value);
  }
  void Count(std::string_view key, uint64_t value) {
    json_.Key(key);
    json_.Uint(value);
  }
  void Flag(std::string_view key, bool value) {
    json_.Key(key);
    json_.Bool(value);
  }
  template <typename List, typename Write>
  void Array(std::string_view key, const List& list, const Write& write) {
    json_.Key(key);
    json_.BeginArray();
    for (const auto& one : list) write(one);
    json_.EndArray();
  }

 private:
  JsonWriter& json_;
};

void WriteGpu(JsonWriter& json, const GpuFacts& facts) {
  json.Key("gpu");
  Members gpu(json);
  gpu.Array("devices", facts.devices, [&](const GpuDevice& device) {
    Members members(json);
    members.Text("name", device.name);
    members.Text("compute_capability", device.compute_capability);
    members.Count("memory_bytes", device.memory_bytes);
    members.Flag("integrated", device.integrated);
  });
  gpu.Text("problem", facts.cuda_problem);
  gpu.Text("driver", facts.kernel_driver);
  gpu.Text("cuda", facts.cuda_version);
  gpu.Text("tensorrt", facts.tensorrt_version);
  gpu.Text("jetson_linux", facts.jetson_linux);
  gpu.Text("power_mode", facts.power_mode);
}

void WriteMachine(JsonWriter& json, const SelftestReport& report) {
  json.Key("machine");
  Members machine(json);
  const MachineFacts& facts = report.machine;
  machine.Text("processor", facts.processor.name);
  machine.Text("board", facts.processor.board);
  machine.Text("kernels", facts.processor.simd);
  machine.Count("cores", facts.processor.physical);
  machine.Count("logical_cores", facts.processor.logical);
  machine.Count("largest_cache_bytes", facts.processor.largest_cache_bytes);
  machine.Count("memory_bytes", facts.memory_bytes);
  machine.Count("available_bytes", facts.available_bytes);
  json.Key("read_bandwidth");
  if (report.bandwidth) {
    Members bandwidth(json);
    bandwidth.Number("bytes_per_s", report.bandwidth->bytes_per_s);
    bandwidth.Count("buffer_bytes", report.bandwidth->buffer_bytes);
    bandwidth.Count("threads", report.bandwidth->threads);
  } else {
    json.Null();
  }
  WriteGpu(json, facts.gpu);
}

void WriteRuntime(JsonWriter& json, const RuntimeFacts& facts) {
  json.Key("onnxruntime");
  Members runtime(json);
  runtime.Text("version", facts.version);
  runtime.Text("library", facts.library);
  runtime.Array("built_with", facts.providers, [&](const std::string& name) { json.String(name); });
  runtime.Text("problem", facts.problem);
}

void WriteSeries(JsonWriter& json, const SeriesFigures& series, double floor_ms) {
  Members members(json);
  members.Count("text_tokens", series.text_tokens);
  members.Array("requests", series.batches, [&](const BatchFigures& batch) {
    Members one(json);
    one.Count("texts", batch.texts);
    one.Count("count", batch.requests);
    one.Number("tokens", batch.tokens);
    one.Number("p50_ms", batch.p50_ms);
    one.Number("p95_ms", batch.p95_ms);
    one.Number("texts_per_s", batch.texts_per_s);
    one.Number("tokens_per_s", batch.tokens_per_s);
    one.Number("floor_tokens_per_s", FloorTokensPerSecond(batch, floor_ms));
  });
}

void WriteGolden(JsonWriter& json, Members& members, const std::vector<GoldenFigure>& texts) {
  members.Array("golden", texts, [&](const GoldenFigure& golden) {
    Members one(json);
    one.Number("cosine", golden.cosine);
    one.Number("min_cosine", golden.min_cosine);
  });
}

void WriteModel(JsonWriter& json, const ModelFigures& model, const SelftestReport& report) {
  Members members(json);
  members.Text("id", model.id);
  members.Text("problem", model.problem);
  members.Text("provider", model.provider);
  members.Array("nodes", model.nodes, [&](const embedding::NodeCount& count) {
    Members one(json);
    one.Text("provider", count.provider);
    one.Count("nodes", count.nodes);
  });
  members.Number("load_ms", model.load_ms);
  WriteGolden(json, members, model.golden);
  members.Array("providers", model.providers, [&](const ProviderFigures& provider) {
    Members one(json);
    one.Text("provider", provider.provider);
    one.Text("variant", provider.variant);
    one.Text("problem", provider.problem);
    WriteGolden(json, one, provider.golden);
    one.Number("cosine_to_last", provider.cosine_to_last);
  });
  const double floor_ms = FloorMs(model, report);
  members.Count("graph_bytes", model.graph_bytes);
  members.Number("floor_ms", floor_ms);
  members.Count("resident_before_bytes", model.resident_before_bytes);
  members.Count("peak_resident_bytes", model.peak_resident_bytes);
  members.Count("available_drop_bytes", model.available_drop_bytes);
  json.Key("queries");
  WriteSeries(json, model.queries, floor_ms);
  json.Key("passages");
  WriteSeries(json, model.passages, floor_ms);
}

void WriteVerdict(JsonWriter& json, const Verdict* verdict) {
  json.Key("gate");
  if (verdict == nullptr) return json.Null();
  Members gate(json);
  gate.Text("name", verdict->gate);
  gate.Flag("passed", verdict->passed());
  gate.Array("findings", verdict->findings, [&](const Finding& finding) {
    Members one(json);
    one.Flag("passed", finding.passed);
    one.Text("text", finding.text);
  });
}

}  // namespace

std::string ReportJson(const SelftestReport& report, const Verdict* verdict) {
  std::string out;
  JsonWriter json(out);
  {
    Members members(json);
    members.Count("schema", kSchema);
    members.Flag("quick", report.quick);
    members.Flag("interrupted", report.interrupted);
    WriteMachine(json, report);
    WriteRuntime(json, report.runtime);
    members.Text("models_dir", report.models_dir);
    members.Array("models", report.models,
                  [&](const ModelFigures& model) { WriteModel(json, model, report); });
    WriteVerdict(json, verdict);
  }
  return out;
}

}  // namespace akidb::cli
