#include "api/rest/option_rules_json.h"

#include <string>

namespace akidb::rest {
namespace {

using Kind = OptionRule::Kind;

constexpr std::string_view kMemory = "cold|cached|pinned";
constexpr double kNoMax = std::numeric_limits<double>::infinity();

constexpr OptionRule kHnsw[] = {
    {.name = "m", .kind = Kind::kUint},
    {.name = "ef_construct", .kind = Kind::kUint, .min = 4},
    {.name = "full_scan_threshold", .kind = Kind::kUint},
    {.name = "max_indexing_threads", .kind = Kind::kUint},
    {.name = "on_disk"},
    {.name = "memory", .kind = Kind::kChoice, .choices = kMemory},
    {.name = "payload_m", .kind = Kind::kUint},
    {.name = "inline_storage"},
};

constexpr OptionRule kWal[] = {
    {.name = "wal_capacity_mb", .kind = Kind::kUint, .min = 1},
    {.name = "wal_segments_ahead", .kind = Kind::kUint},
    {.name = "wal_retain_closed", .kind = Kind::kUint, .min = 1},
};

constexpr OptionRule kOptimizers[] = {
    {.name = "deleted_threshold", .kind = Kind::kNumber, .min = 0, .max = 1},
    {.name = "vacuum_min_vector_number", .kind = Kind::kUint, .min = 100},
    {.name = "default_segment_number", .kind = Kind::kUint},
    {.name = "max_segment_size", .kind = Kind::kUint, .min = 1},
    {.name = "memmap_threshold", .kind = Kind::kUint},
    {.name = "indexing_threshold", .kind = Kind::kUint},
    {.name = "flush_interval_sec", .kind = Kind::kUint},
    {.name = "max_optimization_threads", .kind = Kind::kUintOrAuto},
    {.name = "prevent_unoptimized"},
};

constexpr OptionRule kPayloadStorage[] = {
    {.name = "memory", .kind = Kind::kChoice, .choices = kMemory}};

constexpr OptionRule kStrictMode[] = {
    {.name = "enabled"},
    {.name = "max_query_limit", .kind = Kind::kUint, .min = 1},
    {.name = "max_timeout", .kind = Kind::kUint, .min = 1},
    {.name = "unindexed_filtering_retrieve"},
    {.name = "unindexed_filtering_update"},
    {.name = "search_max_hnsw_ef", .kind = Kind::kUint},
    {.name = "search_allow_exact"},
    {.name = "search_max_oversampling", .kind = Kind::kNumber},
    {.name = "upsert_max_batchsize", .kind = Kind::kUint},
    {.name = "search_max_batchsize", .kind = Kind::kUint},
    {.name = "max_collection_vector_size_bytes", .kind = Kind::kUint},
    {.name = "max_collection_payload_size_bytes", .kind = Kind::kUint},
    {.name = "read_rate_limit", .kind = Kind::kUint, .min = 1},
    {.name = "write_rate_limit", .kind = Kind::kUint, .min = 1},
    {.name = "max_points_count", .kind = Kind::kUint, .min = 1},
    {.name = "filter_max_conditions", .kind = Kind::kUint},
    {.name = "condition_max_size", .kind = Kind::kUint},
    {.name = "multivector_config", .kind = Kind::kObject},
    {.name = "sparse_config", .kind = Kind::kObject},
    {.name = "max_payload_index_count", .kind = Kind::kUint},
    {.name = "max_resident_memory_percent", .kind = Kind::kUint, .min = 1, .max = 100},
};

constexpr OptionRule kCollection[] = {
    {.name = "shard_number", .kind = Kind::kUint, .min = 1},
    {.name = "replication_factor", .kind = Kind::kUint, .min = 1},
    {.name = "write_consistency_factor", .kind = Kind::kUint, .min = 1},
    {.name = "on_disk_payload"},
    {.name = "payload", .kind = Kind::kObject, .members = kPayloadStorage},
    {.name = "hnsw_config", .kind = Kind::kObject, .members = kHnsw},
    {.name = "wal_config", .kind = Kind::kObject, .members = kWal},
    {.name = "optimizers_config", .kind = Kind::kObject, .members = kOptimizers},
    {.name = "strict_mode_config", .kind = Kind::kObject, .members = kStrictMode},
    {.name = "metadata", .kind = Kind::kObject},
};

// What may be changed of a collection that is there.
constexpr OptionRule kChangedParams[] = {
    {.name = "replication_factor", .kind = Kind::kUint, .min = 1},
    {.name = "write_consistency_factor", .kind = Kind::kUint, .min = 1},
    {.name = "read_fan_out_factor", .kind = Kind::kUint},
    {.name = "read_fan_out_delay_ms", .kind = Kind::kUint},
    {.name = "on_disk_payload"},
    {.name = "payload", .kind = Kind::kObject, .members = kPayloadStorage},
};
constexpr OptionRule kChanged[] = {
    {.name = "hnsw_config", .kind = Kind::kObject, .members = kHnsw},
    {.name = "optimizers_config", .kind = Kind::kObject, .members = kOptimizers},
    {.name = "params", .kind = Kind::kObject, .members = kChangedParams},
    {.name = "strict_mode_config", .kind = Kind::kObject, .members = kStrictMode},
    {.name = "metadata", .kind = Kind::kObject},
};
constexpr OptionRule kChangedVector[] = {
    {.name = "hnsw_config", .kind = Kind::kObject, .members = kHnsw},
    {.name = "on_disk"},
    {.name = "memory", .kind = Kind::kChoice, .choices = kMemory},
};

constexpr OptionRule kVector[] = {
    {.name = "hnsw_config", .kind = Kind::kObject, .members = kHnsw},
    {.name = "on_disk"},
    {.name = "memory", .kind = Kind::kChoice, .choices = kMemory},
    {.name = "datatype", .kind = Kind::kChoice, .choices = "float32|uint8|float16|turbo4"},
};

constexpr OptionRule kSparseIndex[] = {
    {.name = "full_scan_threshold", .kind = Kind::kUint},
    {.name = "on_disk"},
    {.name = "memory", .kind = Kind::kChoice, .choices = kMemory},
    {.name = "datatype", .kind = Kind::kChoice, .choices = "float32|uint8|float16"},
};
constexpr OptionRule kSparseVector[] = {
    {.name = "index", .kind = Kind::kObject, .members = kSparseIndex},
    {.name = "modifier", .kind = Kind::kChoice, .choices = "none|idf"},
};

constexpr OptionRule kKeywordIndex[] = {
    {.name = "is_tenant"},
    {.name = "on_disk"},
    {.name = "memory", .kind = Kind::kChoice, .choices = kMemory},
    {.name = "enable_hnsw"},
    {.name = "prefix"},
};
constexpr OptionRule kIntegerIndex[] = {
    {.name = "lookup"},
    {.name = "range"},
    {.name = "is_principal"},
    {.name = "on_disk"},
    {.name = "memory", .kind = Kind::kChoice, .choices = kMemory},
    {.name = "enable_hnsw"},
};
// Of floats and datetimes.
constexpr OptionRule kRangeIndex[] = {
    {.name = "is_principal"},
    {.name = "on_disk"},
    {.name = "memory", .kind = Kind::kChoice, .choices = kMemory},
    {.name = "enable_hnsw"},
};
constexpr OptionRule kUuidIndex[] = {
    {.name = "is_tenant"},
    {.name = "on_disk"},
    {.name = "memory", .kind = Kind::kChoice, .choices = kMemory},
    {.name = "enable_hnsw"},
};
// Of booleans, places and texts.
constexpr OptionRule kPlainIndex[] = {
    {.name = "on_disk"},
    {.name = "memory", .kind = Kind::kChoice, .choices = kMemory},
    {.name = "enable_hnsw"},
};

constexpr OptionRule kScalar[] = {
    {.name = "type", .kind = Kind::kChoice, .choices = "int8"},
    {.name = "quantile", .kind = Kind::kNumber, .min = 0.5, .max = 1},
    {.name = "always_ram"},
    {.name = "memory", .kind = Kind::kChoice, .choices = kMemory},
};
constexpr OptionRule kProduct[] = {
    {.name = "compression", .kind = Kind::kChoice, .choices = "x4|x8|x16|x32|x64"},
    {.name = "always_ram"},
    {.name = "memory", .kind = Kind::kChoice, .choices = kMemory},
};
constexpr OptionRule kBinary[] = {
    {.name = "always_ram"},
    {.name = "memory", .kind = Kind::kChoice, .choices = kMemory},
    {.name = "encoding", .kind = Kind::kChoice, .choices = "one_bit|two_bits|one_and_half_bits"},
    {.name = "query_encoding",
     .kind = Kind::kChoice,
     .choices = "default|binary|scalar4bits|scalar8bits"},
};
constexpr OptionRule kTurbo[] = {
    {.name = "always_ram"},
    {.name = "memory", .kind = Kind::kChoice, .choices = kMemory},
    {.name = "bits", .kind = Kind::kChoice, .choices = "bits1|bits1_5|bits2|bits4"},
};

// A form of quantization, and the member that it can't do without.
struct QuantizationForm {
  std::string_view name;
  std::span<const OptionRule> rules;
  std::string_view required;
};
constexpr QuantizationForm kQuantizations[] = {
    {"scalar", kScalar, "type"},
    {"product", kProduct, "compression"},
    {"binary", kBinary, ""},
    {"turbo", kTurbo, ""},
};

std::string ShownNumber(double number) {
  std::string text = std::to_string(number);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text += '0';
  return text;
}

Status CheckBounds(double number, const FieldPath& path, const OptionRule& rule) {
  if (number >= rule.min && number <= rule.max) return OkStatus();
  bool whole = rule.kind != Kind::kNumber;
  auto shown = [&](double bound) {
    return whole ? std::to_string(static_cast<uint64_t>(bound)) : ShownNumber(bound);
  };
  std::string text = "value " + shown(number) + " invalid, must be ";
  if (rule.max == kNoMax) return RangeError(path, text + shown(rule.min) + " or larger");
  return RangeError(path, text + "from " + shown(rule.min) + " to " + shown(rule.max));
}

Status CheckChoice(JsonElement value, const FieldPath& path, std::string_view choices) {
  std::string_view chosen;
  AKIDB_RETURN_IF_ERROR(ReadString(value, path, chosen));
  std::string expected;
  for (size_t start = 0; start <= choices.size();) {
    size_t end = std::min(choices.find('|', start), choices.size());
    std::string_view choice = choices.substr(start, end - start);
    if (choice == chosen) return OkStatus();
    expected.append(expected.empty() ? "`" : ", `").append(choice).append("`");
    start = end + 1;
  }
  return FieldError(path,
                    "unknown variant `" + std::string(chosen) + "`, expected one of " + expected);
}

Status CheckOption(JsonElement value, const FieldPath& path, const OptionRule& rule) {
  bool flag = false;
  uint64_t count = 0;
  double number = 0;
  switch (rule.kind) {
    case Kind::kBool:
      return ReadBool(value, path, flag);
    case Kind::kUintOrAuto:
      if (value.is_string()) return CheckChoice(value, path, "auto");
      [[fallthrough]];
    case Kind::kUint:
      AKIDB_RETURN_IF_ERROR(ReadUint(value, path, count));
      return CheckBounds(static_cast<double>(count), path, rule);
    case Kind::kNumber:
      AKIDB_RETURN_IF_ERROR(ReadDouble(value, path, number));
      return CheckBounds(number, path, rule);
    case Kind::kChoice:
      return CheckChoice(value, path, rule.choices);
    case Kind::kObject:
      return CheckOptions(value, path, rule.members);
  }
  return InternalError("an option rule of unknown kind");
}

}  // namespace

Status CheckOptions(JsonElement value, const FieldPath& path, std::span<const OptionRule> rules) {
  return ForEachMember(
      value, path, "an object",
      [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
        if (IsNull(member)) return OkStatus();
        for (const OptionRule& rule : rules) {
          if (rule.name == key) return CheckOption(member, at, rule);
        }
        return OkStatus();
      });
}

std::span<const OptionRule> CollectionOptionRules() { return kCollection; }
std::span<const OptionRule> CollectionChangeRules() { return kChanged; }
std::span<const OptionRule> VectorOptionRules() { return kVector; }
std::span<const OptionRule> VectorChangeRules() { return kChangedVector; }
std::span<const OptionRule> SparseVectorOptionRules() { return kSparseVector; }
std::span<const OptionRule> PayloadIndexRules(PayloadFieldKind kind) {
  switch (kind) {
    case PayloadFieldKind::kKeyword:
      return kKeywordIndex;
    case PayloadFieldKind::kInteger:
      return kIntegerIndex;
    case PayloadFieldKind::kFloat:
    case PayloadFieldKind::kDatetime:
      return kRangeIndex;
    case PayloadFieldKind::kUuid:
      return kUuidIndex;
    case PayloadFieldKind::kBool:
    case PayloadFieldKind::kGeo:
    case PayloadFieldKind::kText:
      return kPlainIndex;
  }
  return kPlainIndex;
}

Status CheckQuantization(JsonElement value, const FieldPath& path) {
  if (IsNull(value)) return OkStatus();
  JsonElement member;
  for (const QuantizationForm& form : kQuantizations) {
    if (!FindMember(value, form.name, member)) continue;
    FieldPath at = path.Member(form.name);
    JsonElement required;
    AKIDB_RETURN_IF_ERROR(CheckOptions(member, at, form.rules));
    if (form.required.empty() || FindMember(member, form.required, required)) return OkStatus();
    return MissingField(at, form.required);
  }
  return FieldError(path, "expected one of `scalar`, `product`, `binary`, `turbo`");
}

}  // namespace akidb::rest
