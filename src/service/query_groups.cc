#include <algorithm>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/elapsed.h"
#include "service/point_groups.h"
#include "service/query_checks.h"
#include "service/query_filters.h"
#include "service/query_inputs.h"
#include "service/query_run.h"
#include "service/service.h"
#include "service/text_queries.h"
#include "types/uuid.h"

namespace akidb::service {
namespace {

size_t SaturatingProduct(size_t a, size_t b) {
  return b != 0 && a > SIZE_MAX / b ? SIZE_MAX : a * b;
}

// As the dialect does: of prefetches that were to find so many points there are to be enough for
// groups.
void RaiseLimits(std::vector<QueryStage>& prefetches, size_t group_size) {
  for (QueryStage& prefetch : prefetches) {
    prefetch.limit = SaturatingProduct(prefetch.limit, group_size);
    RaiseLimits(prefetch.prefetch, group_size);
  }
}

// Enough of the payload to tell the groups: selectors know members and [], nothing else.
PayloadSelector GroupPart(const PayloadPath& path) {
  for (const PayloadPath::Step& step : path.steps()) {
    const auto* member = std::get_if<std::string>(&step);
    const bool plain = member == nullptr ? std::holds_alternative<PayloadPath::AnyElement>(step)
                                         : member->find_first_of(".[]\"") == std::string::npos;
    if (!plain) return PayloadSelector::All();
  }
  return {PayloadSelector::Mode::kInclude, {path.text()}};
}

std::optional<Condition> IsInGroup(const PayloadPath& path, const GroupKey& key) {
  if (const auto* text = std::get_if<std::string>(&key)) {
    return FieldCondition{path, MatchValue{*text}};
  }
  if (const auto* number = std::get_if<int64_t>(&key)) {
    return FieldCondition{path, MatchValue{*number}};
  }
  return std::nullopt;  // no filter compares with integers beyond these
}

std::optional<PointId> PointOf(const GroupKey& key) {
  if (const auto* text = std::get_if<std::string>(&key)) {
    const std::optional<Uuid> uuid = Uuid::Parse(*text);
    return uuid ? std::optional(PointId(*uuid)) : std::nullopt;
  }
  if (const auto* number = std::get_if<int64_t>(&key)) {
    return *number < 0 ? std::nullopt : std::optional(PointId(static_cast<uint64_t>(*number)));
  }
  return PointId(std::get<uint64_t>(key));
}

// Finds the groups of one query.
class GroupSearch {
 public:
  struct Parts {
    QueryRun& run;
    QueryRequest query;  // holds vectors only; `limit` is of groups
    const PayloadPath& path;
    size_t group_size;
    SearchPlan* plan;
  };
  explicit GroupSearch(Parts parts) : parts_(std::move(parts)), groups_max_(parts_.query.limit) {
    QueryRequest& query = parts_.query;
    query.with_payload = GroupPart(parts_.path);
    query.with_vectors = {};
    auto has_key = std::make_shared<Filter>();
    has_key->must_not.emplace_back(IsEmptyCondition{parts_.path});
    query.filter = MergedFilter(query.filter, has_key);
    RaiseLimits(query.prefetch, parts_.group_size);
  }

  Result<std::vector<PointGroup>> Find(const RequestContext& context) {
    QueryRequest& query = parts_.query;
    // Prefetches bound what there is, and a sample is another one each time: all of it, then.
    const bool at_once = !query.prefetch.empty() || !ComparesVectors(query.query);
    query.limit = at_once ? SIZE_MAX : SaturatingProduct(groups_max_, parts_.group_size);
    for (;;) {
      AKIDB_ASSIGN_OR_RETURN(std::vector<ScoredPoint> points, Points(context, query));
      PointGroups groups(parts_.path, groups_max_, parts_.group_size);
      for (const ScoredPoint& point : points) groups.Add(point);
      const bool are_all = points.size() < query.limit;
      if (are_all || groups.is_full()) return std::move(groups.groups());
      if (groups.has_all_groups()) return Filled(context, groups);
      query.limit = SaturatingProduct(query.limit, 4);
    }
  }

 private:
  Result<std::vector<ScoredPoint>> Points(const RequestContext& context,
                                          const QueryRequest& query) {
    AKIDB_ASSIGN_OR_RETURN(RankedLists lists,
                           parts_.run.Run(context, {&query, 1}, {&parts_.plan, 1}));
    return std::move(lists.front());
  }

