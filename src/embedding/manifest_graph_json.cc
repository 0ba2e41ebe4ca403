// The part of a manifest that describes graphs: its own, and the variants for other providers.
#include <algorithm>
#include <set>

#include "embedding/manifest_members_json.h"

namespace akidb::embedding {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

constexpr uint64_t kLayersMax = 1024;
constexpr double kScaleMin = 1e-30;
constexpr uint64_t kEngineItemsMax = 4096;

bool IsSha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Status ReadInputs(Members& members, Graph& graph) {
  const std::map<std::string_view, InputKind> kinds = {{"ids", InputKind::kIds},
                                                       {"mask", InputKind::kMask},
                                                       {"token_types", InputKind::kTokenTypes},
                                                       {"positions", InputKind::kPositions}};
  const std::string path = members.PathOf("inputs");
  AKIDB_ASSIGN_OR_RETURN(element value, members.Require("inputs"));
  if (value.type() != element_type::OBJECT) return WrongField(path, "must be an object");
  std::set<InputKind> seen;
  for (auto [name, kind] : simdjson::dom::object(value)) {
    std::string_view text;
    auto it = kind.get_string().get(text) == simdjson::SUCCESS ? kinds.find(text) : kinds.end();
    if (it == kinds.end()) {
      return WrongField(path + "." + std::string(name),
                        "must be one of ids, mask, token_types, positions");
    }
    if (!seen.insert(it->second).second) return WrongField(path, "names one kind of input twice");
    graph.inputs.push_back({std::string(name), it->second});
  }
  if (!seen.contains(InputKind::kIds)) return WrongField(path, "must name the input of ids");
  return OkStatus();
}

// The names that a pattern with {layer} stands for.
Result<std::vector<std::string>> NamesOfLayers(Members& kv, const std::string& member,
                                               uint64_t layers) {
  constexpr std::string_view kLayer = "{layer}";
  AKIDB_ASSIGN_OR_RETURN(std::string pattern, kv.Text(member));
  const size_t at = pattern.find(kLayer);
  if (at == std::string::npos) return WrongField(kv.PathOf(member), "must hold {layer}");
  std::vector<std::string> names;
  for (uint64_t layer = 0; layer < layers; ++layer) {
    names.push_back(std::string(pattern).replace(at, kLayer.size(), std::to_string(layer)));
  }
  return names;
}

Status ReadEmptyKv(Members& members, Graph& graph) {
  std::optional<element> value = members.Find("empty_kv");
  if (!value) return OkStatus();
  AKIDB_ASSIGN_OR_RETURN(Members kv, Members::Of(members.PathOf("empty_kv"), *value));
  AKIDB_ASSIGN_OR_RETURN(uint64_t layers, kv.Number("layers", kLayersMax));
  AKIDB_ASSIGN_OR_RETURN(uint64_t heads, kv.Number("heads", kDimsMax));
  AKIDB_ASSIGN_OR_RETURN(uint64_t head_dim, kv.Number("head_dim", kDimsMax));
  graph.empty_kv.heads = static_cast<uint32_t>(heads);
  graph.empty_kv.head_dim = static_cast<uint32_t>(head_dim);
  for (const char* member : {"key", "value"}) {
    AKIDB_ASSIGN_OR_RETURN(std::vector<std::string> names, NamesOfLayers(kv, member, layers));
    auto& all = graph.empty_kv.names;
    all.insert(all.end(), names.begin(), names.end());
  }
  std::vector<std::string> sorted = graph.empty_kv.names;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) {
    return WrongField(kv.PathOf("value"), "must be another pattern than key");
  }
  if (kv.Find("type")) {
    AKIDB_ASSIGN_OR_RETURN(std::string name, kv.Text("type"));
    std::optional<ElementType> type = ElementTypeOf(name);
    if (type != ElementType::kFloat32 && type != ElementType::kFloat16 &&
        type != ElementType::kBfloat16) {
      return WrongField(kv.PathOf("type"), "must be float32, float16 or bfloat16");
    }
    graph.empty_kv.type = *type;
  }
  return kv.Finish();
}

Result<double> ReadDouble(Members& members, const std::string& name) {
  AKIDB_ASSIGN_OR_RETURN(element value, members.Require(name));
  double number = 0;
  if (value.get_double().get(number) != simdjson::SUCCESS) {
    return WrongField(members.PathOf(name), "must be a number");
  }
  return number;
}

