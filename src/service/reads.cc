// Reads of points that are no search, or a search of points by one another.
#include <algorithm>
#include <chrono>
#include <memory>
#include <unordered_set>
#include <utility>
#include <vector>

#include "service/query_filters.h"
#include "service/score.h"
#include "service/service.h"
#include "service/text_vectors.h"

namespace akidb::service {
namespace {

constexpr uint64_t kMatrixSampleMax = uint64_t{1} << 14;  // their vectors are in memory
constexpr uint64_t kMatrixPairsMax = uint64_t{1} << 20;   // some 200 bytes each

Status CheckMatrix(const MatrixRequest& request, uint64_t points) {
  const uint64_t sample = std::min<uint64_t>(request.sample, points);
  const uint64_t pairs = sample * std::min<uint64_t>(request.limit, sample);
  if (sample <= kMatrixSampleMax && pairs <= kMatrixPairsMax) return OkStatus();
  return InvalidArgumentError("`sample` and `limit` come to " + std::to_string(pairs) +
                              " pairs of " + std::to_string(sample) + " points; at most " +
                              std::to_string(kMatrixPairsMax) + " pairs of " +
                              std::to_string(kMatrixSampleMax) + " points are possible");
}

}  // namespace

Status Service::AdmitRead(const std::shared_ptr<engine::Collection>& collection, uint64_t cost,
                          const StrictCheck& check) {
  AKIDB_ASSIGN_OR_RETURN(const std::shared_ptr<StrictLimits> limits, strict_.Of(collection));
  if (limits == nullptr) return OkStatus();
  AKIDB_RETURN_IF_ERROR(check(StrictChecks(limits->mode, *collection, memory_meter_)));
  return limits->reads ? limits->reads->Take(cost, std::chrono::steady_clock::now()) : OkStatus();
}

Status Service::CheckTimeout(std::string_view collection, uint64_t seconds) {
  const auto target = database_.FindCollection(collection);
  if (!target.ok()) return OkStatus();
  AKIDB_ASSIGN_OR_RETURN(const std::shared_ptr<StrictLimits> limits, strict_.Of(*target));
  return limits == nullptr ? OkStatus()
                           : StrictChecks(limits->mode, **target, memory_meter_).Timeout(seconds);
}

Result<std::vector<PointRecord>> Service::Retrieve(const RequestContext& context,
                                                   std::string_view collection,
                                                   const RetrieveRequest& request) {
  AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<engine::Collection> target,
                         database_.FindCollection(collection));
  AKIDB_RETURN_IF_ERROR(AdmitRead(target, std::max<uint64_t>(1, request.ids.size()),
                                  [](const StrictChecks&) { return OkStatus(); }));
  // Each once: an answer is no larger than the collection.
  RetrieveRequest once = request;
  std::unordered_set<PointId> seen;
  std::erase_if(once.ids, [&](const PointId& id) { return !seen.insert(id).second; });
  return target->Retrieve(context, once);
}

Result<engine::ScrollPage> Service::Scroll(const RequestContext& context,
                                           std::string_view collection,
                                           const ScrollRequest& request) {
  AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<engine::Collection> target,
                         database_.FindCollection(collection));
  AKIDB_RETURN_IF_ERROR(
      AdmitRead(target, ReadCost(request.filter.get()), [&](const StrictChecks& checks) {
        return checks.Read(request.filter.get(), request.limit);
      }));
  if (request.order_by && request.offset) {
    return InvalidArgumentError(
        "Cannot use an `offset` when using `order_by`. The alternative for paging is to use "
        "`order_by.start_from` and a filter to exclude the IDs that you've already seen for the "
        "`order_by.start_from` value");
  }
  return target->Scroll(context, request);
}

