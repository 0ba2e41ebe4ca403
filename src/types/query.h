// Requests as every transport decodes them. Each default of the dialect lives here, once.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/status.h"
#include "types/filter.h"
#include "types/payload_change.h"
#include "types/point.h"

namespace akidb {

// A text in the place of a vector; the server embeds it.
struct TextInput {
  std::string text;
  std::string model;  // empty: the default model
};

using VectorInput = std::variant<DenseVector, TextInput>;

struct PointInput {
  PointId id;
  std::vector<std::pair<std::string, VectorInput>> vectors;  // "" is the default vector
  Payload payload;
};

// Which points an upsert writes.
enum class UpsertMode : uint8_t {
  kAll,
  kInsertOnly,  // those that aren't there
  kUpdateOnly,  // those that are
};

struct UpsertRequest {
  std::vector<PointInput> points;
  UpsertMode mode = UpsertMode::kAll;
  std::shared_ptr<const Filter>
      filter{};  // of those that are there, only what it admits; null: all
};

// Vectors that replace, or join, those that points have.
struct VectorsUpdate {
  std::vector<PointInput> points;        // without payloads
  std::shared_ptr<const Filter> filter;  // of these, only those that it admits; null: all
};

// Exactly one of the two is given.
struct PointSelector {
  std::vector<PointId> ids;
  std::shared_ptr<const Filter> filter;
};

struct PayloadEdit {
  PointSelector points;
  PayloadChange change;
};

struct VectorsRemoval {
  std::vector<PointSelector> points;  // one after the other
  std::vector<std::string> names;
};

struct PointsDeletion {
  PointSelector points;
};

// One write of several that are asked for at once.
using UpdateOperation =
    std::variant<UpsertRequest, PointsDeletion, PayloadEdit, VectorsUpdate, VectorsRemoval>;

struct RetrieveRequest {
  std::vector<PointId> ids;
  PayloadSelector with_payload = PayloadSelector::All();
  VectorSelector with_vectors;
};

// A number in a payload; a date and time in microseconds since 1970-01-01T00:00:00Z.
using OrderValue = std::variant<int64_t, double>;

struct OrderBy {
  std::string key;
  bool descending = false;
  std::optional<OrderValue> start_from;  // values before it are left out
};

struct ScrollRequest {
  std::optional<PointId> offset;    // the first id to return; not with order_by
  std::optional<OrderBy> order_by;  // nullopt: by ascending id
  size_t limit = 10;
  std::shared_ptr<const Filter> filter;  // null: all points
  PayloadSelector with_payload = PayloadSelector::All();
  VectorSelector with_vectors;
};

struct CountRequest {
  std::shared_ptr<const Filter> filter;
  bool exact = true;
};

// Another collection in which the ids of a query's points are looked up.
struct LookupFrom {
  std::string collection;
  std::optional<std::string> vector;  // nullopt: the name that is searched
};

// What stands for a vector in a query.
using QueryInput = std::variant<DenseVector, PointId, TextInput>;

enum class RecommendStrategy : uint8_t { kAverageVector, kBestScore, kSumScores };

struct RecommendQuery {
  std::vector<QueryInput> positive;
  std::vector<QueryInput> negative;
  RecommendStrategy strategy = RecommendStrategy::kAverageVector;
};

struct ContextPair {
  QueryInput positive;
  QueryInput negative;
};
struct DiscoverQuery {
  QueryInput target;
  std::vector<ContextPair> context;
};
struct ContextQuery {
  std::vector<ContextPair> context;
};

// How much two points that were both found may resemble each other: maximal marginal relevance.
struct DiverseQuery {
  QueryInput nearest;
  float diversity = 0.5f;                  // 0: as without it; 1: nothing else counts
  std::optional<size_t> candidates_limit;  // nullopt: the limit
};

struct FeedbackItem {
  QueryInput example;
  float score = 0;
};
// Nearness to the target, corrected by what was said of earlier answers.
struct FeedbackQuery {
  QueryInput target;
  std::vector<FeedbackItem> feedback;
  float a = 0, b = 0, c = 0;  // weight of the target, exponent and weight of the differences
};

// Of prefetches, by their ranks or their scores.
struct FusionQuery {
  enum class Method : uint8_t { kReciprocalRank, kDistribution };
  Method method = Method::kReciprocalRank;
  size_t k = 2;                // for ranks
  std::vector<float> weights;  // for ranks, one a prefetch; empty: all 1
};

struct SampleQuery {};

// How well the texts in a payload field, which `using_vector` of the stage names, answer this one:
// BM25 (docs/api/queries.md). The field has an index over texts that ranks.
struct TextQuery {
  std::string text;
  float k1 = 1.2f;  // how soon repetitions of a word count for little
  float b = 0.75f;  // from 0, the length of a text is no matter, to 1
};

struct Formula;
// Of prefetches: their points, scored by a formula. Shared, for requests are copied.
struct FormulaQuery {
  std::shared_ptr<const Formula> formula;
};

// monostate: points by order of id.
using QueryForm = std::variant<std::monostate, DenseVector, PointId, TextInput, RecommendQuery,
                               DiscoverQuery, ContextQuery, DiverseQuery, FeedbackQuery, OrderBy,
                               FusionQuery, SampleQuery, FormulaQuery, TextQuery>;

inline constexpr size_t kPrefetchDepthMax = 64;
// Queries and prefetches of one request, a batch's together: each takes memory before it finds
// anything.
inline constexpr size_t kQueryStagesMax = 16'384;
inline Status TooManyStagesError() {
  return InvalidArgumentError("A request may have at most " + std::to_string(kQueryStagesMax) +
                              " queries and prefetches");
}

// What is asked of the collection, or of those points that the prefetches found.
struct QueryStage {
  QueryForm query;
  std::string using_vector;              // "" is the default vector; of a TextQuery a payload field
  std::shared_ptr<const Filter> filter;  // holds for the prefetches, too
  size_t limit = 10;                     // never allocated by
  std::optional<float> score_threshold;  // in the wire's terms
  bool exact = false;                    // compare with every vector
  size_t ef = 0;                         // candidates in a graph; 0: the default
  double recall = 0;                     // share of the nearest to be found; 0: the default
  double oversampling = 0;               // was asked for; 0: not
  bool idf_scope = false;                // the next one was given, be it as all
  // The points among which a sparse vector's indices are rare or not; null: all.
  std::shared_ptr<const Filter> idf_corpus;
  std::optional<LookupFrom> lookup_from;
  std::vector<QueryStage> prefetch;
};

struct QueryRequest : QueryStage {
  size_t offset = 0;
  bool explain = false;  // tell how the search was carried out
  PayloadSelector with_payload;
  VectorSelector with_vectors;
};

// A record of another collection that goes with each group: the one whose id is the group's.
struct GroupLookup {
  std::string collection;
  PayloadSelector with_payload = PayloadSelector::All();
  VectorSelector with_vectors;
};

struct QueryGroupsRequest {
  QueryRequest query;  // `limit` is of groups; `offset` is 0
  std::string group_by;
  size_t group_size = 3;
  std::optional<GroupLookup> with_lookup;
};

struct FacetRequest {
  std::string key;
  std::shared_ptr<const Filter> filter;  // null: all points
  size_t limit = 10;
};

// Neighbours of points that are chosen at random, among these.
struct MatrixRequest {
  std::shared_ptr<const Filter> filter;  // null: all points
  std::string using_vector;
  size_t sample = 10;
  size_t limit = 3;  // neighbours of each
};

}  // namespace akidb