Status ReadOutput(Members& members, Graph& graph) {
  AKIDB_ASSIGN_OR_RETURN(graph.output.name, members.Text("output"));
  if (members.Find("output_type")) {
    AKIDB_ASSIGN_OR_RETURN(std::string name, members.Text("output_type"));
    std::optional<ElementType> type = ElementTypeOf(name);
    if (!type || type == ElementType::kInt32 || type == ElementType::kInt64) {
      return WrongField(members.PathOf("output_type"),
                        "must be one of float32, float16, bfloat16, uint8, int8");
    }
    graph.output.type = *type;
  }
  const bool is_bytes = BytesOf(graph.output.type) == 1;
  std::optional<element> value = members.Find("dequantize");
  if (value.has_value() != is_bytes) {
    return WrongField(members.PathOf("dequantize"),
                      "must be given if, and only if, output_type is uint8 or int8");
  }
  if (!is_bytes) return OkStatus();
  AKIDB_ASSIGN_OR_RETURN(Members dequantize, Members::Of(members.PathOf("dequantize"), *value));
  AKIDB_ASSIGN_OR_RETURN(double scale, ReadDouble(dequantize, "scale"));
  if (!(scale >= kScaleMin && scale <= 1 / kScaleMin)) {
    return WrongField(dequantize.PathOf("scale"), "must be from 1e-30 to 1e30");
  }
  AKIDB_ASSIGN_OR_RETURN(double zero_point, ReadDouble(dequantize, "zero_point"));
  if (!(zero_point >= -128 && zero_point <= 255)) {
    return WrongField(dequantize.PathOf("zero_point"), "must be from -128 to 255");
  }
  graph.output.dequantization = {static_cast<float>(scale), static_cast<float>(zero_point)};
  return dequantize.Finish();
}

// The graph calls them by their paths from its own folder.
Status ReadExternal(Members& members, Graph& graph) {
  if (!members.Find("external")) return OkStatus();
  AKIDB_ASSIGN_OR_RETURN(simdjson::dom::array files, members.Array("external"));
  const std::string folder = graph.file.path.substr(0, graph.file.path.rfind('/') + 1);
  std::set<std::string> paths = {graph.file.path};
  for (element item : files) {
    const std::string path =
        members.PathOf("external[" + std::to_string(graph.external.size()) + "]");
    AKIDB_ASSIGN_OR_RETURN(Members file, Members::Of(path, item));
    AKIDB_ASSIGN_OR_RETURN(graph.external.emplace_back(), ReadFile(file));
    AKIDB_RETURN_IF_ERROR(file.Finish());
    if (!graph.external.back().path.starts_with(folder)) {
      return WrongField(path + ".path", "must lie in the graph's folder");
    }
    if (!paths.insert(graph.external.back().path).second) {
      return WrongField(path + ".path", "must name neither the graph nor an earlier file");
    }
  }
  return OkStatus();
}

// "8.9".
bool IsComputeCapability(std::string_view text) {
  const size_t dot = text.find('.');
  return dot != std::string_view::npos && dot > 0 && dot + 1 < text.size() && text.size() <= 5 &&
         text.find_first_not_of("0123456789.") == std::string_view::npos && text.rfind('.') == dot;
}

Status ReadProviders(Members& members, Variant& variant) {
  AKIDB_ASSIGN_OR_RETURN(simdjson::dom::array providers, members.Array("providers"));
  for (element item : providers) {
    std::string_view word;
    std::optional<Provider> provider;
    if (item.get_string().get(word) == simdjson::SUCCESS) provider = ProviderOf(word);
    if (!provider) {
      return WrongField(members.PathOf("providers"), "must hold tensorrt, cuda or cpu");
    }
    variant.providers.push_back(*provider);
  }
  if (variant.providers.empty()) {
    return WrongField(members.PathOf("providers"), "must hold a provider");
  }
  return OkStatus();
}

Status ReadOptions(Members& members, Variant& variant) {
  std::optional<element> value = members.Find("options");
  if (!value) return OkStatus();
  const std::string path = members.PathOf("options");
  if (value->type() != element_type::OBJECT) return WrongField(path, "must be an object");
  if (std::ranges::count(variant.providers, Provider::kCpu) == std::ssize(variant.providers)) {
    return WrongField(path, "must not be given for cpu alone, which takes no options");
  }
  for (auto [name, option] : simdjson::dom::object(*value)) {
    std::string_view text;
    if (option.get_string().get(text) != simdjson::SUCCESS) {
      return WrongField(path + "." + std::string(name), "must be a string");
    }
    variant.options[std::string(name)] = std::string(text);
  }
  return OkStatus();
}

