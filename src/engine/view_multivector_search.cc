// The nearest points of a view by their multivectors: every one that the filter admits is compared.
#include <algorithm>
#include <limits>

#include "base/elapsed.h"
#include "engine/check_interval.h"
#include "engine/source_filter.h"
#include "engine/view_reader.h"
#include "index/max_sim.h"

namespace akidb::engine {
namespace {

// One search in the making.
class MultivectorSearch {
 public:
  struct Parts {
    const RequestContext& context;
    size_t ordinal;
    size_t query_rows;
    size_t component_bytes;  // as stored
    index::MaxSim& max_sim;
    index::TopK& top;
  };
  explicit MultivectorSearch(const Parts& parts) : parts_(parts) {}

  Status Source(const RowSource& source, uint32_t number, SourceFilter& filter) {
    done_ = {};
    done_.sealed = source.sealed();
    done_.rows = source.rows();
    done_.way = filter.possible() != nullptr ? SearchWay::kListedVectors : SearchWay::kVectors;
    Status status;
    auto look = [&](uint32_t row) {
      if (!status.ok()) return;
      status = Look(source, number, row, filter);
    };
    if (const RowSet* possible = filter.possible()) {
      possible->ForEach(look);
    } else {
      for (uint32_t row = 0; row < source.rows() && status.ok(); ++row) look(row);
    }
    return status;
  }

  // Of the source searched last.
  const SourcePlan& done() const { return done_; }

 private:
  Status Look(const RowSource& source, uint32_t number, uint32_t row, SourceFilter& filter) {
    AKIDB_RETURN_IF_ERROR(CheckAfter(kRowProducts));
    if (!source.Visible(row) || !source.HasVector(row, parts_.ordinal)) return OkStatus();
    // A comparison costs more than most filters.
    const bool admits = filter.Admits(row);
    AKIDB_RETURN_IF_ERROR(filter.status());
    if (!admits) return OkStatus();
    AKIDB_ASSIGN_OR_RETURN(std::span<const float> rows,
                           source.vector(row, parts_.ordinal, buffer_));
    AKIDB_ASSIGN_OR_RETURN(const float distance, parts_.max_sim.DistanceOf(rows));
    ++done_.compared;
    done_.bytes += rows.size() * parts_.component_bytes;
    parts_.top.Offer({distance, number, source.NumberOf(row, parts_.ordinal), source.id(row)});
    return CheckAfter(rows.size() * parts_.query_rows);
  }

  Status CheckAfter(size_t products) {
    products_ += products;
    if (products_ < kCheckProducts) return OkStatus();
    products_ = 0;
    return parts_.context.Check();
  }

  // What looking at a row costs that is not compared.
  static constexpr size_t kRowProducts = 256;

  const Parts parts_;
  SourcePlan done_;
  std::vector<float> buffer_;
  size_t products_ = 0;  // since the last look at the request
};

}  // namespace

Result<std::vector<Hit>> ViewReader::SearchMultivectors(const PreparedSearch& search) const {
  const SearchRequest& request = search.request;
  const Filter* filter =
      request.filter && !request.filter->empty() ? request.filter.get() : nullptr;
  const VectorConfig& config = schema_.config(search.ordinal);
  index::TopK top(std::min<uint64_t>(view_.points, request.offset) +
                      std::min<uint64_t>(view_.points, request.limit),
                  request.distance_max.value_or(std::numeric_limits<float>::infinity()));
  index::MaxSim max_sim(context_, {config.metric, schema_.NormalizesRows(search.ordinal)},
                        {search.query, config.dim});
  MultivectorSearch making({context_, search.ordinal, search.query.size() / config.dim,
                            ComponentBytes(config.datatype), max_sim, top});
  for (uint32_t i = 0; i < view_.sources.size(); ++i) {
    const SteadyClock::time_point start = SteadyClock::now();
    SourceFilter source_filter(*view_.sources[i], schema_, filter, context_);
    source_filter.Plan();
    const double filter_ms = filter != nullptr ? MillisecondsSince(start) : 0;
    AKIDB_RETURN_IF_ERROR(making.Source(*view_.sources[i], i, source_filter));
    if (request.plan == nullptr) continue;
    SourcePlan& done = request.plan->sources.emplace_back(making.done());
    done.admitted_share = source_filter.expected_share();
    done.filter_ms = filter_ms;
    done.search_ms = MillisecondsSince(start) - filter_ms;
  }
  return TakeHits(top, search.ordinal, request);
}

}  // namespace akidb::engine
