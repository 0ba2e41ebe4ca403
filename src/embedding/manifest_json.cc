#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <simdjson.h>

#include "embedding/manifest.h"

namespace akidb::embedding {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

constexpr size_t kManifestBytesMax = size_t{1} << 20;
constexpr uint64_t kModelBytesMax = uint64_t{1} << 40;
constexpr uint32_t kDimsMax = 65'536;
constexpr uint32_t kTokensMax = 1u << 20;
constexpr uint64_t kTokenIdMax = (uint64_t{1} << 31) - 1;
constexpr size_t kAppendedMax = 16;
constexpr uint64_t kLayersMax = 1024;
constexpr double kScaleMin = 1e-30;

Status Wrong(const std::string& field, std::string_view what) {
  return ValidationError("manifest field `" + field + "` " + std::string(what));
}

// The members of one object: each is asked for once, and Finish refuses those never asked for.
class Members {
 public:
  Members(std::string path, simdjson::dom::object object) : path_(std::move(path)) {
    for (auto [key, value] : object) {
      if (!members_.emplace(std::string(key), value).second) repeated_ = std::string(key);
    }
  }

  static Result<Members> Of(const std::string& path, element value) {
    if (value.type() != element_type::OBJECT) return Wrong(path, "must be an object");
    return Members(path, simdjson::dom::object(value));
  }

  std::string PathOf(std::string_view name) const {
    return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
  }

  std::optional<element> Find(const std::string& name) {
    auto it = members_.find(name);
    if (it == members_.end()) return std::nullopt;
    seen_.insert(name);
    return it->second;
  }

  Result<element> Require(const std::string& name) {
    std::optional<element> value = Find(name);
    if (!value) return Wrong(PathOf(name), "is missing");
    return *value;
  }

  Result<std::string> Text(const std::string& name, bool may_be_empty = false) {
    AKIDB_ASSIGN_OR_RETURN(element value, Require(name));
    if (value.type() != element_type::STRING) return Wrong(PathOf(name), "must be a string");
    std::string text{std::string_view(value)};
    if (text.empty() && !may_be_empty) return Wrong(PathOf(name), "must not be empty");
    return text;
  }

  Result<std::string> OptionalText(const std::string& name) {
    return members_.contains(name) ? Text(name, /*may_be_empty=*/true) : std::string();
  }

  Result<uint64_t> Number(const std::string& name, uint64_t most) {
    AKIDB_ASSIGN_OR_RETURN(element value, Require(name));
    return ReadNumber(PathOf(name), value, most);
  }

  static Result<uint64_t> ReadNumber(const std::string& path, element value, uint64_t most) {
    uint64_t number = 0;
    if (value.get_uint64().get(number) != simdjson::SUCCESS || number == 0 || number > most) {
      return Wrong(path, "must be an integer from 1 to " + std::to_string(most));
    }
    return number;
  }

  Result<simdjson::dom::array> Array(const std::string& name) {
    AKIDB_ASSIGN_OR_RETURN(element value, Require(name));
    if (value.type() != element_type::ARRAY) return Wrong(PathOf(name), "must be an array");
    return simdjson::dom::array(value);
  }

  Status Finish() const {
    if (!repeated_.empty()) return Wrong(PathOf(repeated_), "is given twice");
    for (const auto& [name, value] : members_) {
      if (!seen_.contains(name)) return Wrong(PathOf(name), "is not known");
    }
    return OkStatus();
  }

