#include "api/rest/schema/option_shapes.h"

#include "api/rest/schema/basic_shapes.h"

namespace akidb::rest {
namespace {

using Kind = Shape::Kind;

constexpr Shape kFromFour = {.kind = Kind::kUint, .min = 4};
constexpr Shape kFromHundred = {.kind = Kind::kUint, .min = 100};
constexpr Shape kShare = {.kind = Kind::kNumber, .max = 1};
constexpr Shape kPercent = {.kind = Kind::kUint, .min = 1, .max = 100};
constexpr Shape kNotNegative = {.kind = Kind::kNumber};
constexpr Shape kAuto = {.kind = Kind::kChoice, .choices = "auto"};
constexpr const Shape* kCountOrAutoOptions[] = {&kCount, &kAuto};
constexpr Shape kCountOrAuto = {.kind = Kind::kOneOf, .options = kCountOrAutoOptions};

constexpr Field kHnswFields[] = {
    {"m", &kCount, false, "Half of a node's links, at most 128; 0: no graph."},
    {"ef_construct", &kFromFour, false, "Breadth of building, at most 4096."},
    {"full_scan_threshold", &kCount},
    {"max_indexing_threads", &kCount},
    {"on_disk", &kFlag},
    {"memory", &kMemoryPlace},
    {"payload_m", &kCount},
    {"inline_storage", &kFlag},
};

constexpr Field kWalFields[] = {
    {"wal_capacity_mb", &kFromOne},
    {"wal_segments_ahead", &kCount},
    {"wal_retain_closed", &kFromOne},
};

constexpr Field kOptimizerFields[] = {
    {"deleted_threshold", &kShare},      {"vacuum_min_vector_number", &kFromHundred},
    {"default_segment_number", &kCount}, {"max_segment_size", &kFromOne},
    {"memmap_threshold", &kCount},       {"indexing_threshold", &kCount},
    {"flush_interval_sec", &kCount},     {"max_optimization_threads", &kCountOrAuto},
    {"prevent_unoptimized", &kFlag},
};

constexpr Field kPayloadStorageFields[] = {{"memory", &kMemoryPlace}};

constexpr Field kMaxVectorsFields[] = {{"max_vectors", &kFromOne}};
constexpr Shape kMaxVectors = {.kind = Kind::kObject, .fields = kMaxVectorsFields};
constexpr Shape kMultiVectorLimits = {
    .kind = Kind::kMap, .element = &kMaxVectors, .example = R"({"": {"max_vectors": 10}})"};
constexpr Field kMaxLengthFields[] = {{"max_length", &kFromOne}};
constexpr Shape kMaxLength = {.kind = Kind::kObject, .fields = kMaxLengthFields};
constexpr Shape kSparseLimits = {
    .kind = Kind::kMap, .element = &kMaxLength, .example = R"({"words": {"max_length": 10}})"};
constexpr Field kStrictModeFields[] = {
    {"enabled", &kFlag},
    {"max_query_limit", &kFromOne},
    {"max_timeout", &kFromOne, false, "In seconds."},
    {"unindexed_filtering_retrieve", &kFlag},
    {"unindexed_filtering_update", &kFlag},
    {"search_max_hnsw_ef", &kCount},
    {"search_allow_exact", &kFlag},
    {"search_max_oversampling", &kNotNegative},
    {"upsert_max_batchsize", &kCount},
    {"search_max_batchsize", &kCount},
    {"max_collection_vector_size_bytes", &kCount},
    {"max_collection_payload_size_bytes", &kCount},
    {"read_rate_limit", &kFromOne, false, "Requests a minute."},
    {"write_rate_limit", &kFromOne, false, "Requests a minute."},
    {"max_points_count", &kFromOne},
    {"filter_max_conditions", &kCount},
    {"condition_max_size", &kCount},
    {"multivector_config", &kMultiVectorLimits},
    {"sparse_config", &kSparseLimits},
    {"max_payload_index_count", &kCount},
    {"max_resident_memory_percent", &kPercent},
};

constexpr Field kChangedParamFields[] = {
    {"replication_factor", &kFromOne}, {"write_consistency_factor", &kFromOne},
    {"read_fan_out_factor", &kCount},  {"read_fan_out_delay_ms", &kCount},
    {"on_disk_payload", &kFlag},       {"payload", &kPayloadStorage},
};

constexpr Shape kSparseDatatype = {.kind = Kind::kChoice, .choices = "float32|uint8|float16"};
constexpr Field kSparseIndexFields[] = {
    {"full_scan_threshold", &kCount},
    {"on_disk", &kFlag},
    {"memory", &kMemoryPlace},
    {"datatype", &kSparseDatatype},
};
constexpr Shape kSparseIndex = {.kind = Kind::kObject, .fields = kSparseIndexFields};
constexpr Shape kModifier = {.kind = Kind::kChoice, .choices = "none|idf"};
constexpr Field kSparseVectorFields[] = {
    {"index", &kSparseIndex},
    {"modifier", &kModifier, false, "`idf`: rare components count more."},
};

constexpr Shape kScalarType = {.kind = Kind::kChoice, .choices = "int8"};
constexpr Shape kQuantile = {.kind = Kind::kNumber, .min = 0.5, .max = 1};
constexpr Field kScalarFields[] = {
    {"type", &kScalarType, true},
    {"quantile", &kQuantile},
    {"always_ram", &kFlag},
    {"memory", &kMemoryPlace},
};
constexpr Shape kCompression = {.kind = Kind::kChoice, .choices = "x4|x8|x16|x32|x64"};
constexpr Field kProductFields[] = {
    {"compression", &kCompression, true},
    {"always_ram", &kFlag},
    {"memory", &kMemoryPlace},
};
constexpr Shape kEncoding = {.kind = Kind::kChoice,
                             .choices = "one_bit|two_bits|one_and_half_bits"};
constexpr Shape kQueryEncoding = {.kind = Kind::kChoice,
                                  .choices = "default|binary|scalar4bits|scalar8bits"};
constexpr Field kBinaryFields[] = {
    {"always_ram", &kFlag},
    {"memory", &kMemoryPlace},
    {"encoding", &kEncoding},
    {"query_encoding", &kQueryEncoding},
};
constexpr Shape kTurboBits = {.kind = Kind::kChoice, .choices = "bits1|bits1_5|bits2|bits4"};
constexpr Field kTurboFields[] = {
    {"always_ram", &kFlag},
    {"memory", &kMemoryPlace},
    {"bits", &kTurboBits},
};
constexpr Shape kScalar = {.kind = Kind::kObject, .fields = kScalarFields};
constexpr Shape kProduct = {.kind = Kind::kObject, .fields = kProductFields};
constexpr Shape kBinary = {.kind = Kind::kObject, .fields = kBinaryFields};
constexpr Shape kTurbo = {.kind = Kind::kObject, .fields = kTurboFields};
constexpr Field kOfScalar[] = {{"scalar", &kScalar, true}};
constexpr Field kOfProduct[] = {{"product", &kProduct, true}};
constexpr Field kOfBinary[] = {{"binary", &kBinary, true}};
constexpr Field kOfTurbo[] = {{"turbo", &kTurbo, true}};
constexpr Shape kScalarForm = {.kind = Kind::kObject, .fields = kOfScalar};
constexpr Shape kProductForm = {.kind = Kind::kObject, .fields = kOfProduct};
constexpr Shape kBinaryForm = {.kind = Kind::kObject, .fields = kOfBinary};
constexpr Shape kTurboForm = {.kind = Kind::kObject, .fields = kOfTurbo};
constexpr const Shape* kQuantizationForms[] = {&kScalarForm, &kProductForm, &kBinaryForm,
                                               &kTurboForm};
constexpr Shape kDisabled = {.kind = Kind::kChoice, .choices = "Disabled"};
constexpr const Shape* kQuantizationChanges[] = {&kQuantization, &kDisabled};

constexpr Shape kDurability = {.kind = Kind::kChoice, .choices = "sync|interval"};
constexpr Shape kMemoryMode = {.kind = Kind::kChoice, .choices = "quality|balanced|compact"};
constexpr Shape kPrefixSize = {.kind = Kind::kUint, .min = 64, .max = 65536};
constexpr Shape kPrefixes = {.kind = Kind::kArray, .element = &kPrefixSize, .items_min = 1};
constexpr Shape kNamedPrefixes = {
    .kind = Kind::kMap, .element = &kPrefixes, .example = R"({"": [64]})"};
constexpr const Shape* kPrefixOptions[] = {&kPrefixes, &kNamedPrefixes};
constexpr Shape kMatryoshka = {
    .kind = Kind::kOneOf,
    .doc =
        "Numbers of components that are good embeddings on their own, ascending: of the unnamed "
        "vector, or by vector name.",
    .options = kPrefixOptions};
constexpr Shape kStringIds = {.kind = Kind::kBool, .doc = "False.", .example = "false"};
constexpr Field kAkidbFields[] = {
    {"durability", &kDurability, false, "Can't be changed later."},
    {"memory", &kMemoryMode, false, "The size of the codes that vectors are found by."},
    {"matryoshka", &kMatryoshka},
    {"string_ids", &kStringIds},
};
constexpr Shape kAkidbOptions = {
    .kind = Kind::kObject, .name = "AkidbOptions", .fields = kAkidbFields, .closed = true};
constexpr Field kMetadataFields[] = {{"akidb", &kAkidbOptions, false, "AkiDB's own options."}};

constexpr Shape kQuota = {.kind = Kind::kUint, .min = 1, .max = 100, .example = "90"};
constexpr Shape kMargin = {.kind = Kind::kUint, .max = 100, .example = "5"};
constexpr Field kQuotaFields[] = {
    {"enabled", &kFlag, false, "Without it nothing is limited."},
    {"max_resident_memory_percent", &kQuota, false,
     "Of the machine's memory, or of what a control group leaves of it."},
    {"max_disk_usage_percent", &kQuota, false, "Of the file system of the data folder."},
    {"release_margin_percent", &kMargin, false,
     "So far below its limit what was exceeded has to fall; 5 if absent."}};

}  // namespace

constinit const Shape kMemoryPlace = {.kind = Kind::kChoice, .choices = "cold|cached|pinned"};
constinit const Shape kPayloadStorage = {.kind = Kind::kObject, .fields = kPayloadStorageFields};
constinit const Shape kChangedParams = {.kind = Kind::kObject, .fields = kChangedParamFields};
constinit const Shape kVectorDatatype = {.kind = Kind::kChoice,
                                         .choices = "float32|uint8|float16|turbo4"};
constinit const Shape kHnswConfig = {
    .kind = Kind::kObject, .name = "HnswConfig", .fields = kHnswFields};
constinit const Shape kWalConfig = {
    .kind = Kind::kObject, .name = "WalConfig", .fields = kWalFields};
constinit const Shape kOptimizersConfig = {
    .kind = Kind::kObject, .name = "OptimizersConfig", .fields = kOptimizerFields};
constinit const Shape kQuotaConfig = {
    .kind = Kind::kObject, .name = "QuotaConfig", .fields = kQuotaFields};
constinit const Shape kStrictModeConfig = {.kind = Kind::kObject,
                                           .name = "StrictModeConfig",
                                           .doc =
                                               "What the collection forbids: "
                                               "docs/api/strict_mode.md.",
                                           .fields = kStrictModeFields};
constinit const Shape kSparseVectorParams = {
    .kind = Kind::kObject, .name = "SparseVectorParams", .fields = kSparseVectorFields};
constinit const Shape kQuantization = {.kind = Kind::kOneOf,
                                       .name = "Quantization",
                                       .doc = "Chooses the mode of memory; scores stay exact.",
                                       .options = kQuantizationForms};
constinit const Shape kQuantizationChange = {.kind = Kind::kOneOf, .options = kQuantizationChanges};
constinit const Shape kMetadata = {.kind = Kind::kObject,
                                   .name = "Metadata",
                                   .doc = "Whatever is to be kept with the collection.",
                                   .fields = kMetadataFields,
                                   .element = &kAnything};

}  // namespace akidb::rest