Status Service::CheckRequiredPoint(const RequestContext& context, const Caller& caller) {
  const std::shared_ptr<const RequiredPoint> point = caller.required_point();
  if (point == nullptr) return OkStatus();
  constexpr const char* kFailed = "Invalid JWT, stateful validation failed";
  ScrollRequest request;
  request.filter = point->filter;
  request.limit = 1;
  request.with_payload = PayloadSelector::None();
  // Not by Scroll: what a token requires is no request, to which limits apply.
  const auto target = database_.FindCollection(point->collection);
  Result<engine::ScrollPage> page =
      target.ok() ? (*target)->Scroll(context, request) : target.status();
  if (page.status().code() == ErrorCode::kNotFound) {
    return Status(ErrorCode::kPermissionDenied, kFailed);
  }
  AKIDB_RETURN_IF_ERROR(page.status());
  return page->points.empty() ? Status(ErrorCode::kUnauthenticated, kFailed) : OkStatus();
}

Result<uint64_t> Service::Count(const RequestContext& context, std::string_view collection,
                                const CountRequest& request) {
  AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<engine::Collection> target,
                         database_.FindCollection(collection));
  AKIDB_RETURN_IF_ERROR(
      AdmitRead(target, ReadCost(request.filter.get()),
                [&](const StrictChecks& checks) { return checks.Read(request.filter.get(), 0); }));
  return target->Count(context, request.filter.get());
}

Result<std::vector<FacetHit>> Service::Facet(const RequestContext& context,
                                             std::string_view collection,
                                             const FacetRequest& request) {
  AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<engine::Collection> target,
                         database_.FindCollection(collection));
  AKIDB_RETURN_IF_ERROR(
      AdmitRead(target, ReadCost(request.filter.get()), [&](const StrictChecks& checks) {
        return checks.Read(request.filter.get(), request.limit);
      }));
  return target->Facet(context, request);
}

Result<NeighbourMatrix> Service::Matrix(const RequestContext& context, std::string_view collection,
                                        const MatrixRequest& request) {
  AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<engine::Collection> target,
                         database_.FindCollection(collection));
  AKIDB_RETURN_IF_ERROR(
      AdmitRead(target, ReadCost(request.filter.get()), [&](const StrictChecks& checks) {
        return checks.Read(request.filter.get(), std::max(request.limit, request.sample));
      }));
  AKIDB_ASSIGN_OR_RETURN(const VectorConfig config,
                         FindVector(target->config(), request.using_vector));
  const std::unique_ptr<const engine::CollectionReader> reader = target->Pin();
  AKIDB_ASSIGN_OR_RETURN(const uint64_t points_there, reader->Count(context, nullptr));
  AKIDB_RETURN_IF_ERROR(CheckMatrix(request, points_there));
  engine::SampleRequest sample;
  sample.filter = WithCondition(request.filter, HasVectorCondition{request.using_vector});
  sample.limit = request.sample;
  sample.with_vectors = {VectorSelector::Mode::kNamed, {request.using_vector}};
  AKIDB_ASSIGN_OR_RETURN(std::vector<PointRecord> points, reader->Sample(context, sample));
  NeighbourMatrix matrix;
  if (points.size() < 2) return matrix;
  std::sort(points.begin(), points.end(),
            [](const PointRecord& a, const PointRecord& b) { return a.id < b.id; });
  for (const PointRecord& point : points) matrix.ids.push_back(point.id);
  const std::shared_ptr<const Filter> others = OnlyPoints(matrix.ids);
  std::vector<engine::SearchRequest> searches;
  for (const PointRecord& point : points) {
    auto filter = std::make_shared<Filter>();
    filter->must.emplace_back(others);
    filter->must_not.emplace_back(HasIdCondition({point.id}));
    const DenseVector& vector = point.vectors->front().second;
    engine::SearchRequest& search = searches.emplace_back();
    search.vector_name = request.using_vector;
    search.SearchBy(vector);
    search.filter = std::move(filter);
    search.limit = request.limit;
  }
  AKIDB_ASSIGN_OR_RETURN(std::vector<std::vector<Hit>> hits,
                         reader->SearchBatch(context, searches));
  for (std::vector<Hit>& of_one : hits) {
    matrix.neighbours.push_back(ScoredPoints(of_one, {config.metric, false}, std::nullopt));
  }
  return matrix;
}

}  // namespace akidb::service