 private:
  std::string path_;
  std::map<std::string, element> members_;
  std::set<std::string> seen_;
  std::string repeated_;
};

bool IsSha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// An id is a folder's name and part of URLs.
bool IsId(std::string_view text) {
  return !text.empty() && text.size() <= 128 && text.front() != '.' &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.") ==
             std::string_view::npos;
}

Result<ModelFile> ReadFile(Members& members) {
  ModelFile file;
  AKIDB_ASSIGN_OR_RETURN(file.path, members.Text("path"));
  if (!StaysInFolder(file.path)) {
    return Wrong(members.PathOf("path"), "must be a relative path inside the model's folder");
  }
  AKIDB_ASSIGN_OR_RETURN(file.sha256, members.Text("sha256"));
  if (!IsSha256(file.sha256)) {
    return Wrong(members.PathOf("sha256"), "must be 64 lower-case hexadecimal digits");
  }
  AKIDB_ASSIGN_OR_RETURN(file.bytes, members.Number("bytes", kModelBytesMax));
  AKIDB_ASSIGN_OR_RETURN(file.source, members.OptionalText("source"));
  return file;
}

// How the tokenizer's file is used: members beside those of the file.
Status ReadTokenizerUse(Members& tokenizer, Manifest& manifest) {
  if (tokenizer.Find("append_ids")) {
    AKIDB_ASSIGN_OR_RETURN(simdjson::dom::array ids, tokenizer.Array("append_ids"));
    for (element item : ids) {
      uint64_t id = 0;
      if (item.get_uint64().get(id) != simdjson::SUCCESS || id > kTokenIdMax) {
        return Wrong(tokenizer.PathOf("append_ids"),
                     "must hold integers from 0 to " + std::to_string(kTokenIdMax));
      }
      manifest.append_ids.push_back(static_cast<int32_t>(id));
    }
    if (manifest.append_ids.empty() || manifest.append_ids.size() > kAppendedMax) {
      return Wrong(tokenizer.PathOf("append_ids"),
                   "must hold from 1 to " + std::to_string(kAppendedMax) + " ids");
    }
  }
  if (tokenizer.Find("specials_in_text")) {
    AKIDB_ASSIGN_OR_RETURN(std::string name, tokenizer.Text("specials_in_text"));
    if (name != "match" && name != "plain") {
      return Wrong(tokenizer.PathOf("specials_in_text"), "must be match or plain");
    }
    if (name == "plain") manifest.tokenizer_options.specials_in_text = SpecialsInText::kPlain;
  }
  return OkStatus();
}

Status ReadMemory(Members& members, Manifest& manifest) {
  if (!members.Find("memory_bytes")) return OkStatus();
  AKIDB_ASSIGN_OR_RETURN(manifest.memory_bytes, members.Number("memory_bytes", kModelBytesMax));
  return OkStatus();
}

Status ReadBatch(Members& members, Manifest& manifest) {
  if (!members.Find("batch")) return OkStatus();
  AKIDB_ASSIGN_OR_RETURN(std::string name, members.Text("batch"));
  if (name != "any" && name != "one") return Wrong("batch", "must be any or one");
  manifest.one_text_a_run = name == "one";
  return OkStatus();
}

Status ReadInputs(Members& graph, Manifest& manifest) {
  const std::map<std::string_view, InputKind> kinds = {{"ids", InputKind::kIds},
                                                       {"mask", InputKind::kMask},
                                                       {"token_types", InputKind::kTokenTypes},
                                                       {"positions", InputKind::kPositions}};
  const std::string path = graph.PathOf("inputs");
  AKIDB_ASSIGN_OR_RETURN(element value, graph.Require("inputs"));
  if (value.type() != element_type::OBJECT) return Wrong(path, "must be an object");
  std::set<InputKind> seen;
  for (auto [name, kind] : simdjson::dom::object(value)) {
    std::string_view text;
    auto it = kind.get_string().get(text) == simdjson::SUCCESS ? kinds.find(text) : kinds.end();
    if (it == kinds.end()) {
      return Wrong(path + "." + std::string(name),
                   "must be one of ids, mask, token_types, positions");
    }
    if (!seen.insert(it->second).second) return Wrong(path, "names one kind of input twice");
    manifest.inputs.push_back({std::string(name), it->second});
  }
  if (!seen.contains(InputKind::kIds)) return Wrong(path, "must name the input of ids");
  return OkStatus();
}

// The names that a pattern with {layer} stands for.
Result<std::vector<std::string>> NamesOfLayers(Members& kv, const std::string& member,
                                               uint64_t layers) {
  constexpr std::string_view kLayer = "{layer}";
  AKIDB_ASSIGN_OR_RETURN(std::string pattern, kv.Text(member));
  const size_t at = pattern.find(kLayer);
  if (at == std::string::npos) return Wrong(kv.PathOf(member), "must hold {layer}");
  std::vector<std::string> names;
  for (uint64_t layer = 0; layer < layers; ++layer) {
    names.push_back(std::string(pattern).replace(at, kLayer.size(), std::to_string(layer)));
  }
  return names;
}

Status ReadEmptyKv(Members& graph, Manifest& manifest) {
  std::optional<element> value = graph.Find("empty_kv");
  if (!value) return OkStatus();
  AKIDB_ASSIGN_OR_RETURN(Members kv, Members::Of(graph.PathOf("empty_kv"), *value));
  AKIDB_ASSIGN_OR_RETURN(uint64_t layers, kv.Number("layers", kLayersMax));
  AKIDB_ASSIGN_OR_RETURN(uint64_t heads, kv.Number("heads", kDimsMax));
  AKIDB_ASSIGN_OR_RETURN(uint64_t head_dim, kv.Number("head_dim", kDimsMax));
  manifest.empty_kv.heads = static_cast<uint32_t>(heads);
  manifest.empty_kv.head_dim = static_cast<uint32_t>(head_dim);
  for (const char* member : {"key", "value"}) {
    AKIDB_ASSIGN_OR_RETURN(std::vector<std::string> names, NamesOfLayers(kv, member, layers));
    auto& all = manifest.empty_kv.names;
    all.insert(all.end(), names.begin(), names.end());
  }
  std::vector<std::string> sorted = manifest.empty_kv.names;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) {
    return Wrong(kv.PathOf("value"), "must be another pattern than key");
  }
  if (kv.Find("type")) {
    AKIDB_ASSIGN_OR_RETURN(std::string name, kv.Text("type"));
    std::optional<ElementType> type = ElementTypeOf(name);
    if (type != ElementType::kFloat32 && type != ElementType::kFloat16 &&
        type != ElementType::kBfloat16) {
      return Wrong(kv.PathOf("type"), "must be float32, float16 or bfloat16");
    }
    manifest.empty_kv.type = *type;
  }
  return kv.Finish();
}

