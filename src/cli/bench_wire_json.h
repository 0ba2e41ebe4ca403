// The dialect's JSON as `akidb bench` writes and reads it over HTTP. Functions are thread-safe.
//
// Readers return kInternal when an answer is not what the API promises.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "cli/bench_target.h"

namespace akidb::cli {

std::string WriteBenchCollection(const std::string& vector, uint32_t dim, Metric metric);
std::string WriteShareIndex();
std::string WriteBenchPoints(const std::string& vector, std::span<const SharedPoint> points);
std::string WriteIdPage(const std::optional<PointId>& from, size_t limit);
std::string WriteVectorsOf(const std::string& vector, std::span<const PointId> ids);
// `filter`: JSON, or empty.
std::string WriteFilteredCount(const std::string& filter);
struct BenchQueryParts {
  const std::string& vector;
  const std::string& filter;
};
std::string WriteBenchQuery(const BenchQueryParts& parts, const TargetQuery& query);

// kInvalidArgument: not one JSON object.
Status CheckJsonObject(std::string_view text);

struct CollectionFacts {
  TargetFacts facts;
  bool green = false;  // nothing is left to be merged
};
// kNotFound: no vector of that name.
Result<CollectionFacts> ReadCollectionFacts(std::string_view body, const std::string& vector);
Result<IdPage> ReadIdPage(std::string_view body);
Result<std::vector<std::pair<PointId, DenseVector>>> ReadVectorsOf(std::string_view body,
                                                                   const std::string& vector);
Result<uint64_t> ReadCount(std::string_view body);
// Of an explained query; zeros where the server doesn't explain.
Result<SearchCost> ReadSearchCost(std::string_view body);
Result<std::vector<Neighbour>> ReadNeighbours(std::string_view body, Metric metric);

}  // namespace akidb::cli
