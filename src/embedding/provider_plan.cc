#include "embedding/provider_plan.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "base/json_writer.h"
#include "base/sha256.h"
#include "embedding/cuda_options.h"

namespace akidb::embedding {
namespace {

std::optional<std::pair<int, int>> ParseCapability(std::string_view text) {
  std::pair<int, int> parsed;
  const char* end = text.data() + text.size();
  auto [dot, error] = std::from_chars(text.data(), end, parsed.first);
  if (error != std::errc() || dot == end || *dot != '.') return std::nullopt;
  auto [rest, minor_error] = std::from_chars(dot + 1, end, parsed.second);
  if (minor_error != std::errc() || rest != end) return std::nullopt;
  return parsed;
}

bool AllThere(env::FileSystem& fs, const std::string& folder, const Graph& graph) {
  const auto there = [&](const ModelFile& file) {
    Result<bool> exists = fs.Exists(env::JoinPath(folder, file.path));
    return exists.ok() && *exists;
  };
  return there(graph.file) && std::all_of(graph.external.begin(), graph.external.end(), there);
}

// Shapes of all inputs as TensorRT's options spell them: "ids:1x64,mask:1x64".
std::string Shapes(const SessionSpec& spec, uint64_t items, uint64_t tokens) {
  std::string shapes;
  const auto add = [&](const std::string& name, const std::string& shape) {
    shapes += (shapes.empty() ? "" : ",") + name + ":" + std::to_string(items) + "x" + shape;
  };
  for (const SessionInput& input : spec.inputs) add(input.name, std::to_string(tokens));
  for (const std::string& name : spec.empty_kv.names) {
    add(name, std::to_string(spec.empty_kv.heads) + "x0x" + std::to_string(spec.empty_kv.head_dim));
  }
  return shapes;
}

// Of one run that an engine has room for: a run of many texts has far fewer (model_loader.cc), and
// room for the most texts of the most tokens each could be more than a GPU has.
constexpr uint32_t kEngineTokensMax = 16'384;

// The provider runs every batch on the first profile of an engine, so it is one that holds them
// all.
EngineProfile ProfileOf(const Manifest& manifest) {
  EngineProfile profile = manifest.engine_profile;
  profile.items_max = std::min(profile.items_max,
                               std::max(1u, kEngineTokensMax / std::max(1u, manifest.max_tokens)));
  profile.items_typical = std::min(profile.items_typical, profile.items_max);
  return profile;
}

ProviderOptions TensorRtOptions(const Manifest& manifest, const ProviderSettings& settings,
                                const SessionRequest& request) {
  const EngineProfile profile = ProfileOf(manifest);
  const SessionSpec& spec = request.spec;
  ProviderOptions options = {
      {"device_id", "0"},
      {"trt_profile_min_shapes", Shapes(spec, 1, 1)},
      {"trt_profile_opt_shapes", Shapes(spec, profile.items_typical, profile.tokens_typical)},
      {"trt_profile_max_shapes", Shapes(spec, profile.items_max, manifest.max_tokens)}};
  if (settings.gpu_memory_bytes > 0) {
    options["trt_max_workspace_size"] = std::to_string(settings.gpu_memory_bytes);
  }
  // Above 2 GB weights can't go through the protocol buffer that the provider is given.
  if (!request.external.empty()) options["trt_load_user_initializer"] = "1";
  return options;
}

bool HasEngine(env::FileSystem& fs, const std::string& folder) {
  Result<std::vector<std::string>> names = fs.List(folder);
  return names.ok() && std::any_of(names->begin(), names->end(), [](const std::string& name) {
           return name.ends_with(".engine");
         });
}

class Planner {
 public:
  Planner(env::FileSystem& fs, const InstalledModel& model, const ProviderSettings& settings)
      : fs_(fs), model_(model), settings_(settings) {}

  // Every variant that fits, then the model's own graph: a variant that is bad takes no model down.
  // Of engines, which are built in the background, only the first.
  void Plan(Provider provider, std::vector<PlannedSession>& sessions) const {
    for (const Variant& variant : model_.manifest.variants) {
      if (!Fits(variant, provider)) continue;
      sessions.push_back(PlanOne(provider, &variant));
      if (provider == Provider::kTensorRt) return;
    }
    sessions.push_back(PlanOne(provider, nullptr));
  }