Result<double> ReadDouble(Members& members, const std::string& name) {
  AKIDB_ASSIGN_OR_RETURN(element value, members.Require(name));
  double number = 0;
  if (value.get_double().get(number) != simdjson::SUCCESS) {
    return Wrong(members.PathOf(name), "must be a number");
  }
  return number;
}

Status ReadOutput(Members& graph, Manifest& manifest) {
  AKIDB_ASSIGN_OR_RETURN(manifest.output.name, graph.Text("output"));
  if (graph.Find("output_type")) {
    AKIDB_ASSIGN_OR_RETURN(std::string name, graph.Text("output_type"));
    std::optional<ElementType> type = ElementTypeOf(name);
    if (!type || type == ElementType::kInt32 || type == ElementType::kInt64) {
      return Wrong(graph.PathOf("output_type"),
                   "must be one of float32, float16, bfloat16, uint8, int8");
    }
    manifest.output.type = *type;
  }
  const bool is_bytes = BytesOf(manifest.output.type) == 1;
  std::optional<element> value = graph.Find("dequantize");
  if (value.has_value() != is_bytes) {
    return Wrong(graph.PathOf("dequantize"),
                 "must be given if, and only if, output_type is uint8 or int8");
  }
  if (!is_bytes) return OkStatus();
  AKIDB_ASSIGN_OR_RETURN(Members dequantize, Members::Of(graph.PathOf("dequantize"), *value));
  AKIDB_ASSIGN_OR_RETURN(double scale, ReadDouble(dequantize, "scale"));
  if (!(scale >= kScaleMin && scale <= 1 / kScaleMin)) {
    return Wrong(dequantize.PathOf("scale"), "must be from 1e-30 to 1e30");
  }
  AKIDB_ASSIGN_OR_RETURN(double zero_point, ReadDouble(dequantize, "zero_point"));
  if (!(zero_point >= -128 && zero_point <= 255)) {
    return Wrong(dequantize.PathOf("zero_point"), "must be from -128 to 255");
  }
  manifest.output.dequantization = {static_cast<float>(scale), static_cast<float>(zero_point)};
  return dequantize.Finish();
}