  // Groups that lack points are searched one by one.
  Result<std::vector<PointGroup>> Filled(const RequestContext& context, PointGroups& groups) {
    for (PointGroup& group : groups.groups()) {
      std::optional<Condition> condition = IsInGroup(parts_.path, group.id);
      if (groups.IsFull(group) || !condition) continue;
      QueryRequest query = parts_.query;
      query.filter = WithCondition(query.filter, std::move(*condition));
      query.limit = parts_.group_size;
      query.with_payload = PayloadSelector::None();
      AKIDB_ASSIGN_OR_RETURN(std::vector<ScoredPoint> points, Points(context, query));
      // A graph under another filter may find less.
      if (points.size() >= group.hits.size()) group.hits = std::move(points);
    }
    return std::move(groups.groups());
  }

  Parts parts_;
  const size_t groups_max_;
};

// What was asked for of every hit.
Status FetchHits(const RequestContext& context, const engine::CollectionReader& reader,
                 const QueryRequest& asked, std::vector<PointGroup>& groups) {
  RetrieveRequest request;
  request.with_payload = asked.with_payload;
  request.with_vectors = asked.with_vectors;
  for (const PointGroup& group : groups) {
    for (const ScoredPoint& hit : group.hits) request.ids.push_back(hit.id);
  }
  AKIDB_ASSIGN_OR_RETURN(std::vector<PointRecord> records, reader.Retrieve(context, request));
  // One state of the collection: all are there.
  size_t next = 0;
  for (PointGroup& group : groups) {
    for (ScoredPoint& hit : group.hits) {
      hit.payload = std::move(records[next].payload);
      hit.vectors = std::move(records[next].vectors);
      ++next;
    }
  }
  return OkStatus();
}

Status LookUp(const RequestContext& context, const engine::Collection& collection,
              const GroupLookup& lookup, std::vector<PointGroup>& groups) {
  RetrieveRequest request;
  request.with_payload = lookup.with_payload;
  request.with_vectors = lookup.with_vectors;
  for (const PointGroup& group : groups) {
    if (std::optional<PointId> id = PointOf(group.id)) request.ids.push_back(*id);
  }
  AKIDB_ASSIGN_OR_RETURN(std::vector<PointRecord> records, collection.Retrieve(context, request));
  std::unordered_map<PointId, const PointRecord*> by_id;
  for (const PointRecord& record : records) by_id[record.id] = &record;
  for (PointGroup& group : groups) {
    const std::optional<PointId> id = PointOf(group.id);
    const auto found = id ? by_id.find(*id) : by_id.end();
    if (found != by_id.end()) group.lookup = *found->second;
  }
  return OkStatus();
}

}  // namespace

Result<QueryGroupsReply> Service::QueryGroups(const RequestContext& context,
                                              std::string_view collection,
                                              const QueryGroupsRequest& request) {
  AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<engine::Collection> target,
                         database_.FindCollection(collection));
  AKIDB_RETURN_IF_ERROR(AdmitRead(target, ReadCost(request.query), [&](const StrictChecks& checks) {
    return checks.Groups(request);
  }));
  std::shared_ptr<engine::Collection> lookup;
  if (request.with_lookup) {
    AKIDB_ASSIGN_OR_RETURN(lookup, database_.FindCollection(request.with_lookup->collection));
  }
  AKIDB_ASSIGN_OR_RETURN(const PayloadPath path, PayloadPath::Parse(request.group_by));
  const std::unique_ptr<const engine::CollectionReader> reader = target->Pin();
  SteadyClock::time_point start = SteadyClock::now();
  QueryGroupsReply reply;
  QueryRequest query = request.query;
  ResolveTextQueries(*target, query);
  QueryInputs inputs(*this, {collection, target->uuid(), target->config(), *reader});
  AKIDB_RETURN_IF_ERROR(CheckQuery(query));
  AKIDB_RETURN_IF_ERROR(inputs.Add(context, query));
  AKIDB_RETURN_IF_ERROR(inputs.Embed(context));
  reply.usage = inputs.texts().Usage();
  reply.truncated_texts = inputs.texts().truncated_texts();
  if (!inputs.texts().empty()) reply.embed_ms = MillisecondsSince(start);

  start = SteadyClock::now();
  QueryRun run(target->config(), *reader);
  GroupSearch search({run, std::move(query), path, request.group_size, &reply.plan});
  AKIDB_ASSIGN_OR_RETURN(reply.groups, search.Find(context));
  AKIDB_RETURN_IF_ERROR(FetchHits(context, *reader, request.query, reply.groups));
  if (lookup) {
    AKIDB_RETURN_IF_ERROR(LookUp(context, *lookup, *request.with_lookup, reply.groups));
  }
  reply.search_ms = MillisecondsSince(start);
  return reply;
}

}  // namespace akidb::service
