#include "engine/view_matches.h"

#include "engine/source_filter.h"

namespace akidb::engine {
namespace {

// Rows between two looks at the deadline when payloads are read one by one.
constexpr uint32_t kCheckRows = 1024;
// Fewer rows are looked at one by one sooner than a plan is made for all rows of their source.
constexpr uint32_t kPlanRowsMin = 256;

// The first row of `source` that was written after `seq`: rows stand in the order of writing.
uint32_t FirstRowAfter(const RowSource& source, uint64_t seq) {
  uint32_t low = 0;
  for (uint32_t high = seq == 0 ? 0 : source.rows(); low < high;) {
    uint32_t middle = low + (high - low) / 2;
    if (source.seq(middle) <= seq) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

// Looks at rows of one source.
class SourceLook {
 public:
  struct Place {
    const RowSource& source;
    uint32_t number;
  };
  SourceLook(const ViewLook& look, const Place& place, const Filter* filter,
             const std::function<Status(const MatchedRow&)>& visit)
      : context_(look.context),
        place_(place),
        filter_(place.source, look.schema, filter, look.context),
        visit_(visit) {}

  SourceFilter& filter() { return filter_; }
  const Status& status() const { return status_; }

  void At(uint32_t row) {
    if (!status_.ok()) return;
    if (looked_at_++ % kCheckRows == 0) status_ = context_.Check();
    if (!status_.ok() || !place_.source.Visible(row)) return;
    const bool admits = filter_.Admits(row);
    status_ = filter_.status();
    if (admits && status_.ok()) status_ = visit_({place_.source, place_.number, row});
  }

 private:
  const RequestContext& context_;
  const Place place_;
  SourceFilter filter_;
  const std::function<Status(const MatchedRow&)>& visit_;
  uint32_t looked_at_ = 0;
  Status status_;
};

void LookAtRows(SourceLook& look, const RowSource& source, uint64_t after_seq) {
  const uint32_t begin = FirstRowAfter(source, after_seq);
  if (source.rows() - begin >= kPlanRowsMin) look.filter().Plan();
  // Earlier rows, of which only the payload is new.
  if (begin > 0) {
    source.ForEachReplaced(after_seq, [&](uint32_t row) {
      if (row < begin) look.At(row);
    });
  }
  if (const RowSet* possible = look.filter().possible()) {
    possible->ForEach([&](uint32_t row) {
      if (row >= begin) look.At(row);
    });
  } else {
    for (uint32_t row = begin; row < source.rows() && look.status().ok(); ++row) look.At(row);
  }
}

}  // namespace

const HasIdCondition* RequiredIds(const Filter* filter) {
  if (filter == nullptr) return nullptr;
  for (const Condition& condition : filter->must) {
    if (const auto* ids = std::get_if<HasIdCondition>(&condition)) return ids;
    const auto* nested = std::get_if<std::shared_ptr<const Filter>>(&condition);
    const HasIdCondition* ids = nested != nullptr ? RequiredIds(nested->get()) : nullptr;
    if (ids != nullptr) return ids;
  }
  return nullptr;
}

Status ForEachMatch(const ViewLook& look, const MatchRequest& request,
                    const std::function<Status(const MatchedRow&)>& visit) {
  const Filter* filter =
      request.filter != nullptr && !request.filter->empty() ? request.filter : nullptr;
  const HasIdCondition* required = request.after_seq == 0 ? RequiredIds(filter) : nullptr;
  for (uint32_t i = 0; i < look.view.sources.size(); ++i) {
    const RowSource& source = *look.view.sources[i];
    SourceLook rows(look, {source, i}, filter, visit);
    if (required == nullptr) {
      LookAtRows(rows, source, request.after_seq);
    } else {
      for (PointId id : required->ids) {
        if (std::optional<uint32_t> row = source.Find(id)) rows.At(*row);
      }
    }
    AKIDB_RETURN_IF_ERROR(rows.status());
  }
  return OkStatus();
}

}  // namespace akidb::engine