Status ReadFiles(Members& members, Manifest& manifest) {
  AKIDB_ASSIGN_OR_RETURN(element tokenizer_value, members.Require("tokenizer"));
  AKIDB_ASSIGN_OR_RETURN(Members tokenizer, Members::Of("tokenizer", tokenizer_value));
  AKIDB_ASSIGN_OR_RETURN(manifest.tokenizer, ReadFile(tokenizer));
  AKIDB_RETURN_IF_ERROR(ReadTokenizerUse(tokenizer, manifest));
  AKIDB_RETURN_IF_ERROR(tokenizer.Finish());

  AKIDB_ASSIGN_OR_RETURN(element graph_value, members.Require("graph"));
  AKIDB_ASSIGN_OR_RETURN(Members graph, Members::Of("graph", graph_value));
  AKIDB_ASSIGN_OR_RETURN(manifest.graph, ReadFile(graph));
  AKIDB_RETURN_IF_ERROR(ReadInputs(graph, manifest));
  AKIDB_RETURN_IF_ERROR(ReadEmptyKv(graph, manifest));
  AKIDB_RETURN_IF_ERROR(ReadOutput(graph, manifest));
  return graph.Finish();
}

Status ReadPrompts(Members& members, Manifest& manifest) {
  std::optional<element> value = members.Find("prompts");
  if (!value) return OkStatus();
  AKIDB_ASSIGN_OR_RETURN(Members prompts, Members::Of("prompts", *value));
  AKIDB_ASSIGN_OR_RETURN(manifest.query_prompt, prompts.OptionalText("query"));
  AKIDB_ASSIGN_OR_RETURN(manifest.document_prompt, prompts.OptionalText("document"));
  if (prompts.Find("default_instruction")) {
    AKIDB_ASSIGN_OR_RETURN(manifest.default_instruction, prompts.Text("default_instruction"));
  }
  const bool takes_instruction =
      (manifest.query_prompt + manifest.document_prompt).find("{instruction}") != std::string::npos;
  if (takes_instruction != manifest.default_instruction.has_value()) {
    return Wrong("prompts.default_instruction",
                 "must be given if, and only if, a prompt holds {instruction}");
  }
  return prompts.Finish();
}

Status ReadPooling(Members& members, Manifest& manifest) {
  AKIDB_ASSIGN_OR_RETURN(std::string name, members.Text("pooling"));
  std::optional<Pooling> pooling = PoolingOf(name);
  if (!pooling) return Wrong("pooling", "must be one of mean, cls, last, in_graph");
  manifest.pooling = *pooling;
  return OkStatus();
}

Status ReadDims(Members& members, Manifest& manifest) {
  AKIDB_ASSIGN_OR_RETURN(element value, members.Require("dims"));
  AKIDB_ASSIGN_OR_RETURN(Members dims, Members::Of("dims", value));
  AKIDB_ASSIGN_OR_RETURN(uint64_t native, dims.Number("native", kDimsMax));
  manifest.dims = static_cast<uint32_t>(native);
  if (dims.Find("offered")) {
    AKIDB_ASSIGN_OR_RETURN(simdjson::dom::array offered, dims.Array("offered"));
    for (element item : offered) {
      AKIDB_ASSIGN_OR_RETURN(uint64_t count, Members::ReadNumber("dims.offered", item, native - 1));
      manifest.dims_offered.push_back(static_cast<uint32_t>(count));
    }
    if (!std::is_sorted(manifest.dims_offered.begin(), manifest.dims_offered.end())) {
      return Wrong("dims.offered", "must be in ascending order");
    }
  }
  return dims.Finish();
}

