#include "api/rest/schema/query_shapes.h"

#include "api/rest/schema/basic_shapes.h"
#include "api/rest/schema/filter_shapes.h"
#include "api/rest/schema/query_kind_shapes.h"
#include "api/rest/schema/vector_shapes.h"

namespace akidb::rest {
namespace {

using Kind = Shape::Kind;

constexpr Shape kOversampling = {.kind = Kind::kNumber, .min = 1};
constexpr Field kQuantizationFields[] = {
    {"ignore", &kFlag}, {"rescore", &kFlag}, {"oversampling", &kOversampling}};
constexpr Shape kQuantizationParams = {
    .kind = Kind::kObject,
    .doc = "What is found by codes is always compared with the stored vectors.",
    .fields = kQuantizationFields};
constexpr Field kAcornFields[] = {{"enable", &kFlag}, {"max_selectivity", &kRealNumber}};
constexpr Shape kGlobal = {.kind = Kind::kChoice, .choices = "global"};
constexpr Field kCorpusFields[] = {{"corpus", &kFilter, true}};
constexpr Shape kCorpus = {.kind = Kind::kObject, .fields = kCorpusFields, .closed = true};
constexpr const Shape* kIdfOptions[] = {&kGlobal, &kCorpus};
constexpr Shape kIdf = {.kind = Kind::kOneOf,
                        .doc = "Among which points a component is rare or not.",
                        .options = kIdfOptions};
constexpr Shape kRecall = {
    .kind = Kind::kNumber, .doc = "Above 0, at most 1.", .max = 1, .example = "0.9"};
constexpr Field kOwnParamFields[] = {
    {"recall", &kRecall, false, "The share of the nearest that is to be found."},
    {"explain", &kFlag, false, "Adds `akidb.plans` to the answer."}};
constexpr Shape kOwnParams = {.kind = Kind::kObject, .fields = kOwnParamFields, .closed = true};
constexpr Field kParamFields[] = {
    {"hnsw_ef", &kCount, false, "Candidates of a walk through a graph."},
    {"exact", &kFlag, false, "Compares with every vector."},
    {"indexed_only", &kFlag},
    {"quantization", &kQuantizationParams},
    {"acorn", &kAcorn},
    {"idf", &kIdf},
    {"akidb", &kOwnParams},
};
constexpr Shape kSearchParams = {
    .kind = Kind::kObject, .name = "SearchParams", .fields = kParamFields};

constexpr Field kLookupFields[] = {
    {"collection", &kCollectionName, true}, {"vector", &kVectorName}, {"shard_key", &kShardKey}};
constexpr Shape kLookup = {.kind = Kind::kObject,
                           .name = "LookupLocation",
                           .doc = "Where the points lie whose ids are given as examples.",
                           .fields = kLookupFields};

constexpr Shape kLimit = {.kind = Kind::kUint, .min = 1, .example = "3"};
// Of a query and its prefetches.
constexpr std::array<Field, 8> kStage = {{
    {"query", &kQuery, false, "Without one, and without prefetch: points by order of id."},
    {"prefetch", &kPrefetches, false, "Queries whose union this one is about."},
    {"using", &kVectorName},
    {"filter", &kFilter},
    {"params", &kSearchParams},
    {"score_threshold", &kRealNumber, false, "Of distances the greatest that is returned."},
    {"limit", &kLimit, false, "10."},
    {"lookup_from", &kLookup},
}};
constexpr Shape kPrefetch = {.kind = Kind::kObject,
                             .name = "Prefetch",
                             .doc = "Nested at most 64 deep.",
                             .fields = kStage,
                             .example = R"({"query": [0.1, 0.2, 0.3, 0.4]})"};
constexpr Shape kPrefetchList = {.kind = Kind::kArray, .element = &kPrefetch};
constexpr const Shape* kPrefetchOptions[] = {&kPrefetch, &kPrefetchList};

constexpr std::array<Field, 3> kReturned = {{
    {"with_payload", &kPayloadSelector, false, "Nothing."},
    {"with_vector", &kVectorSelector, false, "None."},
    {"shard_key", &kShardKey},
}};
constexpr std::array<Field, 1> kOffset = {{{"offset", &kCount, false, "0."}}};
constexpr auto kQueryFields = JoinFields(kStage, kReturned, kOffset);

constexpr Field kGroupLookupFields[] = {{"collection", &kCollectionName, true},
                                        {"with_payload", &kPayloadSelector},
                                        {"with_vectors", &kVectorSelector}};
constexpr Shape kGroupLookup = {.kind = Kind::kObject, .fields = kGroupLookupFields};
constexpr const Shape* kWithLookupOptions[] = {&kCollectionName, &kGroupLookup};
constexpr Shape kWithLookup = {
    .kind = Kind::kOneOf,
    .doc = "A collection with points whose ids are the values of `group_by`.",
    .options = kWithLookupOptions};
constexpr std::array<Field, 3> kGroups = {{
    {"group_by", &kPayloadPath, true},
    {"group_size", &kFromOne, false, "Points of a group: 3."},
    {"with_lookup", &kWithLookup},
}};
constexpr auto kQueryGroupsFields = JoinFields(kStage, kReturned, kGroups);

// The older operations.
constexpr Field kNamedFields[] = {{"name", &kVectorName, true}, {"vector", &kDenseVector, true}};
constexpr Shape kNamedVector = {.kind = Kind::kObject, .fields = kNamedFields};
constexpr Shape kWordsName = {.kind = Kind::kString, .example = R"("words")"};
constexpr Field kNamedSparseFields[] = {{"name", &kWordsName, true},
                                        {"vector", &kSparseVector, true}};
constexpr Shape kNamedSparse = {.kind = Kind::kObject, .fields = kNamedSparseFields};
constexpr const Shape* kSearchedOptions[] = {&kDenseVector, &kNamedVector, &kNamedSparse};
constexpr Shape kSearched = {
    .kind = Kind::kOneOf, .name = "NamedVector", .options = kSearchedOptions};
constexpr std::array<Field, 4> kOlder = {{
    {"filter", &kFilter},
    {"params", &kSearchParams},
    {"score_threshold", &kRealNumber},
    {"limit", &kLimit, true},
}};
constexpr std::array<Field, 1> kSearch = {{{"vector", &kSearched, true}}};
constexpr std::array<Field, 5> kRecommend = {{{"positive", &kQueryInputs},
                                              {"negative", &kQueryInputs},
                                              {"strategy", &kStrategy},
                                              {"using", &kVectorName},
                                              {"lookup_from", &kLookup}}};
constexpr std::array<Field, 4> kDiscover = {{{"target", &kQueryInput},
                                             {"context", &kContext},
                                             {"using", &kVectorName},
                                             {"lookup_from", &kLookup}}};
constexpr auto kSearchFields = JoinFields(kSearch, kOlder, kReturned, kOffset);
constexpr auto kSearchGroupsFields = JoinFields(kSearch, kOlder, kReturned, kGroups);
constexpr auto kRecommendFields = JoinFields(kRecommend, kOlder, kReturned, kOffset);
constexpr auto kRecommendGroupsFields = JoinFields(kRecommend, kOlder, kReturned, kGroups);
constexpr auto kDiscoverFields = JoinFields(kDiscover, kOlder, kReturned, kOffset);

constexpr Shape kQueries = {.kind = Kind::kArray, .element = &kQueryBody};
constexpr Shape kSearches = {.kind = Kind::kArray, .element = &kSearchBody};
constexpr Shape kRecommendations = {.kind = Kind::kArray, .element = &kRecommendBody};
constexpr Shape kDiscoveries = {.kind = Kind::kArray, .element = &kDiscoverBody};
constexpr Field kQueryBatchFields[] = {{"searches", &kQueries, true}};
constexpr Field kSearchBatchFields[] = {{"searches", &kSearches, true}};
constexpr Field kRecommendBatchFields[] = {{"searches", &kRecommendations, true}};
constexpr Field kDiscoverBatchFields[] = {{"searches", &kDiscoveries, true}};

constexpr Shape kDirection = {.kind = Kind::kChoice, .choices = "asc|desc"};
constexpr const Shape* kStartOptions[] = {&kRealNumber, &kMoment};
constexpr Shape kStart = {
    .kind = Kind::kOneOf, .doc = "The first value that is returned.", .options = kStartOptions};
constexpr Field kOrderFields[] = {
    {"key", &kOrderedPath, true}, {"direction", &kDirection}, {"start_from", &kStart}};
constexpr Shape kOrderObject = {.kind = Kind::kObject, .fields = kOrderFields, .closed = true};
constexpr const Shape* kOrderOptions[] = {&kOrderedPath, &kOrderObject};

}  // namespace

constinit const Shape kAcorn = {.kind = Kind::kObject, .fields = kAcornFields};
constinit const Shape kPrefetches = {
    .kind = Kind::kOneOf, .name = "Prefetches", .options = kPrefetchOptions};
constinit const Shape kOrderBy = {
    .kind = Kind::kOneOf, .name = "OrderBy", .options = kOrderOptions};
constinit const Shape kQueryBody = {.kind = Kind::kObject,
                                    .name = "QueryRequest",
                                    .fields = kQueryFields,
                                    .example = R"({"query": [0.1, 0.2, 0.3, 0.4]})"};
constinit const Shape kQueryBatchBody = {
    .kind = Kind::kObject, .name = "QueryBatch", .fields = kQueryBatchFields};
constinit const Shape kQueryGroupsBody = {
    .kind = Kind::kObject,
    .name = "QueryGroups",
    .fields = kQueryGroupsFields,
    .example = R"({"query": [0.1, 0.2, 0.3, 0.4], "group_by": "city"})"};
constinit const Shape kSearchBody = {
    .kind = Kind::kObject, .name = "SearchRequest", .fields = kSearchFields};
constinit const Shape kSearchBatchBody = {
    .kind = Kind::kObject, .name = "SearchBatch", .fields = kSearchBatchFields};
constinit const Shape kSearchGroupsBody = {
    .kind = Kind::kObject, .name = "SearchGroups", .fields = kSearchGroupsFields};
constinit const Shape kRecommendBody = {.kind = Kind::kObject,
                                        .name = "RecommendRequest",
                                        .fields = kRecommendFields,
                                        .example = R"({"positive": [1], "limit": 3})"};
constinit const Shape kRecommendBatchBody = {
    .kind = Kind::kObject, .name = "RecommendBatch", .fields = kRecommendBatchFields};
constinit const Shape kRecommendGroupsBody = {
    .kind = Kind::kObject,
    .name = "RecommendGroups",
    .fields = kRecommendGroupsFields,
    .example = R"({"positive": [1], "limit": 3, "group_by": "city"})"};
constinit const Shape kDiscoverBody = {.kind = Kind::kObject,
                                       .name = "DiscoverRequest",
                                       .doc = "A target, a context or both.",
                                       .fields = kDiscoverFields,
                                       .example = R"({"target": 1, "limit": 3})"};
constinit const Shape kDiscoverBatchBody = {
    .kind = Kind::kObject, .name = "DiscoverBatch", .fields = kDiscoverBatchFields};

}  // namespace akidb::rest
