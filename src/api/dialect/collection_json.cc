#include "api/dialect/collection_json.h"

#include <string>

#include "api/dialect/collection_options_json.h"
#include "api/dialect/input_json.h"
#include "api/dialect/option_check_json.h"
#include "api/rest/schema/collection_shapes.h"
#include "api/rest/schema/option_shapes.h"
#include "types/collection_config_json.h"

namespace akidb::dialect {

using rest::FindMemberShape;
using rest::kCollectionOptions;
using rest::kCreateCollectionBody;
using rest::kSparseVectorParams;
using rest::kVectorParamOptions;
using rest::kVectorParams;
namespace {

Status ReadDistance(JsonElement value, const FieldPath& path, Metric& out) {
  std::string_view name;
  AKIDB_RETURN_IF_ERROR(ReadString(value, path, name));
  std::optional<Metric> metric = ParseMetric(name);
  if (!metric) {
    return FieldError(path, "unknown variant `" + std::string(name) +
                                "`, expected one of `Cosine`, `Euclid`, `Dot`, `Manhattan`");
  }
  out = *metric;
  return OkStatus();
}

// Leaves names of none of ours to the rules of options, which know what is no datatype at all.
void ReadDatatype(JsonElement value, VectorDatatype& out) {
  std::string_view name;
  if (value.get(name)) return;
  if (std::optional<VectorDatatype> datatype = ParseVectorDatatype(name)) out = *datatype;
}

Status ReadMultivector(JsonElement value, const FieldPath& path, VectorConfig& out) {
  bool has_comparator = false;
  out.multivector = true;
  Status read = ForEachMember(
      value, path, "an object {\"comparator\": \"max_sim\"}",
      [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
        if (key != "comparator") return OkStatus();
        std::string_view name;
        has_comparator = true;
        AKIDB_RETURN_IF_ERROR(ReadString(member, at, name));
        if (name == "max_sim") return OkStatus();
        return FieldError(at, "unknown variant `" + std::string(name) + "`, expected `max_sim`");
      });
  AKIDB_RETURN_IF_ERROR(read);
  return has_comparator ? OkStatus() : MissingField(path, "comparator");
}

bool IsMember(JsonElement object, std::string_view name) {
  JsonElement member;
  return object.is_object() && FindMember(object, name, member);
}

bool IsSingleVector(JsonElement value) {
  JsonElement member;
  return (FindMember(value, "size", member) && !member.is_object()) ||
         (FindMember(value, "distance", member) && !member.is_object());
}

Status ReadVectors(JsonElement value, const FieldPath& path, CollectionConfig& out) {
  if (IsNull(value)) return OkStatus();
  std::string options;
  JsonWriter json(options);
  json.BeginObject();
  if (IsSingleVector(value)) {
    json.Key(kDefaultVectorName);
    AKIDB_RETURN_IF_ERROR(ReadVectorParams(value, path, out.vectors[kDefaultVectorName], json));
  } else {
    Status read = ForEachMember(
        value, path, "an object {\"size\": …, \"distance\": …} or one of named vectors",
        [&](std::string_view name, JsonElement member, const FieldPath& at) {
          json.Key(name);
          return ReadVectorParams(member, at, out.vectors[std::string(name)], json);
        });
    AKIDB_RETURN_IF_ERROR(read);
  }
  json.EndObject();
  out.echoed_json[kVectorOptions] = std::move(options);
  return OkStatus();
}

// What clients say of a sparse vector's index is kept.
Status ReadSparseVectors(JsonElement value, const FieldPath& path, CollectionConfig& out) {
  const Status read =
      ForEachMember(value, path, "an object of named sparse vectors",
                    [&](std::string_view name, JsonElement member, const FieldPath& at) -> Status {
                      AKIDB_RETURN_IF_ERROR(CheckObject(member, at, "an object"));
                      AKIDB_RETURN_IF_ERROR(CheckOptions(member, at, kSparseVectorParams.fields));
                      JsonElement modifier;
                      std::string_view text;
                      const bool idf = FindMember(member, "modifier", modifier) &&
                                       !modifier.get(text) && text == "idf";
                      out.vectors[std::string(name)] = VectorConfig::Sparse(idf);
                      return OkStatus();
                    });
  AKIDB_RETURN_IF_ERROR(read);
  out.echoed_json[kSparseVectorOptions] =
      KnownJson(value, *FindMemberShape(kCreateCollectionBody, "sparse_vectors"));
  return OkStatus();
}

Status CheckNamesDiffer(JsonElement body) {
  JsonElement dense;
  JsonElement sparse;
  simdjson::dom::object names;
  if (!FindMember(body, "sparse_vectors", sparse) || sparse.get(names)) return OkStatus();
  const bool has_dense = FindMember(body, "vectors", dense);
  for (auto [name, member] : names) {
    const bool twice =
        has_dense && (IsSingleVector(dense) ? name == kDefaultVectorName : IsMember(dense, name));
    if (!twice) continue;
    return InvalidArgumentError(
        "Dense and sparse vector names must be unique - duplicate found with '" +
        std::string(name) + "'");
  }
  return OkStatus();
}

Status ReadSharding(JsonElement value, const FieldPath& path) {
  std::string_view method;
  AKIDB_RETURN_IF_ERROR(ReadString(value, path, method));
  if (method == "auto") return OkStatus();
  if (method == "custom") return NotServed(path, "custom sharding is");
  return FieldError(path,
                    "unknown variant `" + std::string(method) + "`, expected `auto` or `custom`");
}

}  // namespace

Status ReadVectorParams(JsonElement value, const FieldPath& path, VectorConfig& out,
                        JsonWriter& options) {
  bool has_size = false;
  bool has_distance = false;
  options.BeginObject();
  Status read = ForEachMember(
      value, path, "an object {\"size\": …, \"distance\": …}",
      [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
        if (key == "size") {
          size_t size = 0;
          has_size = true;
          AKIDB_RETURN_IF_ERROR(ReadSize(member, at, 1, size));
          if (size > kDimMax) {
            return RangeError(at, "value " + std::to_string(size) + " invalid, must be from 1 to " +
                                      std::to_string(kDimMax));
          }
          out.dim = static_cast<uint32_t>(size);
          return OkStatus();
        }
        if (key == "distance") {
          has_distance = true;
          return ReadDistance(member, at, out.metric);
        }
        if (IsNull(member)) return OkStatus();
        if (key == "multivector_config") AKIDB_RETURN_IF_ERROR(ReadMultivector(member, at, out));
        if (key == "quantization_config") AKIDB_RETURN_IF_ERROR(CheckQuantization(member, at));
        if (key == "datatype") ReadDatatype(member, out.datatype);
        if (key == "on_disk") AKIDB_RETURN_IF_ERROR(ReadBool(member, at, out.on_disk));
        const Shape* known = FindMemberShape(kVectorParams, key);
        if (known == nullptr) return OkStatus();
        options.Key(key);
        WriteKnown(member, *known, options);
        return OkStatus();
      });
  options.EndObject();
  AKIDB_RETURN_IF_ERROR(read);
  if (!has_size) return MissingField(path, "size");
  if (!has_distance) return MissingField(path, "distance");
  return CheckOptions(value, path, kVectorParamOptions);
}

Result<CollectionConfig> DecodeCreateCollection(std::string_view text) {
  JsonBody body;
  AKIDB_RETURN_IF_ERROR(body.Parse(text));
  FieldPath root;
  CollectionConfig config;
  AKIDB_RETURN_IF_ERROR(CheckNamesDiffer(body.root()));
  AKIDB_RETURN_IF_ERROR(CheckOptions(body.root(), root, kCollectionOptions));
  Status read =
      ForEachMember(body.root(), root, "a JSON object",
                    [&](std::string_view key, JsonElement value, const FieldPath& at) -> Status {
                      if (IsNull(value)) return OkStatus();
                      if (key == "vectors") return ReadVectors(value, at, config);
                      if (key == "sparse_vectors") return ReadSparseVectors(value, at, config);
                      if (key == "sharding_method") return ReadSharding(value, at);
                      if (key == "quantization_config")
                        AKIDB_RETURN_IF_ERROR(CheckQuantization(value, at));
                      if (key == "metadata") AKIDB_RETURN_IF_ERROR(ReadMetadata(value, at, config));
                      const Shape* known = FindMemberShape(kCreateCollectionBody, key);
                      if (known) config.echoed_json[std::string(key)] = KnownJson(value, *known);
                      return OkStatus();
                    });
  AKIDB_RETURN_IF_ERROR(read);
  JsonElement metadata;
  if (FindMember(body.root(), "metadata", metadata)) {
    AKIDB_RETURN_IF_ERROR(CheckMatryoshka(metadata, root.Member("metadata"), config));
  }
  return config;
}

}  // namespace akidb::dialect
