#include "api/rest/schema/point_shapes.h"

#include "api/rest/schema/basic_shapes.h"
#include "api/rest/schema/filter_shapes.h"
#include "api/rest/schema/query_shapes.h"
#include "api/rest/schema/vector_shapes.h"

namespace akidb::rest {
namespace {

using Kind = Shape::Kind;

constexpr Field kPointFields[] = {
    {"id", &kPointId, true}, {"vector", &kVectors, true}, {"payload", &kPayload}};
constexpr Shape kPoint = {.kind = Kind::kObject, .name = "Point", .fields = kPointFields};
constexpr Shape kPoints = {.kind = Kind::kArray, .element = &kPoint};
constexpr Shape kPayloads = {
    .kind = Kind::kArray, .element = &kPayload, .example = R"([{"city": "Rome"}])"};
constexpr Shape kBatchIds = {.kind = Kind::kArray, .element = &kPointId, .example = "[1]"};
constexpr Field kBatchFields[] = {
    {"ids", &kBatchIds, true}, {"vectors", &kVectorColumns, true}, {"payloads", &kPayloads}};
constexpr Shape kBatch = {.kind = Kind::kObject,
                          .name = "PointColumns",
                          .doc = "Columns of one length.",
                          .fields = kBatchFields};
constexpr Shape kUpdateMode = {.kind = Kind::kChoice, .choices = "upsert|insert_only|update_only"};
constexpr std::array<Field, 3> kUpsertOptions = {{
    {"update_mode", &kUpdateMode, false, "Only points that aren't there, or only those that are."},
    {"update_filter", &kFilter, false, "Of points that are there only those that it admits."},
    {"shard_key", &kShardKey},
}};
constexpr std::array<Field, 1> kListOfPoints = {{{"points", &kPoints, true}}};
constexpr std::array<Field, 1> kColumnsOfPoints = {{{"batch", &kBatch, true}}};
constexpr auto kListFields = JoinFields(kListOfPoints, kUpsertOptions);
constexpr auto kColumnFields = JoinFields(kColumnsOfPoints, kUpsertOptions);
constexpr Shape kUpsertList = {.kind = Kind::kObject, .fields = kListFields};
constexpr Shape kUpsertColumns = {.kind = Kind::kObject, .fields = kColumnFields};
constexpr const Shape* kUpserts[] = {&kUpsertList, &kUpsertColumns};

constexpr Field kByIdsFields[] = {{"points", &kPointIds, true}, {"shard_key", &kShardKey}};
constexpr Field kByFilterFields[] = {{"filter", &kFilter, true}, {"shard_key", &kShardKey}};
constexpr Shape kByIds = {.kind = Kind::kObject, .fields = kByIdsFields};
constexpr Shape kByFilter = {
    .kind = Kind::kObject,
    .fields = kByFilterFields,
    .example = R"({"filter": {"must": [{"key": "city", "match": {"value": "Nowhere"}}]}})"};
constexpr const Shape* kSelectors[] = {&kByIds, &kByFilter};

// Ids or a filter; ids win.
constexpr std::array<Field, 3> kWhich = {{
    {"points", &kPointIds},
    {"filter", &kFilter, false, "Needed without `points`."},
    {"shard_key", &kShardKey},
}};
constexpr std::array<Field, 2> kOfSetting = {{
    {"payload", &kPayload, true},
    {"key", &kPayloadPath, false, "Where in the payload; passed over where it is overwritten."},
}};
constexpr auto kSettingFields = JoinFields(kOfSetting, kWhich);
constexpr std::array<Field, 1> kOfRemoving = {{{"keys", &kPayloadPaths, true}}};
constexpr auto kRemovingFields = JoinFields(kOfRemoving, kWhich);

constexpr Field kPointVectorsFields[] = {{"id", &kPointId, true}, {"vector", &kVectors, true}};
constexpr Shape kPointVectors = {
    .kind = Kind::kObject, .name = "PointVectors", .fields = kPointVectorsFields};
constexpr Shape kPointVectorsList = {
    .kind = Kind::kArray, .element = &kPointVectors, .items_min = 1};
constexpr Field kUpdateVectorsFields[] = {
    {"points", &kPointVectorsList, true}, {"update_filter", &kFilter}, {"shard_key", &kShardKey}};
constexpr Shape kVectorNames = {.kind = Kind::kArray, .element = &kVectorName, .items_min = 1};
constexpr std::array<Field, 1> kOfVectors = {{{"vector", &kVectorNames, true}}};
constexpr auto kDeleteVectorsFields = JoinFields(kOfVectors, kWhich);

constexpr Field kOfUpsert[] = {{"upsert", &kUpsertBody, true}};
constexpr Field kOfDelete[] = {{"delete", &kSelectorBody, true}};
constexpr Field kOfSetPayload[] = {{"set_payload", &kSetPayloadBody, true}};
constexpr Field kOfOverwrite[] = {{"overwrite_payload", &kSetPayloadBody, true}};
constexpr Field kOfDeletePayload[] = {{"delete_payload", &kDeletePayloadBody, true}};
constexpr Field kOfClearPayload[] = {{"clear_payload", &kSelectorBody, true}};
constexpr Field kOfUpdateVectors[] = {{"update_vectors", &kUpdateVectorsBody, true}};
constexpr Field kOfDeleteVectors[] = {{"delete_vectors", &kDeleteVectorsBody, true}};
constexpr Shape kUpsertOp = {.kind = Kind::kObject, .fields = kOfUpsert, .closed = true};
constexpr Shape kDeleteOp = {.kind = Kind::kObject, .fields = kOfDelete, .closed = true};
constexpr Shape kSetPayloadOp = {.kind = Kind::kObject, .fields = kOfSetPayload, .closed = true};
constexpr Shape kOverwriteOp = {.kind = Kind::kObject, .fields = kOfOverwrite, .closed = true};
constexpr Shape kDeletePayloadOp = {
    .kind = Kind::kObject, .fields = kOfDeletePayload, .closed = true};
constexpr Shape kClearPayloadOp = {
    .kind = Kind::kObject, .fields = kOfClearPayload, .closed = true};
constexpr Shape kUpdateVectorsOp = {
    .kind = Kind::kObject, .fields = kOfUpdateVectors, .closed = true};
constexpr Shape kDeleteVectorsOp = {
    .kind = Kind::kObject, .fields = kOfDeleteVectors, .closed = true};
constexpr const Shape* kOperationOptions[] = {
    &kUpsertOp,        &kDeleteOp,       &kSetPayloadOp,    &kOverwriteOp,
    &kDeletePayloadOp, &kClearPayloadOp, &kUpdateVectorsOp, &kDeleteVectorsOp};
constexpr Shape kUpdateOperation = {
    .kind = Kind::kOneOf, .name = "UpdateOperation", .options = kOperationOptions};
constexpr Shape kUpdateOperations = {.kind = Kind::kArray, .element = &kUpdateOperation};
constexpr Field kBatchUpdateFields[] = {{"operations", &kUpdateOperations, true, "In order."}};

constexpr Field kRetrieveFields[] = {{"ids", &kPointIds, true},
                                     {"with_payload", &kPayloadSelector, false, "All."},
                                     {"with_vector", &kVectorSelector, false, "None."},
                                     {"shard_key", &kShardKey}};
constexpr Field kScrollFields[] = {
    {"filter", &kFilter},
    {"limit", &kFromOne, false, "10."},
    {"offset", &kPointId, false, "The first point: `next_page_offset` of the page before."},
    {"order_by", &kOrderBy, false, "By a field, and without offsets."},
    {"with_payload", &kPayloadSelector, false, "All."},
    {"with_vector", &kVectorSelector, false, "None."},
    {"shard_key", &kShardKey},
};
constexpr Field kCountFields[] = {
    {"filter", &kFilter}, {"exact", &kFlag, false, "It always is."}, {"shard_key", &kShardKey}};
constexpr Field kFacetFields[] = {{"key", &kPayloadPath, true, "Needs an index."},
                                  {"limit", &kFromOne, false, "10."},
                                  {"filter", &kFilter},
                                  {"exact", &kFlag, false, "It always is."},
                                  {"shard_key", &kShardKey}};
constexpr Shape kSampleSize = {.kind = Kind::kUint, .min = 2};
constexpr Field kMatrixFields[] = {{"filter", &kFilter},
                                   {"sample", &kSampleSize, false, "Points that are compared: 10."},
                                   {"limit", &kFromOne, false, "Neighbours of each: 3."},
                                   {"using", &kVectorName},
                                   {"shard_key", &kShardKey}};

}  // namespace

constinit const Shape kUpsertBody = {.kind = Kind::kOneOf,
                                     .name = "Upsert",
                                     .doc = "Points as a list, or as columns.",
                                     .options = kUpserts};
constinit const Shape kSelectorBody = {
    .kind = Kind::kOneOf, .name = "PointSelector", .options = kSelectors};
constinit const Shape kSetPayloadBody = {
    .kind = Kind::kObject,
    .name = "SetPayload",
    .fields = kSettingFields,
    .example = R"({"payload": {"city": "Rome"}, "points": [1]})"};
constinit const Shape kDeletePayloadBody = {.kind = Kind::kObject,
                                            .name = "DeletePayload",
                                            .fields = kRemovingFields,
                                            .example = R"({"keys": ["no"], "points": [1]})"};
constinit const Shape kUpdateVectorsBody = {
    .kind = Kind::kObject, .name = "UpdateVectors", .fields = kUpdateVectorsFields};
constinit const Shape kDeleteVectorsBody = {.kind = Kind::kObject,
                                            .name = "DeleteVectors",
                                            .fields = kDeleteVectorsFields,
                                            .example = R"({"vector": ["words"], "points": [1]})"};
constinit const Shape kUpdateBatchBody = {
    .kind = Kind::kObject, .name = "UpdateBatch", .fields = kBatchUpdateFields};
constinit const Shape kRetrieveBody = {
    .kind = Kind::kObject, .name = "Retrieve", .fields = kRetrieveFields};
constinit const Shape kScrollBody = {
    .kind = Kind::kObject, .name = "Scroll", .fields = kScrollFields};
constinit const Shape kCountBody = {.kind = Kind::kObject, .name = "Count", .fields = kCountFields};
constinit const Shape kFacetBody = {.kind = Kind::kObject, .name = "Facet", .fields = kFacetFields};
constinit const Shape kMatrixBody = {
    .kind = Kind::kObject, .name = "Matrix", .fields = kMatrixFields};

}  // namespace akidb::rest