 private:
  PlannedSession PlanOne(Provider provider, const Variant* variant) const {
    const Manifest& manifest = model_.manifest;
    const Graph& graph = variant == nullptr ? manifest.graph : variant->graph;
    PlannedSession planned;
    if (variant != nullptr) planned.variant = variant->name;
    SessionRequest& request = planned.request;
    request.model_id = manifest.id;
    request.folder = model_.folder;
    request.graph = graph.file;
    request.external = graph.external;
    request.can_pull = !graph.file.source.empty() && !manifest.tokenizer.source.empty();
    SessionSpec& spec = request.spec;
    spec.inputs = graph.inputs;
    spec.empty_kv = graph.empty_kv;
    spec.output = graph.output;
    spec.pooled_in_graph = graph.pooled || manifest.pooling == Pooling::kNone;
    spec.width = manifest.dims;
    spec.threads = settings_.threads;
    spec.provider = provider;
    if (provider == Provider::kCuda) spec.options = CudaOptions(settings_.gpu_memory_bytes);
    if (provider == Provider::kTensorRt) {
      spec.options = TensorRtOptions(manifest, settings_, request);
      planned.items_max = ProfileOf(manifest).items_max;
    }
    if (variant != nullptr) {
      for (const auto& [name, value] : variant->options) spec.options[name] = value;
    }
    if (provider == Provider::kTensorRt) KeepEngine(planned);
    return planned;
  }

  bool Fits(const Variant& variant, Provider provider) const {
    const std::vector<GpuDevice>& devices = settings_.gpu.devices;
    const std::string& wanted = variant.compute_capability;
    const bool can =
        wanted.empty() || (!devices.empty() && IsAtLeast(devices[0].compute_capability, wanted));
    return can && AllThere(fs_, model_.folder, variant.graph) &&
           std::count(variant.providers.begin(), variant.providers.end(), provider) > 0;
  }

  void KeepEngine(PlannedSession& planned) const {
    // Without a GPU it fails at once.
    planned.slow = !settings_.gpu.devices.empty();
    if (settings_.engine_cache.empty()) return;
    planned.engine_folder =
        env::JoinPath(settings_.engine_cache, EngineKey(settings_, planned.request));
    planned.slow = planned.slow && !HasEngine(fs_, planned.engine_folder);
    ProviderOptions& options = planned.request.spec.options;
    options["trt_engine_cache_enable"] = "1";
    options["trt_engine_cache_path"] = planned.engine_folder;
    options["trt_timing_cache_enable"] = "1";
    options["trt_timing_cache_path"] = planned.engine_folder;
  }

  env::FileSystem& fs_;
  const InstalledModel& model_;
  const ProviderSettings& settings_;
};

}  // namespace

std::vector<PlannedSession> PlanSessions(env::FileSystem& fs, const InstalledModel& model,
                                         const ProviderSettings& settings) {
  const Planner planner(fs, model, settings);
  std::vector<PlannedSession> sessions;
  for (Provider provider : settings.providers) planner.Plan(provider, sessions);
  return sessions;
}

Result<bool> DeleteEngines(env::FileSystem& fs, const std::string& folder) {
  AKIDB_ASSIGN_OR_RETURN(const bool exists, fs.Exists(folder));
  if (!exists) return false;
  AKIDB_ASSIGN_OR_RETURN(const std::vector<std::string> names, fs.List(folder));
  if (names.empty()) return false;
  AKIDB_RETURN_IF_ERROR(fs.RemoveAll(folder));
  return true;
}

std::string EngineKey(const ProviderSettings& settings, const SessionRequest& request) {
  std::string text;
  JsonWriter json(text);
  json.BeginArray();
  json.String(request.graph.sha256);
  for (const ModelFile& file : request.external) json.String(file.sha256);
  for (const auto& [name, value] : request.spec.options) {
    json.String(name);
    json.String(value);
  }
  json.String(settings.runtime_version);
  const GpuFacts& gpu = settings.gpu;
  for (const std::string* fact : {&gpu.tensorrt_version, &gpu.cuda_version, &gpu.kernel_driver}) {
    json.String(*fact);
  }
  for (const GpuDevice& device : gpu.devices) {
    json.String(device.name);
    json.String(device.compute_capability);
  }
  json.EndArray();
  return request.model_id + "-" + Sha256Hex(std::as_bytes(std::span(text))).substr(0, 16);
}

bool IsAtLeast(const std::string& compute_capability, const std::string& wanted) {
  const auto found = ParseCapability(compute_capability);
  const auto least = ParseCapability(wanted);
  return found && least && *found >= *least;
}

}  // namespace akidb::embedding