Result<GoldenText> ReadGoldenText(const std::string& path, element value, uint32_t dims) {
  AKIDB_ASSIGN_OR_RETURN(Members members, Members::Of(path, value));
  GoldenText golden;
  AKIDB_ASSIGN_OR_RETURN(golden.text, members.Text("text"));
  AKIDB_ASSIGN_OR_RETURN(std::string type, members.Text("type"));
  if (type != "query" && type != "document") {
    return Wrong(members.PathOf("type"), "must be query or document");
  }
  golden.input_type = type == "query" ? InputType::kQuery : InputType::kDocument;
  AKIDB_ASSIGN_OR_RETURN(simdjson::dom::array head, members.Array("head"));
  for (element item : head) {
    double component = 0;
    if (item.get_double().get(component) != simdjson::SUCCESS || std::abs(component) > 1) {
      return Wrong(members.PathOf("head"), "must hold numbers from -1 to 1");
    }
    golden.head.push_back(static_cast<float>(component));
  }
  if (golden.head.size() < 8 || golden.head.size() > dims) {
    return Wrong(members.PathOf("head"), "must hold from 8 to dims.native numbers");
  }
  AKIDB_ASSIGN_OR_RETURN(element cosine, members.Require("min_cosine"));
  if (cosine.get_double().get(golden.min_cosine) != simdjson::SUCCESS || golden.min_cosine < 0.9 ||
      golden.min_cosine > 1) {
    return Wrong(members.PathOf("min_cosine"), "must be a number from 0.9 to 1");
  }
  AKIDB_RETURN_IF_ERROR(members.Finish());
  return golden;
}

Status ReadGolden(Members& members, Manifest& manifest) {
  AKIDB_ASSIGN_OR_RETURN(simdjson::dom::array golden, members.Array("golden"));
  for (element item : golden) {
    const std::string path = "golden[" + std::to_string(manifest.golden.size()) + "]";
    AKIDB_ASSIGN_OR_RETURN(GoldenText text, ReadGoldenText(path, item, manifest.dims));
    manifest.golden.push_back(std::move(text));
  }
  if (manifest.golden.empty()) {
    return Wrong("golden", "must hold a text, or nothing proves that the model works");
  }
  return OkStatus();
}

Status ReadNames(Members& members, Manifest& manifest) {
  AKIDB_ASSIGN_OR_RETURN(manifest.id, members.Text("id"));
  if (!IsId(manifest.id)) {
    return Wrong("id", "must be of lower-case letters, digits, '-', '_' and '.'");
  }
  if (members.Find("aliases")) {
    AKIDB_ASSIGN_OR_RETURN(simdjson::dom::array aliases, members.Array("aliases"));
    for (element item : aliases) {
      std::string_view alias;
      if (item.get_string().get(alias) != simdjson::SUCCESS || alias.empty()) {
        return Wrong("aliases", "must hold strings that are not empty");
      }
      manifest.aliases.emplace_back(alias);
    }
  }
  AKIDB_ASSIGN_OR_RETURN(manifest.revision, members.Text("revision"));
  AKIDB_ASSIGN_OR_RETURN(manifest.licence, members.Text("licence"));
  return OkStatus();
}

}  // namespace

Result<Manifest> ParseManifest(std::string_view json) {
  if (json.size() > kManifestBytesMax) return ValidationError("a manifest is larger than 1 MiB");
  simdjson::dom::parser parser;
  element root;
  if (auto error = parser.parse(simdjson::padded_string(json)).get(root); error) {
    return MalformedError(std::string("the manifest is not JSON: ") +
                          simdjson::error_message(error));
  }
  if (root.type() != element_type::OBJECT) return ValidationError("a manifest must be an object");
  Members members("", simdjson::dom::object(root));
  Manifest manifest;
  AKIDB_RETURN_IF_ERROR(ReadNames(members, manifest));
  AKIDB_RETURN_IF_ERROR(ReadFiles(members, manifest));
  AKIDB_RETURN_IF_ERROR(ReadBatch(members, manifest));
  AKIDB_RETURN_IF_ERROR(ReadMemory(members, manifest));
  AKIDB_RETURN_IF_ERROR(ReadPrompts(members, manifest));
  AKIDB_ASSIGN_OR_RETURN(uint64_t max_tokens, members.Number("max_tokens", kTokensMax));
  manifest.max_tokens = static_cast<uint32_t>(max_tokens);
  AKIDB_RETURN_IF_ERROR(ReadPooling(members, manifest));
  AKIDB_RETURN_IF_ERROR(ReadDims(members, manifest));
  AKIDB_RETURN_IF_ERROR(ReadGolden(members, manifest));
  AKIDB_RETURN_IF_ERROR(members.Finish());
  return manifest;
}

}  // namespace akidb::embedding
