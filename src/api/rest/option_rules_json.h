// Checks of options that are kept and given back but not acted upon. Only *_json.cc files include
// this.
#pragma once

#include <limits>
#include <span>
#include <string_view>

#include "api/rest/input_json.h"
#include "types/collection_config.h"

namespace akidb::rest {

struct OptionRule {
  enum class Kind { kBool, kUint, kNumber, kChoice, kObject, kUintOrAuto };

  std::string_view name;
  Kind kind = Kind::kBool;
  double min = 0;
  double max = std::numeric_limits<double>::infinity();
  std::string_view choices = {};             // "a|b", for kChoice
  std::span<const OptionRule> members = {};  // for kObject; empty: anything goes
};

// Every member of the object `value` that has a rule keeps it; null always does. Members without a
// rule are left to later versions of the dialect.
Status CheckOptions(JsonElement value, const FieldPath& path, std::span<const OptionRule> rules);

// The options of creating a collection, by their JSON field: hnsw_config, wal_config,
// optimizers_config, strict_mode_config and the numbers of shards and replicas.
std::span<const OptionRule> CollectionOptionRules();
// Of changing one: hnsw_config, optimizers_config, params, strict_mode_config and metadata; and one
// of its vectors, besides quantization_config.
std::span<const OptionRule> CollectionChangeRules();
std::span<const OptionRule> VectorChangeRules();
// Of one vector, besides size, distance, datatype and multivector_config.
std::span<const OptionRule> VectorOptionRules();
// Of one sparse vector.
std::span<const OptionRule> SparseVectorOptionRules();

// Of an index over a payload field, besides its type.
std::span<const OptionRule> PayloadIndexRules(PayloadFieldKind kind);

// {"scalar": …}, {"product": …}, {"binary": …} or {"turbo": …}.
Status CheckQuantization(JsonElement value, const FieldPath& path);

}  // namespace akidb::rest
