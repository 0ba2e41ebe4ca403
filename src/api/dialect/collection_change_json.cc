// PATCH of a collection: what was kept of the client's options, with what it says now over it.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/dialect/collection_json.h"
#include "api/dialect/collection_options_json.h"
#include "api/dialect/input_json.h"
#include "api/dialect/option_check_json.h"
#include "api/rest/schema/basic_shapes.h"
#include "api/rest/schema/collection_shapes.h"
#include "api/rest/schema/option_shapes.h"
#include "base/json_writer.h"

namespace akidb::dialect {

using rest::FindMemberShape;
using rest::kAnything;
using rest::kChangedParams;
using rest::kCollectionChanges;
using rest::kHnswConfig;
using rest::kMetadata;
using rest::kQuantization;
using rest::kSparseVectorParams;
using rest::kUpdateCollectionBody;
using rest::kVectorChanges;
namespace {

constexpr char kDurabilityStays[] =
    "the durability of a collection that is there can't be changed; leave it as it is";

// The members of a JSON object, each as JSON, in their order.
class Members {
 public:
  // Of nothing for an empty text. What was kept was checked when it came.
  explicit Members(std::string_view json) {
    if (json.empty()) return;
    simdjson::dom::parser parser;
    JsonElement object;
    if (!parser.parse(json.data(), json.size()).get(object)) Add(object, kAnything, false);
  }
  // What `shape` knows of it. A null takes a member away, or is passed over.
  void Add(JsonElement object, const Shape& shape, bool null_takes_away) {
    simdjson::dom::object members;
    if (object.get(members)) return;
    for (auto [key, member] : members) {
      const Shape* known = FindMemberShape(shape, key);
      if (known == nullptr) continue;
      if (!IsNull(member)) {
        Set(key, KnownJson(member, *known));
      } else if (null_takes_away) {
        Erase(key);
      }
    }
  }
  void Set(std::string_view key, std::string json) {
    for (auto& [name, present] : members_) {
      if (name != key) continue;
      present = std::move(json);
      return;
    }
    members_.emplace_back(key, std::move(json));
  }
  void Erase(std::string_view key) {
    std::erase_if(members_, [&](const auto& member) { return member.first == key; });
  }
  // Empty when there is none.
  std::string_view Get(std::string_view key) const {
    for (const auto& [name, json] : members_) {
      if (name == key) return json;
    }
    return {};
  }
  bool empty() const { return members_.empty(); }
  std::string ToJson() const {
    std::string text;
    JsonWriter json(text);
    json.BeginObject();
    for (const auto& [name, member] : members_) {
      json.Key(name);
      json.Raw(member);
    }
    json.EndObject();
    return text;
  }

