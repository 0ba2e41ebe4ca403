#include "api/rest/schema/collection_shapes.h"

#include "api/rest/schema/option_shapes.h"

namespace akidb::rest {
namespace {

using Kind = Shape::Kind;

constexpr Shape kSize = {.kind = Kind::kUint, .min = 1, .max = 65536, .example = "128"};
constexpr Shape kDistance = {.kind = Kind::kChoice, .choices = "Cosine|Euclid|Dot|Manhattan"};
constexpr Shape kComparator = {.kind = Kind::kChoice, .choices = "max_sim"};
constexpr Field kMultivectorFields[] = {{"comparator", &kComparator, true}};
constexpr Shape kMultivectorConfig = {
    .kind = Kind::kObject, .name = "MultivectorConfig", .fields = kMultivectorFields};
constexpr std::array<Field, 4> kOwnVectorParams = {{
    {"size", &kSize, true},
    {"distance", &kDistance, true},
    {"multivector_config", &kMultivectorConfig, false, "A point has several rows."},
    {"quantization_config", &kQuantization},
}};
constexpr auto kVectorParamFields = JoinFields(kOwnVectorParams, kVectorParamOptions);
constexpr Shape kNamedVectorParams = {.kind = Kind::kMap,
                                      .element = &kVectorParams,
                                      .example = R"({"": {"size": 128, "distance": "Cosine"}})"};
constexpr const Shape* kVectorsOptions[] = {&kVectorParams, &kNamedVectorParams};
constexpr Shape kVectorsConfig = {.kind = Kind::kOneOf,
                                  .name = "VectorsConfig",
                                  .doc = "The unnamed vector, or vectors by name.",
                                  .options = kVectorsOptions};
constexpr Shape kSparseVectors = {.kind = Kind::kMap,
                                  .element = &kSparseVectorParams,
                                  .example = R"({"words": {"modifier": "idf"}})"};
constexpr Shape kSharding = {
    .kind = Kind::kChoice, .doc = "There is one node: `custom` is refused.", .choices = "auto"};
constexpr std::array<Field, 4> kOwnCreateFields = {{
    {"vectors", &kVectorsConfig},
    {"sparse_vectors", &kSparseVectors},
    {"quantization_config", &kQuantization},
    {"sharding_method", &kSharding},
}};
constexpr auto kCreateFields = JoinFields(kOwnCreateFields, kCollectionOptions);

constexpr std::array<Field, 1> kOwnVectorChanges = {
    {{"quantization_config", &kQuantizationChange}}};
constexpr auto kVectorChangeFields = JoinFields(kVectorChanges, kOwnVectorChanges);
constexpr Shape kVectorChange = {
    .kind = Kind::kObject, .name = "VectorParamsChange", .fields = kVectorChangeFields};
constexpr Shape kVectorChangesByName = {
    .kind = Kind::kMap, .element = &kVectorChange, .example = R"({"": {"on_disk": true}})"};
constexpr std::array<Field, 3> kOwnChanges = {{
    {"vectors", &kVectorChangesByName},
    {"sparse_vectors", &kSparseVectors, false,
     "Another modifier counts for all points at once; writes of that moment get 503."},
    {"quantization_config", &kQuantizationChange},
}};
constexpr auto kUpdateFields = JoinFields(kOwnChanges, kCollectionChanges);

constexpr Field kDenseFields[] = {{"dense", &kVectorParams, true}};
constexpr Field kSparseFields[] = {{"sparse", &kSparseVectorParams, true}};
constexpr Shape kNewDense = {.kind = Kind::kObject, .fields = kDenseFields, .closed = true};
constexpr Shape kNewSparse = {.kind = Kind::kObject, .fields = kSparseFields, .closed = true};
constexpr const Shape* kNewVectors[] = {&kNewDense, &kNewSparse};

constexpr Shape kAlias = {.kind = Kind::kString, .example = R"("other")"};
constexpr Shape kNewAlias = {.kind = Kind::kString, .example = R"("another")"};
constexpr Field kCreateAliasFields[] = {{"collection_name", &kCollectionName, true},
                                        {"alias_name", &kAlias, true}};
constexpr Field kDeleteAliasFields[] = {{"alias_name", &kAlias, true}};
constexpr Field kRenameAliasFields[] = {{"old_alias_name", &kAlias, true},
                                        {"new_alias_name", &kNewAlias, true}};
constexpr Shape kCreateAlias = {.kind = Kind::kObject, .fields = kCreateAliasFields};
constexpr Shape kDeleteAlias = {.kind = Kind::kObject, .fields = kDeleteAliasFields};
constexpr Shape kRenameAlias = {.kind = Kind::kObject, .fields = kRenameAliasFields};
constexpr Field kOfCreate[] = {{"create_alias", &kCreateAlias, true}};
constexpr Field kOfDelete[] = {{"delete_alias", &kDeleteAlias, true}};
constexpr Field kOfRename[] = {{"rename_alias", &kRenameAlias, true}};
constexpr Shape kCreation = {.kind = Kind::kObject, .fields = kOfCreate, .closed = true};
constexpr Shape kDeletion = {.kind = Kind::kObject, .fields = kOfDelete, .closed = true};
constexpr Shape kRenaming = {.kind = Kind::kObject, .fields = kOfRename, .closed = true};
constexpr const Shape* kAliasActions[] = {&kCreation, &kDeletion, &kRenaming};
constexpr Shape kAliasAction = {
    .kind = Kind::kOneOf, .name = "AliasAction", .options = kAliasActions};
constexpr Shape kActions = {
    .kind = Kind::kArray, .doc = "All are done, or none.", .element = &kAliasAction};
constexpr Field kAliasFields[] = {{"actions", &kActions, true}};

}  // namespace

constinit const Shape kVectorParams = {
    .kind = Kind::kObject, .name = "VectorParams", .fields = kVectorParamFields};
constinit const Shape kCreateCollectionBody = {
    .kind = Kind::kObject,
    .name = "CreateCollection",
    .fields = kCreateFields,
    .example = R"({"vectors": {"size": 128, "distance": "Cosine"}})"};
constinit const Shape kUpdateCollectionBody = {
    .kind = Kind::kObject, .name = "UpdateCollection", .fields = kUpdateFields};
constinit const Shape kCreateVectorBody = {
    .kind = Kind::kOneOf, .name = "CreateVector", .options = kNewVectors};
constinit const Shape kChangeAliasesBody = {
    .kind = Kind::kObject, .name = "ChangeAliases", .fields = kAliasFields};

}  // namespace akidb::rest