Result<Variant> ReadVariant(const std::string& path, element value) {
  AKIDB_ASSIGN_OR_RETURN(Members members, Members::Of(path, value));
  Variant variant;
  AKIDB_ASSIGN_OR_RETURN(variant.name, members.Text("name"));
  AKIDB_ASSIGN_OR_RETURN(variant.precision, members.OptionalText("precision"));
  AKIDB_RETURN_IF_ERROR(ReadProviders(members, variant));
  AKIDB_ASSIGN_OR_RETURN(variant.compute_capability, members.OptionalText("compute_capability"));
  if (!variant.compute_capability.empty() && !IsComputeCapability(variant.compute_capability)) {
    return WrongField(members.PathOf("compute_capability"), "must be like \"8.9\"");
  }
  AKIDB_RETURN_IF_ERROR(ReadOptions(members, variant));
  AKIDB_ASSIGN_OR_RETURN(element graph, members.Require("graph"));
  AKIDB_ASSIGN_OR_RETURN(variant.graph, ReadGraph(members.PathOf("graph"), graph));
  AKIDB_RETURN_IF_ERROR(members.Finish());
  return variant;
}

}  // namespace

Result<ModelFile> ReadFile(Members& members) {
  ModelFile file;
  AKIDB_ASSIGN_OR_RETURN(file.path, members.Text("path"));
  if (!StaysInFolder(file.path)) {
    return WrongField(members.PathOf("path"), "must be a relative path inside the model's folder");
  }
  AKIDB_ASSIGN_OR_RETURN(file.sha256, members.Text("sha256"));
  if (!IsSha256(file.sha256)) {
    return WrongField(members.PathOf("sha256"), "must be 64 lower-case hexadecimal digits");
  }
  AKIDB_ASSIGN_OR_RETURN(file.bytes, members.Number("bytes", kModelBytesMax));
  AKIDB_ASSIGN_OR_RETURN(file.source, members.OptionalText("source"));
  return file;
}

Result<Graph> ReadGraph(const std::string& path, element value) {
  AKIDB_ASSIGN_OR_RETURN(Members members, Members::Of(path, value));
  Graph graph;
  AKIDB_ASSIGN_OR_RETURN(graph.file, ReadFile(members));
  AKIDB_RETURN_IF_ERROR(ReadExternal(members, graph));
  AKIDB_RETURN_IF_ERROR(ReadInputs(members, graph));
  AKIDB_RETURN_IF_ERROR(ReadEmptyKv(members, graph));
  AKIDB_RETURN_IF_ERROR(ReadOutput(members, graph));
  if (std::optional<element> pooled = members.Find("pooled")) {
    if (pooled->get_bool().get(graph.pooled) != simdjson::SUCCESS) {
      return WrongField(members.PathOf("pooled"), "must be true or false");
    }
  }
  AKIDB_RETURN_IF_ERROR(members.Finish());
  return graph;
}

Status ReadVariants(Members& members, Manifest& manifest) {
  if (!members.Find("variants")) return OkStatus();
  AKIDB_ASSIGN_OR_RETURN(simdjson::dom::array variants, members.Array("variants"));
  std::set<std::string> names;
  for (element item : variants) {
    const std::string path = "variants[" + std::to_string(manifest.variants.size()) + "]";
    AKIDB_ASSIGN_OR_RETURN(Variant variant, ReadVariant(path, item));
    if (!names.insert(variant.name).second) return WrongField(path + ".name", "is given twice");
    manifest.variants.push_back(std::move(variant));
  }
  return OkStatus();
}

Status ReadEngineProfile(Members& members, Manifest& manifest) {
  std::optional<element> value = members.Find("engine_profile");
  if (!value) return OkStatus();
  AKIDB_ASSIGN_OR_RETURN(Members profile, Members::Of("engine_profile", *value));
  EngineProfile& to = manifest.engine_profile;
  AKIDB_ASSIGN_OR_RETURN(uint64_t items_max, profile.Number("items_max", kEngineItemsMax));
  AKIDB_ASSIGN_OR_RETURN(uint64_t items, profile.Number("items_typical", items_max));
  AKIDB_ASSIGN_OR_RETURN(uint64_t tokens, profile.Number("tokens_typical", manifest.max_tokens));
  to = {static_cast<uint32_t>(items_max), static_cast<uint32_t>(items),
        static_cast<uint32_t>(tokens)};
  return profile.Finish();
}

}  // namespace akidb::embedding