 private:
  std::vector<std::pair<std::string, std::string>> members_;
};

// What is kept under `key`, as members, and back; none is not kept.
Members Kept(const CollectionConfig& config, const std::string& key) {
  auto kept = config.echoed_json.find(key);
  return Members(kept == config.echoed_json.end() ? std::string_view() : kept->second);
}
void Keep(const std::string& key, const Members& members, CollectionConfig& config) {
  if (members.empty()) {
    config.echoed_json.erase(key);
  } else {
    config.echoed_json[key] = members.ToJson();
  }
}

// A member of a body of `shape`.
void Merge(const std::string& key, JsonElement given, const Shape& shape,
           CollectionConfig& config) {
  Members members = Kept(config, key);
  members.Add(given, *FindMemberShape(shape, key), /*null_takes_away=*/false);
  Keep(key, members, config);
}

bool IsDisabled(JsonElement quantization) {
  std::string_view word;
  return !quantization.get(word) && word == "Disabled";
}

Status CheckChangedQuantization(JsonElement value, const FieldPath& path) {
  return IsDisabled(value) ? OkStatus() : CheckQuantization(value, path);
}

Status CheckChangedVector(JsonElement value, const FieldPath& path) {
  AKIDB_RETURN_IF_ERROR(CheckOptions(value, path, kVectorChanges));
  JsonElement quantization;
  if (!FindMember(value, "quantization_config", quantization)) return OkStatus();
  return CheckChangedQuantization(quantization, path.Member("quantization_config"));
}

// Everything that can be told without the collection.
Status CheckChange(JsonElement body) {
  const FieldPath root;
  AKIDB_RETURN_IF_ERROR(CheckOptions(body, root, kCollectionChanges));
  return ForEachMember(
      body, root, "a JSON object",
      [](std::string_view key, JsonElement value, const FieldPath& at) -> Status {
        if (IsNull(value)) return OkStatus();
        if (key == "quantization_config") return CheckChangedQuantization(value, at);
        if (key == "vectors") {
          return ForEachMember(value, at, "an object of vectors by name",
                               [](std::string_view, JsonElement vector, const FieldPath& of) {
                                 return CheckChangedVector(vector, of);
                               });
        }
        if (key != "sparse_vectors") return OkStatus();
        return ForEachMember(value, at, "an object of sparse vectors by name",
                             [](std::string_view, JsonElement vector, const FieldPath& of) {
                               return CheckOptions(vector, of, kSparseVectorParams.fields);
                             });
      });
}

Status NotConfigured(std::string_view name) {
  return InvalidArgumentError(name == kDefaultVectorName
                                  ? "Default vector params are not specified in config"
                                  : "Vector params for " + std::string(name) +
                                        " are not specified in config");
}

const VectorConfig* FindVector(const CollectionConfig& config, std::string_view name, bool sparse) {
  auto vector = config.vectors.find(std::string(name));
  const bool there = vector != config.vectors.end() && vector->second.sparse == sparse;
  return there ? &vector->second : nullptr;
}

// An empty object instead of graph options means those of the collection again.
Status ChangeVector(std::string_view name, JsonElement given, CollectionConfig& config) {
  if (FindVector(config, name, false) == nullptr) return NotConfigured(name);
  Members all = Kept(config, kVectorOptions);
  Members options(all.Get(name));
  JsonElement member;
  for (std::string_view key : {"on_disk", "memory"}) {
    if (FindMember(given, key, member)) options.Set(key, simdjson::minify(member));
  }
  if (FindMember(given, "hnsw_config", member)) {
    Members graph(options.Get("hnsw_config"));
    graph.Add(member, kHnswConfig, /*null_takes_away=*/false);
    const bool unset = KnownJson(member, kHnswConfig) == "{}";
    options.Erase("hnsw_config");
    if (!unset && !graph.empty()) options.Set("hnsw_config", graph.ToJson());
  }
  if (FindMember(given, "quantization_config", member)) {
    options.Erase("quantization_config");
    if (!IsDisabled(member)) options.Set("quantization_config", KnownJson(member, kQuantization));
  }
  all.Set(name, options.ToJson());
  Keep(kVectorOptions, all, config);
  return OkStatus();
}

Status ChangeSparseVector(std::string_view name, JsonElement given, CollectionConfig& config) {
  if (FindVector(config, name, true) == nullptr) return NotConfigured(name);
  Members all = Kept(config, kSparseVectorOptions);
  Members options(all.Get(name));
  JsonElement member;
  std::string_view modifier;
  if (FindMember(given, "modifier", member) && !member.get(modifier)) {
    config.vectors.at(std::string(name)).idf = modifier == "idf";
    options.Set("modifier", simdjson::minify(member));
  }
  if (FindMember(given, "index", member)) {
    Members index(options.Get("index"));
    index.Add(member, *FindMemberShape(kSparseVectorParams, "index"), /*null_takes_away=*/false);
    options.Set("index", index.ToJson());
  }
  all.Set(name, options.ToJson());
  Keep(kSparseVectorOptions, all, config);
  return OkStatus();
}

// Members of metadata.akidb are merged one by one, too, so that one of ours can be changed alone.
Status ChangeMetadata(JsonElement given, const FieldPath& path, CollectionConfig& config) {
  Members metadata = Kept(config, "metadata");
  Members own(metadata.Get("akidb"));
  metadata.Add(given, kMetadata, /*null_takes_away=*/true);
  JsonElement akidb;
  if (FindMember(given, "akidb", akidb)) {
    own.Add(akidb, kAnything, /*null_takes_away=*/true);
    metadata.Set("akidb", own.ToJson());
  }
  const std::string merged = metadata.ToJson();
  JsonBody body;
  AKIDB_RETURN_IF_ERROR(body.Parse(merged));
  CollectionConfig asked;
  asked.vectors = config.vectors;
  AKIDB_RETURN_IF_ERROR(ReadMetadata(body.root(), path, asked));
  AKIDB_RETURN_IF_ERROR(CheckMatryoshka(body.root(), path, config));
  if (asked.durability != config.durability) {
    const FieldPath of_akidb = path.Member("akidb");
    return FieldError(of_akidb.Member("durability"), kDurabilityStays);
  }
  Keep("metadata", metadata, config);
  return OkStatus();
}

Status ChangeParams(JsonElement given, const FieldPath& path, CollectionConfig& config) {
  return ForEachMember(given, path, "an object",
                       [&](std::string_view key, JsonElement value, const FieldPath&) {
                         const std::string name(key);
                         const Shape* known = FindMemberShape(kChangedParams, key);
                         if (IsNull(value) || known == nullptr) return OkStatus();
                         if (name == "payload") {
                           Merge(name, value, kChangedParams, config);
                         } else {
                           config.echoed_json[name] = KnownJson(value, *known);
                         }
                         return OkStatus();
                       });
}

Status Change(JsonElement body, CollectionConfig& config) {
  const FieldPath root;
  return ForEachMember(
      body, root, "a JSON object",
      [&](std::string_view key, JsonElement value, const FieldPath& at) -> Status {
        if (IsNull(value)) return OkStatus();
        if (key == "hnsw_config" || key == "optimizers_config" || key == "strict_mode_config") {
          Merge(std::string(key), value, kUpdateCollectionBody, config);
        }
        if (key == "quantization_config") {
          config.echoed_json.erase(std::string(key));
          if (!IsDisabled(value)) {
            config.echoed_json[std::string(key)] = KnownJson(value, kQuantization);
          }
        }
        if (key == "params") return ChangeParams(value, at, config);
        if (key == "metadata") return ChangeMetadata(value, at, config);
        if (key == "vectors") {
          return ForEachMember(value, at, "an object",
                               [&](std::string_view name, JsonElement vector, const FieldPath&) {
                                 return ChangeVector(name, vector, config);
                               });
        }
        if (key != "sparse_vectors") return OkStatus();
        return ForEachMember(value, at, "an object",
                             [&](std::string_view name, JsonElement vector, const FieldPath&) {
                               return ChangeSparseVector(name, vector, config);
                             });
      });
}

// A vector to be added, and what the client said of it, as JSON.
struct NewVector {
  VectorConfig config;
  std::string options_key;
  std::string options;
};

Status ReadNewSparse(JsonElement value, const FieldPath& path, NewVector& out) {
  AKIDB_RETURN_IF_ERROR(CheckObject(value, path, "an object"));
  AKIDB_RETURN_IF_ERROR(CheckOptions(value, path, kSparseVectorParams.fields));
  JsonElement modifier;
  std::string_view word;
  const bool idf = FindMember(value, "modifier", modifier) && !modifier.get(word) && word == "idf";
  out.config = VectorConfig::Sparse(idf);
  out.options_key = kSparseVectorOptions;
  out.options = KnownJson(value, kSparseVectorParams);
  return OkStatus();
}

Result<NewVector> ReadNewVector(JsonElement body) {
  const FieldPath root;
  NewVector vector;
  AKIDB_RETURN_IF_ERROR(
      ForEachMember(body, root, "an object {\"dense\": …} or {\"sparse\": …}",
                    [&](std::string_view key, JsonElement value, const FieldPath& at) -> Status {
                      if (key != "dense" && key != "sparse") {
                        return UnknownField(at, "`dense`, `sparse`");
                      }
                      if (!vector.options_key.empty()) {
                        return BodyError(root, "expected either `dense` or `sparse`, got both");
                      }
                      if (key == "sparse") return ReadNewSparse(value, at, vector);
                      vector.options_key = kVectorOptions;
                      JsonWriter options(vector.options);
                      return ReadVectorParams(value, at, vector.config, options);
                    }));
  if (vector.options_key.empty()) return BodyError(root, "expected one of `dense`, `sparse`");
  return vector;
}

}  // namespace

Result<service::OptionsChange> DecodeNewVector(std::string_view text, const std::string& name) {
  JsonBody body;
  AKIDB_RETURN_IF_ERROR(body.Parse(text));
  AKIDB_ASSIGN_OR_RETURN(NewVector vector, ReadNewVector(body.root()));
  return service::OptionsChange([vector, name](CollectionConfig& config) -> Status {
    if (config.vectors.contains(name)) {
      return AlreadyExistsError("Vector `" + name + "` already exists!");
    }
    config.vectors[name] = vector.config;
    Members all = Kept(config, vector.options_key);
    all.Set(name, vector.options);
    Keep(vector.options_key, all, config);
    return OkStatus();
  });
}

service::OptionsChange RemovalOfVector(const std::string& name) {
  return [name](CollectionConfig& config) -> Status {
    if (config.vectors.erase(name) == 0) {
      return InvalidArgumentError("Not existing vector name error: " + name);
    }
    for (const char* key : {kVectorOptions, kSparseVectorOptions}) {
      Members all = Kept(config, key);
      all.Erase(name);
      Keep(key, all, config);
    }
    return OkStatus();
  };
}

Result<service::OptionsChange> DecodeChangeCollection(std::string_view text) {
  // Shared, because a function that is kept has to be copyable.
  auto body = std::make_shared<JsonBody>();
  AKIDB_RETURN_IF_ERROR(body->Parse(text));
  AKIDB_RETURN_IF_ERROR(CheckChange(body->root()));
  return service::OptionsChange(
      [body](CollectionConfig& config) { return Change(body->root(), config); });
}

}  // namespace akidb::dialect
