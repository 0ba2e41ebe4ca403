#include "service/strict_checks.h"

#include <algorithm>

#include "service/query_checks.h"
#include "service/shown_number.h"
#include "service/unindexed_key.h"
#include "types/collection_config_json.h"
#include "types/filter_conditions.h"
#include "types/formula.h"

namespace akidb::service {
namespace {

Status Refused(const std::string& error, const std::string& help) {
  return InvalidArgumentError("Bad request: " + error + ". Help: " + help);
}

template <typename T>
Status AtMost(T value, const std::optional<T>& limit, std::string_view name) {
  if (!limit || !(value > *limit)) return OkStatus();
  const std::string quoted = "\"" + std::string(name) + "\"";
  return Refused("Limit exceeded " + Shown(value) + " > " + Shown(*limit) + " for " + quoted,
                 "Reduce the " + quoted + " parameter to or below " + Shown(*limit) + ".");
}

// Values that a condition compares with, where it lists them.
uint64_t SizeOf(const Condition& condition) {
  if (const auto* ids = std::get_if<HasIdCondition>(&condition)) return ids->ids.size();
  const auto* field = std::get_if<FieldCondition>(&condition);
  if (field == nullptr) return 0;
  if (const auto* any = std::get_if<MatchAny>(&field->predicate)) return any->values.size();
  if (const auto* except = std::get_if<MatchExcept>(&field->predicate)) {
    return except->values.size();
  }
  return 0;
}

std::string Megabytes(uint64_t bytes) {
  return Shown(static_cast<float>(bytes) / (1024 * 1024)) + "MB";
}

}  // namespace

uint64_t ReadCost(const Filter* filter) {
  return 1 + (filter == nullptr ? 0 : ConditionsOf(*filter));
}

uint64_t ReadCost(const QueryStage& stage) {
  uint64_t cost = ReadCost(stage.filter.get());
  for (const QueryStage& prefetch : stage.prefetch) cost += ReadCost(prefetch);
  return cost;
}

namespace {

struct CostOfWrite {
  static uint64_t Of(const PointSelector& points) {
    return points.filter ? ReadCost(points.filter.get()) : points.ids.size();
  }
  uint64_t operator()(const UpsertRequest& upsert) const { return upsert.points.size(); }
  uint64_t operator()(const PointsDeletion& deletion) const { return Of(deletion.points); }
  uint64_t operator()(const PayloadEdit& edit) const { return Of(edit.points); }
  uint64_t operator()(const VectorsUpdate& update) const { return update.points.size(); }
  uint64_t operator()(const VectorsRemoval& removal) const {
    uint64_t cost = 0;
    for (const PointSelector& points : removal.points) cost += Of(points);
    return cost;
  }
};

}  // namespace

uint64_t WriteCost(const UpdateOperation& operation) {
  return std::max<uint64_t>(1, std::visit(CostOfWrite(), operation));
}

Status StrictChecks::Limit(uint64_t limit, std::string_view name) const {
  return AtMost(limit, mode_.max_query_limit, name);
}

Status StrictChecks::Timeout(uint64_t seconds) const {
  return AtMost(seconds, mode_.max_timeout, "timeout");
}

Status StrictChecks::Batch(uint64_t queries) const {
  return AtMost(queries, mode_.search_max_batchsize, "search batch size");
}

Status StrictChecks::Read(const Filter* filter, uint64_t limit) const {
  AKIDB_RETURN_IF_ERROR(Limit(limit));
  return Indexed(filter, mode_.unindexed_filtering_retrieve.value_or(true), "filter");
}

Status StrictChecks::Query(const QueryStage& stage) const { return Stage(stage, stage.limit); }

Status StrictChecks::Stage(const QueryStage& stage, uint64_t limit) const {
  for (const QueryStage& prefetch : stage.prefetch) AKIDB_RETURN_IF_ERROR(Query(prefetch));
  AKIDB_RETURN_IF_ERROR(FullScan(stage));
  const bool unindexed = mode_.unindexed_filtering_retrieve.value_or(true);
  const auto* by_formula = std::get_if<FormulaQuery>(&stage.query);
  if (by_formula != nullptr && !unindexed) {
    const auto found = FindUnindexedKey(
        *by_formula->formula, [&](const PayloadPath& path) { return collection_.IndexOn(path); });
    if (found) {
      return Refused("Index required but not found for \"" + found->key +
                         "\" of one of the following types: [" + found->kinds + "]",
                     "Create an index for this key or use a different formula expression.");
    }
  }
  AKIDB_RETURN_IF_ERROR(Limit(limit));
  AKIDB_RETURN_IF_ERROR(Indexed(stage.filter.get(), unindexed, "filter"));
  AKIDB_RETURN_IF_ERROR(Indexed(stage.idf_corpus.get(), unindexed, "filter"));
  if (stage.exact && mode_.search_allow_exact == false) {
    return Refused("Exact search disabled!", "Set exact=false.");
  }
  AKIDB_RETURN_IF_ERROR(AtMost(stage.oversampling, mode_.search_max_oversampling, "oversampling"));
  return AtMost<uint64_t>(stage.ef, mode_.search_max_hnsw_ef, "hnsw_ef");
}

Status StrictChecks::Groups(const QueryGroupsRequest& request) const {
  const uint64_t size = request.group_size;
  const uint64_t limit = request.query.limit;
  const uint64_t hits = size != 0 && limit > UINT64_MAX / size ? UINT64_MAX : limit * size;
  AKIDB_RETURN_IF_ERROR(Stage(request.query, hits));
  if (mode_.unindexed_filtering_retrieve.value_or(true)) return OkStatus();
  AKIDB_ASSIGN_OR_RETURN(const PayloadPath path, PayloadPath::Parse(request.group_by));
  const std::optional<PayloadFieldIndex> index = collection_.IndexOn(path);
  if (index && AnswersMatches(*index)) return OkStatus();
  return Refused(index ? "Index of type \"" + std::string(PayloadFieldKindName(index->kind)) +
                             "\" found for \"" + request.group_by + "\""
                       : "Index required but not found for \"" + request.group_by + "\"",
                 "Create an index supporting `match` for this key.");
}

// Where there are no graphs, a search compares with everything unless a tenant's filter narrows it.
Status StrictChecks::FullScan(const QueryStage& stage) const {
  if (mode_.search_allow_exact != false || !stage.prefetch.empty() ||
      !ComparesVectors(stage.query)) {
    return OkStatus();
  }
  const CollectionConfig& config = collection_.config();
  const auto vector = config.vectors.find(stage.using_vector);
  if (vector == config.vectors.end() || vector->second.sparse || GraphConfigOf(config).m > 0) {
    return OkStatus();
  }
  bool of_tenant = false;
  if (stage.filter) {
    ForEachCondition(*stage.filter, [&](const Condition& condition) {
      const auto* field = std::get_if<FieldCondition>(&condition);
      if (field == nullptr || of_tenant) return;
      const std::optional<PayloadFieldIndex> index = collection_.IndexOn(field->key);
      of_tenant = index && IsTenantIndex(*index);
    });
  }
  if (of_tenant) return OkStatus();
  const std::string place = stage.using_vector.empty() ? "" : " on '" + stage.using_vector + "'";
  return Refused("Request is forbidden" + place +
                     " because global vector indexing is disabled (hnsw_config.m = 0)",
                 "Use tenant-specific filter, enable global vector indexing or enable strict mode "
                 "`search_allow_exact` option");
}

Status StrictChecks::FilterLimits(const Filter& filter) const {
  Status status;
  uint64_t largest = 0;
  ForEachCondition(filter, [&](const Condition& condition) {
    largest = std::max(largest, SizeOf(condition));
    const auto* field = std::get_if<FieldCondition>(&condition);
    if (field != nullptr && status.ok() &&
        std::holds_alternative<MatchSubstring>(field->predicate)) {
      status = Refused("Substring matching is not allowed, used for \"" + field->key.text() +
                           "\": it scans every value of the field, with or without an index",
                       "Use a prefix match or a full-text match instead.");
    }
  });
  AKIDB_RETURN_IF_ERROR(status);
  const uint64_t conditions = ConditionsOf(filter);
  if (mode_.filter_max_conditions && conditions > *mode_.filter_max_conditions) {
    return Refused("Filter condition limit reached (" + Shown(conditions) + " > " +
                       Shown(*mode_.filter_max_conditions) + ")",
                   "Reduce the amount of conditions of your filter.");
  }
  if (mode_.condition_max_size && largest > *mode_.condition_max_size) {
    return Refused("Condition size limit reached (" + Shown(largest) + " > " +
                       Shown(*mode_.condition_max_size) + ")",
                   "Reduce the size of your condition.");
  }
  return OkStatus();
}

Status StrictChecks::Indexed(const Filter* filter, bool is_allowed,
                             std::string_view otherwise) const {
  if (filter == nullptr) return OkStatus();
  AKIDB_RETURN_IF_ERROR(FilterLimits(*filter));
  if (is_allowed) return OkStatus();
  const auto found =
      FindUnindexedKey(*filter, [&](const PayloadPath& path) { return collection_.IndexOn(path); });
  if (!found) return OkStatus();
  return Refused("Index required but not found for \"" + found->key +
                     "\" of one of the following types: [" + found->kinds + "]",
                 "Create an index for this key or use a different " + std::string(otherwise) + ".");
}

Status StrictChecks::Write(const UpdateOperation& operation) const {
  const bool unindexed = mode_.unindexed_filtering_update.value_or(true);
  const auto filter = [&](const PointSelector& points) {
    return Indexed(points.filter.get(), unindexed, "filter");
  };
  if (const auto* upsert = std::get_if<UpsertRequest>(&operation)) {
    AKIDB_RETURN_IF_ERROR(
        AtMost<uint64_t>(upsert->points.size(), mode_.upsert_max_batchsize, "upsert limit"));
    AKIDB_RETURN_IF_ERROR(VectorLengths(upsert->points));
    if (mode_.max_points_count && collection_.stats().points >= *mode_.max_points_count) {
      return InvalidArgumentError("Bad request: Max points count limit of " +
                                  Shown(*mode_.max_points_count) + " reached!");
    }
    return Sizes();
  }
  if (const auto* update = std::get_if<VectorsUpdate>(&operation)) {
    AKIDB_RETURN_IF_ERROR(
        AtMost<uint64_t>(update->points.size(), mode_.upsert_max_batchsize, "update limit"));
    AKIDB_RETURN_IF_ERROR(VectorLengths(update->points));
    AKIDB_RETURN_IF_ERROR(Indexed(update->filter.get(), unindexed, "filter"));
    return Sizes();
  }
  if (const auto* edit = std::get_if<PayloadEdit>(&operation)) {
    AKIDB_RETURN_IF_ERROR(filter(edit->points));
    // What frees space stays allowed.
    const bool adds = std::holds_alternative<SetPayload>(edit->change) ||
                      std::holds_alternative<OverwritePayload>(edit->change);
    return adds ? Sizes() : OkStatus();
  }
  if (const auto* deletion = std::get_if<PointsDeletion>(&operation)) {
    return filter(deletion->points);
  }
  for (const PointSelector& points : std::get<VectorsRemoval>(operation).points) {
    AKIDB_RETURN_IF_ERROR(filter(points));
  }
  return OkStatus();
}

Status StrictChecks::NewIndex(const std::string& field) const {
  if (!mode_.max_payload_index_count) return OkStatus();
  const PayloadFieldIndexes fields = collection_.IndexedFields();
  const uint64_t limit = *mode_.max_payload_index_count;
  if (fields.contains(field) || fields.size() < limit) return OkStatus();
  return Refused(
      "Collection already contains the maximum number of payload indexes (" + Shown(limit) + ")",
      "Delete an index before creating another one.");
}

Status StrictChecks::Memory() const {
  if (!mode_.max_resident_memory_percent || !meter_) return OkStatus();
  const uint64_t limit = *mode_.max_resident_memory_percent;
  const std::optional<uint64_t> used = meter_();
  if (!used || *used < limit) return OkStatus();
  return Refused("Resident memory usage is at " + Shown(*used) +
                     "% of total memory, exceeding the configured limit of " + Shown(limit) + "%",
                 "Reduce memory usage (e.g. delete points or drop collections), or raise "
                 "`max_resident_memory_percent` in the strict mode config of this collection.");
}

// About: what lies in memory counts by the vectors' dimensions.
Status StrictChecks::Sizes() const {
  AKIDB_RETURN_IF_ERROR(Memory());
  if (!mode_.max_collection_vector_size_bytes && !mode_.max_collection_payload_size_bytes) {
    return OkStatus();
  }
  const engine::CollectionStats stats = collection_.stats();
  uint64_t bytes_a_point = 0;
  for (const auto& [name, vector] : collection_.config().vectors) {
    if (!vector.sparse) bytes_a_point += vector.dim * ComponentBytes(vector.datatype);
  }
  const uint64_t in_memory = std::min(stats.memory.heads, stats.head_rows * bytes_a_point);
  const uint64_t vectors = stats.memory.vectors + in_memory;
  const uint64_t payloads =
      stats.memory.payloads + stats.memory.changes + stats.memory.heads - in_memory;
  const auto full = [](const char* what, uint64_t limit) {
    return InvalidArgumentError("Bad request: Max " + std::string(what) +
                                " storage size limit of " + Megabytes(limit) + " reached!");
  };
  if (mode_.max_collection_vector_size_bytes &&
      vectors >= *mode_.max_collection_vector_size_bytes) {
    return full("vector", *mode_.max_collection_vector_size_bytes);
  }
  if (mode_.max_collection_payload_size_bytes &&
      payloads >= *mode_.max_collection_payload_size_bytes) {
    return full("payload", *mode_.max_collection_payload_size_bytes);
  }
  return OkStatus();
}

Status StrictChecks::VectorLengths(std::span<const PointInput> points) const {
  if (mode_.max_vectors.empty() && mode_.max_length.empty()) return OkStatus();
  for (const PointInput& point : points) {
    for (const auto& [name, input] : point.vectors) {
      const auto* vector = std::get_if<DenseVector>(&input);
      if (vector == nullptr) continue;
      if (vector->indices) {
        const auto limit = mode_.max_length.find(name);
        if (limit == mode_.max_length.end() || vector->size() <= limit->second) continue;
        return InvalidArgumentError("Bad request: Sparse vector '" + name + "' has a limit of " +
                                    Shown(limit->second) + " indices");
      }
      const auto limit = mode_.max_vectors.find(name);
      if (vector->row_dim == 0 || limit == mode_.max_vectors.end()) continue;
      if (vector->size() / vector->row_dim <= limit->second) continue;
      return InvalidArgumentError("Bad request: Multivector '" + name + "' has a limit of " +
                                  Shown(limit->second) + " vectors");
    }
  }
  return OkStatus();
}

}  // namespace akidb::service
