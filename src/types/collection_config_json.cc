#include "types/collection_config_json.h"

#include <simdjson.h>

#include "base/json_writer.h"

namespace akidb {
namespace {

// More would cost memory and time and find no better neighbours.
constexpr uint32_t kGraphMMax = 128;
constexpr uint32_t kEfConstructMax = 4096;

using simdjson::dom::element;
using simdjson::dom::object;

// The latest. A configuration is written as the least version that can say what it says, so that
// a program that knows no more reads it: 2 has payload indexes, 3 datatypes other than float32 and
// multivectors, 4 payload indexes of other kinds than keyword and integer, 5 sparse
// vectors and indexes of texts.
constexpr int64_t kVersion = 5;
constexpr int64_t kVersionWithOtherIndexes = 4;
constexpr int64_t kVersionWithDatatypes = 3;
constexpr int64_t kVersionWithIndexes = 2;
constexpr int64_t kVersionOfFirst = 1;
constexpr std::string_view kMaxSim = "max_sim";

int64_t VersionOf(const CollectionConfig& config) {
  for (const auto& [name, vector] : config.vectors) {
    if (vector.sparse) return kVersion;
  }
  for (const auto& [field, index] : config.payload_indexes) {
    if (index.kind == PayloadFieldKind::kText) return kVersion;
  }
  for (const auto& [field, index] : config.payload_indexes) {
    if (index.kind != PayloadFieldKind::kKeyword && index.kind != PayloadFieldKind::kInteger) {
      return kVersionWithOtherIndexes;
    }
  }
  for (const auto& [name, vector] : config.vectors) {
    if (vector.datatype != VectorDatatype::kFloat32 || vector.multivector) {
      return kVersionWithDatatypes;
    }
  }
  return config.payload_indexes.empty() ? kVersionOfFirst : kVersionWithIndexes;
}

Status Malformed(std::string_view what) {
  return CorruptionError("collection configuration: " + std::string(what));
}

Result<VectorConfig> VectorFromDom(element value) {
  object fields;
  if (value.get(fields)) return Malformed("a vector is no object");
  VectorConfig config;
  for (auto [key, field] : fields) {
    std::string_view text;
    uint64_t number = 0;
    if (key == "dim") {
      if (field.get(number) || number == 0 || number > kDimMax) return Malformed("bad dim");
      config.dim = static_cast<uint32_t>(number);
    } else if (key == "metric") {
      std::optional<Metric> metric;
      if (!field.get(text)) metric = ParseMetric(text);
      if (!metric) return Malformed("bad metric");
      config.metric = *metric;
    } else if (key == "datatype") {
      std::optional<VectorDatatype> datatype;
      if (!field.get(text)) datatype = ParseVectorDatatype(text);
      if (!datatype) return Malformed("bad datatype");
      config.datatype = *datatype;
    } else if (key == "on_disk") {
      if (field.get(config.on_disk)) return Malformed("bad on_disk");
    } else if (key == "multivector") {
      if (field.get(text) || text != kMaxSim) return Malformed("bad multivector");
      config.multivector = true;
    } else {
      return Malformed("unknown field vectors." + std::string(key));
    }
  }
  if (config.dim == 0) return Malformed("a vector has no dim");
  return config;
}

Result<VectorConfig> SparseVectorFromDom(element value) {
  object fields;
  if (value.get(fields)) return Malformed("a sparse vector is no object");
  bool idf = false;
  for (auto [key, field] : fields) {
    if (key != "idf") return Malformed("unknown field sparse_vectors." + std::string(key));
    if (field.get(idf)) return Malformed("bad idf");
  }
  return VectorConfig::Sparse(idf);
}

Result<PayloadFieldIndex> PayloadIndexFromDom(element value) {
  object fields;
  if (value.get(fields)) return Malformed("a payload index is no object");
  PayloadFieldIndex index;
  bool has_kind = false;
  for (auto [key, field] : fields) {
    if (key == "kind") {
      std::string_view text;
      std::optional<PayloadFieldKind> kind;
      if (!field.get(text)) kind = ParsePayloadFieldKind(text);
      if (!kind) return Malformed("bad kind of a payload index");
      index.kind = *kind;
      has_kind = true;
    } else if (key == "params") {
      if (!field.is_object()) return Malformed("bad params of a payload index");
      index.params_json = simdjson::minify(field);
    } else {
      return Malformed("unknown field payload_indexes." + std::string(key));
    }
  }
  if (!has_kind) return Malformed("a payload index has no kind");
  return index;
}

void WriteSparseVectors(const CollectionConfig& config, JsonWriter& json) {
  json.Key("sparse_vectors");
  json.BeginObject();
  for (const auto& [name, vector] : config.vectors) {
    if (!vector.sparse) continue;
    json.Key(name);
    json.BeginObject();
    json.Key("idf");
    json.Bool(vector.idf);
    json.EndObject();
  }
  json.EndObject();
}

void WritePayloadIndexes(const PayloadFieldIndexes& indexes, JsonWriter& json) {
  json.Key("payload_indexes");
  json.BeginObject();
  for (const auto& [path, index] : indexes) {
    json.Key(path);
    json.BeginObject();
    json.Key("kind");
    json.String(PayloadFieldKindName(index.kind));
    if (!index.params_json.empty()) {
      json.Key("params");
      json.Raw(index.params_json);
    }
    json.EndObject();
  }
  json.EndObject();
}

Status ReadField(std::string_view key, element value, CollectionConfig& config) {
  if (key == "version") return OkStatus();
  if (key == "durability") {
    std::string_view text;
    if (value.get(text) || (text != "sync" && text != "interval")) return Malformed("durability");
    config.durability = text == "sync" ? Durability::kSync : Durability::kInterval;
    return OkStatus();
  }
  object members;
  if (value.get(members)) return Malformed(std::string(key) + " is no object");
  if (key != "vectors" && key != "sparse_vectors" && key != "echoed" && key != "payload_indexes") {
    return Malformed("unknown field " + std::string(key));
  }
  for (auto [name, member] : members) {
    if (key == "echoed") {
      config.echoed_json[std::string(name)] = simdjson::minify(member);
      continue;
    }
    if (key == "payload_indexes") {
      AKIDB_ASSIGN_OR_RETURN(config.payload_indexes[std::string(name)],
                             PayloadIndexFromDom(member));
      continue;
    }
    auto [place, is_new] = config.vectors.try_emplace(std::string(name));
    if (!is_new) return Malformed("two vectors of one name");
    AKIDB_ASSIGN_OR_RETURN(place->second, key == "sparse_vectors" ? SparseVectorFromDom(member)
                                                                  : VectorFromDom(member));
  }
  return OkStatus();
}

}  // namespace

std::string_view VectorDatatypeName(VectorDatatype datatype) {
  switch (datatype) {
    case VectorDatatype::kFloat32:
      return "float32";
    case VectorDatatype::kFloat16:
      return "float16";
    case VectorDatatype::kUint8:
      return "uint8";
  }
  return "";
}

std::optional<VectorDatatype> ParseVectorDatatype(std::string_view name) {
  for (VectorDatatype datatype :
       {VectorDatatype::kFloat32, VectorDatatype::kFloat16, VectorDatatype::kUint8}) {
    if (name == VectorDatatypeName(datatype)) return datatype;
  }
  return std::nullopt;
}

std::string_view PayloadFieldKindName(PayloadFieldKind kind) {
  switch (kind) {
    case PayloadFieldKind::kKeyword:
      return "keyword";
    case PayloadFieldKind::kInteger:
      return "integer";
    case PayloadFieldKind::kFloat:
      return "float";
    case PayloadFieldKind::kBool:
      return "bool";
    case PayloadFieldKind::kDatetime:
      return "datetime";
    case PayloadFieldKind::kUuid:
      return "uuid";
    case PayloadFieldKind::kGeo:
      return "geo";
    case PayloadFieldKind::kText:
      return "text";
  }
  return "";
}

std::optional<PayloadFieldKind> ParsePayloadFieldKind(std::string_view name) {
  using Kind = PayloadFieldKind;
  for (Kind kind : {Kind::kKeyword, Kind::kInteger, Kind::kFloat, Kind::kBool, Kind::kDatetime,
                    Kind::kUuid, Kind::kGeo, Kind::kText}) {
    if (name == PayloadFieldKindName(kind)) return kind;
  }
  return std::nullopt;
}

std::string CollectionConfigToJson(const CollectionConfig& config) {
  std::string out;
  JsonWriter json(out);
  json.BeginObject();
  json.Key("version");
  json.Int(VersionOf(config));
  json.Key("vectors");
  json.BeginObject();
  for (const auto& [name, vector] : config.vectors) {
    if (vector.sparse) continue;
    json.Key(name);
    json.BeginObject();
    json.Key("dim");
    json.Uint(vector.dim);
    json.Key("metric");
    json.String(MetricName(vector.metric));
    json.Key("datatype");
    json.String(VectorDatatypeName(vector.datatype));
    json.Key("on_disk");
    json.Bool(vector.on_disk);
    if (vector.multivector) {
      json.Key("multivector");
      json.String(kMaxSim);
    }
    json.EndObject();
  }
  json.EndObject();
  if (VersionOf(config) == kVersion) WriteSparseVectors(config, json);
  json.Key("durability");
  json.String(config.durability == Durability::kSync ? "sync" : "interval");
  json.Key("echoed");
  json.BeginObject();
  for (const auto& [name, value] : config.echoed_json) {
    json.Key(name);
    json.Raw(value);
  }
  json.EndObject();
  if (!config.payload_indexes.empty()) WritePayloadIndexes(config.payload_indexes, json);
  json.EndObject();
  return out;
}

Result<CollectionConfig> CollectionConfigFromJson(std::string_view text) {
  simdjson::dom::parser parser;
  object root;
  if (parser.parse(text.data(), text.size()).get(root)) return Malformed("no JSON object");
  int64_t version = 0;
  if (root["version"].get(version)) return Malformed("no version");
  if (version > kVersion) {
    return UnsupportedError("collection configuration of version " + std::to_string(version) +
                            "; this program reads up to " + std::to_string(kVersion));
  }
  CollectionConfig config;
  for (auto [key, value] : root) AKIDB_RETURN_IF_ERROR(ReadField(key, value, config));
  return config;
}

std::optional<MemoryMode> ParseMemoryMode(std::string_view name) {
  if (name == "quality") return MemoryMode::kQuality;
  if (name == "balanced") return MemoryMode::kBalanced;
  if (name == "compact") return MemoryMode::kCompact;
  return std::nullopt;
}

namespace {

// Which of our codes has about the size of what the client asks for; nothing for null.
std::optional<MemoryMode> ModeOfQuantization(element value) {
  object form;
  std::string_view choice;
  if (!value["scalar"].get(form)) return MemoryMode::kQuality;
  if (!value["binary"].get(form)) return MemoryMode::kCompact;
  if (!value["product"]["compression"].get(choice)) {
    return choice == "x4" || choice == "x8" ? MemoryMode::kBalanced : MemoryMode::kCompact;
  }
  if (!value["turbo"].get(form)) {
    if (form["bits"].get(choice)) return MemoryMode::kBalanced;
    return choice == "bits4" ? MemoryMode::kBalanced : MemoryMode::kCompact;
  }
  return std::nullopt;
}

std::optional<MemoryMode> ModeOfMetadata(element metadata) {
  std::string_view choice;
  if (metadata["akidb"]["memory"].get(choice)) return std::nullopt;
  return ParseMemoryMode(choice);
}

// f on what is kept under `key`, if anything is.
template <typename F>
auto OfKept(const CollectionConfig& config, const char* key, F f) -> decltype(f(element())) {
  auto kept = config.echoed_json.find(key);
  if (kept == config.echoed_json.end()) return std::nullopt;
  simdjson::dom::parser parser;
  element value;
  if (parser.parse(kept->second).get(value)) return std::nullopt;
  return f(value);
}

constexpr char kModelPrefixes[] = "model_prefixes";
using Prefixes = std::vector<uint32_t>;

// Nothing for what is no list.
std::optional<Prefixes> PrefixesFromDom(element value) {
  simdjson::dom::array list;
  if (value.get(list)) return std::nullopt;
  Prefixes prefixes;
  for (element item : list) {
    uint64_t prefix = 0;
    if (item.get(prefix) || prefix > kDimMax) return std::nullopt;
    prefixes.push_back(static_cast<uint32_t>(prefix));
  }
  return prefixes;
}

// Of an object by the names of vectors.
std::optional<Prefixes> PrefixesNamed(element value, std::string_view name) {
  object names;
  element list;
  if (value.get(names) || names.at_key(name).get(list)) return std::nullopt;
  return PrefixesFromDom(list);
}

}  // namespace

MemoryMode MemoryModeOf(const CollectionConfig& config, std::string_view name) {
  if (auto mode = OfKept(config, "metadata", ModeOfMetadata)) return *mode;
  auto own = [&](element options) -> std::optional<MemoryMode> {
    element vector;
    // Not by [], which takes a name's slashes apart.
    object names;
    if (options.get(names) || names.at_key(name)["quantization_config"].get(vector)) {
      return std::nullopt;
    }
    return ModeOfQuantization(vector);
  };
  if (auto mode = OfKept(config, "vector_options", own)) return *mode;
  return OfKept(config, "quantization_config", ModeOfQuantization).value_or(MemoryMode::kBalanced);
}

std::vector<uint32_t> PrefixesOf(const CollectionConfig& config, std::string_view name) {
  auto given = [&](element metadata) -> std::optional<Prefixes> {
    element choice;
    if (metadata["akidb"]["matryoshka"].get(choice)) return std::nullopt;
    if (!choice.is_array()) return PrefixesNamed(choice, name);
    return name == kDefaultVectorName ? PrefixesFromDom(choice) : std::nullopt;
  };
  if (auto prefixes = OfKept(config, "metadata", given)) return *prefixes;
  auto declared = [&](element names) { return PrefixesNamed(names, name); };
  return OfKept(config, kModelPrefixes, declared).value_or(Prefixes());
}

void SetModelPrefixes(CollectionConfig& config, std::string_view name,
                      std::span<const uint32_t> prefixes) {
  std::map<std::string, Prefixes, std::less<>> all;
  for (const auto& [vector, unused] : config.vectors) {
    auto declared = [&](element names) { return PrefixesNamed(names, vector); };
    if (auto kept = OfKept(config, kModelPrefixes, declared)) all[vector] = *kept;
  }
  all[std::string(name)].assign(prefixes.begin(), prefixes.end());
  std::string text;
  JsonWriter json(text);
  json.BeginObject();
  for (const auto& [vector, list] : all) {
    if (list.empty()) continue;
    json.Key(vector);
    json.BeginArray();
    for (uint32_t prefix : list) json.Uint(prefix);
    json.EndArray();
  }
  json.EndObject();
  if (text == "{}") {
    config.echoed_json.erase(kModelPrefixes);
  } else {
    config.echoed_json[kModelPrefixes] = std::move(text);
  }
}

IntegerIndexUses IntegerIndexUsesOf(const PayloadFieldIndex& index) {
  IntegerIndexUses uses;
  simdjson::dom::parser parser;
  object members;
  if (index.params_json.empty() || parser.parse(index.params_json).get(members)) return uses;
  // As for graphs: absent and null members leave the default.
  bool given = true;
  if (!members["lookup"].get(given)) uses.lookup = given;
  if (!members["range"].get(given)) uses.range = given;
  return uses;
}

bool IsTenantIndex(const PayloadFieldIndex& index) {
  simdjson::dom::parser parser;
  bool is_tenant = false;
  if (index.params_json.empty()) return false;
  return !parser.parse(index.params_json)["is_tenant"].get(is_tenant) && is_tenant;
}

GraphConfig GraphConfigOf(const CollectionConfig& config) {
  GraphConfig graph;
  auto given = config.echoed_json.find("hnsw_config");
  if (given == config.echoed_json.end()) return graph;
  simdjson::dom::parser parser;
  object members;
  if (parser.parse(given->second).get(members)) return graph;
  // Absent and null members leave the default; what is wrong was refused when it was given.
  auto take = [&](const char* key, uint32_t most, uint32_t& out) {
    uint64_t value = 0;
    if (members[key].get(value) == simdjson::SUCCESS) {
      out = static_cast<uint32_t>(std::min<uint64_t>(value, most));
    }
  };
  take("m", kGraphMMax, graph.m);
  take("ef_construct", kEfConstructMax, graph.ef_construct);
  return graph;
}

}  // namespace akidb
