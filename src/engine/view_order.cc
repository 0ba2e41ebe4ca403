// Points in the order of a field of their payloads.
#include <algorithm>
#include <optional>
#include <variant>
#include <vector>

#include "engine/payload_index/index_key.h"
#include "engine/payload_index/payload_index_section.h"
#include "engine/payload_reads.h"
#include "engine/view_matches.h"
#include "engine/view_reader.h"
#include "types/datetime.h"

namespace akidb::engine {
namespace {

// Values between two looks at the deadline.
constexpr size_t kCheckValues = 1024;

// One value of one point.
struct OrderedRow {
  OrderValue value;
  PointId id;
  uint32_t source;
  uint32_t row;
};

// The values of one field are all of one kind.
class RowOrder {
 public:
  explicit RowOrder(const OrderBy& order) : order_(order) {}

  bool Before(const OrderedRow& a, const OrderedRow& b) const {
    const OrderedRow& first = order_.descending ? b : a;
    const OrderedRow& second = order_.descending ? a : b;
    if (first.value != second.value) return first.value < second.value;
    return first.id < second.id;
  }

  bool BeforeByValue(const OrderValue& a, const OrderValue& b) const {
    return order_.descending ? b < a : a < b;
  }

  bool Wants(const OrderValue& value) const {
    if (!order_.start_from) return true;
    return order_.descending ? !Less(*order_.start_from, value) : !Less(value, *order_.start_from);
  }

 private:
  static bool Less(const OrderValue& a, const OrderValue& b) {
    if (a.index() == b.index()) return a < b;
    const auto number = [](const OrderValue& value) {
      return std::visit([](auto x) { return static_cast<double>(x); }, value);
    };
    return number(a) < number(b);
  }

  const OrderBy& order_;
};

// The first so many rows of an order. Memory grows with the rows that enter, never with the limit.
class FirstRows {
 public:
  FirstRows(const RowOrder& order, size_t limit) : order_(order), limit_(limit) {}

  void Offer(const OrderedRow& row) {
    const auto before = [this](const OrderedRow& a, const OrderedRow& b) {
      return order_.Before(a, b);
    };
    if (rows_.size() == limit_) {
      if (limit_ == 0 || !before(row, rows_.front())) return;
      std::pop_heap(rows_.begin(), rows_.end(), before);
      rows_.back() = row;
    } else {
      rows_.push_back(row);
    }
    std::push_heap(rows_.begin(), rows_.end(), before);
  }

  // Whether a row with this value might come before one of those that are here.
  bool MayTake(const OrderValue& value) const {
    return rows_.size() < limit_ ||
           (limit_ > 0 && !order_.BeforeByValue(rows_.front().value, value));
  }

  std::vector<OrderedRow> Take() {
    std::sort(rows_.begin(), rows_.end(),
              [this](const OrderedRow& a, const OrderedRow& b) { return order_.Before(a, b); });
    return std::move(rows_);
  }

 private:
  const RowOrder& order_;
  const size_t limit_;
  std::vector<OrderedRow> rows_;  // a heap with the last row first
};

// What an order goes by; nothing for values that an index of this kind doesn't order.
std::optional<OrderValue> OrderValueOf(PayloadFieldKind kind, PayloadValue value) {
  using Kind = PayloadValue::Kind;
  switch (kind) {
    case PayloadFieldKind::kInteger:
      if (value.kind() == Kind::kInt) return value.AsInt();
      return std::nullopt;
    case PayloadFieldKind::kFloat:
      if (value.kind() == Kind::kInt || value.kind() == Kind::kUint ||
          value.kind() == Kind::kFloat) {
        return value.AsDouble();
      }
      return std::nullopt;
    case PayloadFieldKind::kDatetime:
      if (value.kind() == Kind::kString) return ParseDatetime(value.AsString());
      return std::nullopt;
    case PayloadFieldKind::kKeyword:
    case PayloadFieldKind::kBool:
    case PayloadFieldKind::kUuid:
    case PayloadFieldKind::kGeo:
    case PayloadFieldKind::kText:
      return std::nullopt;
  }
  return std::nullopt;
}

PayloadIndexKind IndexKindOf(PayloadFieldKind kind) {
  return kind == PayloadFieldKind::kInteger ? PayloadIndexKind::kInteger
         : kind == PayloadFieldKind::kFloat ? PayloadIndexKind::kFloat
                                            : PayloadIndexKind::kDatetime;
}

// Finds the first rows of an order: in sources with an index over the field by walking through its
// values until no other can come before those that were found, in others by reading payloads.
class OrderedLook {
 public:
  struct Field {
    const PayloadPath& path;
    PayloadFieldKind kind;
  };
  OrderedLook(const ViewLook& look, const ScrollRequest& request, const Field& field)
      : look_(look),
        request_(request),
        field_(field),
        order_(*request.order_by),
        first_(order_, request.limit),
        payloads_(look.view) {
    for (const auto& source : look.view.sources) indexes_.push_back(IndexOver(*source));
  }

  Result<std::vector<OrderedRow>> Find() {
    const bool all = request_.filter == nullptr || request_.filter->empty();
    AKIDB_RETURN_IF_ERROR(all ? LookAtAll() : LookAtMatches());
    std::vector<OrderedRow> rows = first_.Take();
    for (OrderedRow& row : rows) AKIDB_RETURN_IF_ERROR(ReadZero(row));
    return rows;
  }

 private:
  // Null when there is none.
  const NumberTable* IndexOver(const RowSource& source) const {
    const PayloadIndexSection* const section = source.payload_indexes();
    if (section == nullptr) return nullptr;
    for (const PayloadIndexReader* index : section->On(field_.path)) {
      // All values that have an order are in it: no row needs its payload read besides.
      if (index->kind() == IndexKindOf(field_.kind)) return index->numbers();
    }
    return nullptr;
  }

  Status LookAtAll() {
    for (uint32_t number = 0; number < indexes_.size(); ++number) {
      const RowSource& source = *look_.view.sources[number];
      const RowSet* const replaced = source.replaced();
      if (indexes_[number] == nullptr) {
        for (uint32_t row = 0; row < source.rows(); ++row) {
          if (row % kCheckValues == 0) AKIDB_RETURN_IF_ERROR(look_.context.Check());
          if (source.Visible(row)) AKIDB_RETURN_IF_ERROR(ReadRow({source, number, row}));
        }
        continue;
      }
      Status status;
      if (replaced != nullptr) {
        replaced->ForEach([&](uint32_t row) {
          if (status.ok() && source.Visible(row)) status = ReadRow({source, number, row});
        });
      }
      AKIDB_RETURN_IF_ERROR(status);
      AKIDB_RETURN_IF_ERROR(WalkIndex(number, [&](uint32_t row) {
        return source.Visible(row) && (replaced == nullptr || !replaced->Contains(row));
      }));
    }
    return OkStatus();
  }

  Status LookAtMatches() {
    std::vector<RowCollector> matches;  // by source: those whose values are in its index
    for (const auto& source : look_.view.sources)
      matches.emplace_back(source->rows(), source->rows());
    AKIDB_RETURN_IF_ERROR(
        ForEachMatch(look_, {request_.filter.get()}, [&](const MatchedRow& at) -> Status {
          const RowSet* const replaced = at.source.replaced();
          if (indexes_[at.source_number] == nullptr ||
              (replaced != nullptr && replaced->Contains(at.row))) {
            return ReadRow(at);
          }
          matches[at.source_number].Add(at.row);
          return OkStatus();
        }));
    for (uint32_t number = 0; number < indexes_.size(); ++number) {
      if (indexes_[number] == nullptr) continue;
      RowSet rows = matches[number].Finish();
      const std::span<const uint64_t> words = rows.Words();
      AKIDB_RETURN_IF_ERROR(WalkIndex(
          number, [&](uint32_t row) { return (words[row / 64] >> (row % 64) & 1) != 0; }));
    }
    return OkStatus();
  }

  OrderValue ValueOf(int64_t key) const {
    if (field_.kind == PayloadFieldKind::kFloat) return FromOrderedBits(key);
    return key;
  }

  template <typename Admits>
  Status WalkIndex(uint32_t number, Admits admits) {
    const NumberTable& pairs = *indexes_[number];
    const RowSource& source = *look_.view.sources[number];
    const auto pair_at = [&](size_t step) {
      return request_.order_by->descending ? pairs.pairs() - 1 - step : step;
    };
    const auto value_at = [&](size_t step) { return ValueOf(pairs.ValueAt(pair_at(step))); };
    size_t begin = 0;
    for (size_t end = pairs.pairs(); begin < end;) {
      const size_t middle = begin + (end - begin) / 2;
      if (order_.Wants(value_at(middle))) {
        end = middle;
      } else {
        begin = middle + 1;
      }
    }
    for (size_t step = begin; step < pairs.pairs(); ++step) {
      if ((step - begin) % kCheckValues == 0) AKIDB_RETURN_IF_ERROR(look_.context.Check());
      const OrderValue value = value_at(step);
      if (!first_.MayTake(value)) break;
      const uint32_t row = pairs.rows()[pair_at(step)];
      if (admits(row)) first_.Offer({value, source.id(row), number, row});
    }
    return OkStatus();
  }

  Status ReadRow(const MatchedRow& at) {
    AKIDB_ASSIGN_OR_RETURN(PayloadValue payload, payloads_.Of(at));
    values_.clear();
    ForEachValue(field_.path, payload, [&](PayloadValue value) {
      if (std::optional<OrderValue> order_value = OrderValueOf(field_.kind, value)) {
        values_.push_back(*order_value);
      }
    });
    SortOnce(values_);
    for (const OrderValue& value : values_) {
      if (order_.Wants(value)) {
        first_.Offer({value, at.source.id(at.row), at.source_number, at.row});
      }
    }
    return OkStatus();
  }

  // An index takes -0 for 0; the answer has it as it was written.
  Status ReadZero(OrderedRow& row) {
    if (row.value != OrderValue(0.0)) return OkStatus();
    const RowSource& source = *look_.view.sources[row.source];
    AKIDB_ASSIGN_OR_RETURN(PayloadValue payload, payloads_.Of({source, row.source, row.row}));
    std::optional<OrderValue> zero;
    ForEachValue(field_.path, payload, [&](PayloadValue value) {
      const std::optional<OrderValue> order_value = OrderValueOf(field_.kind, value);
      if (!zero && order_value == row.value) zero = order_value;
    });
    if (zero) row.value = *zero;
    return OkStatus();
  }

  const ViewLook look_;
  const ScrollRequest& request_;
  const Field field_;
  const RowOrder order_;
  FirstRows first_;
  PayloadReads payloads_;
  std::vector<const NumberTable*> indexes_;  // by source
  std::vector<OrderValue> values_;           // of one point
};

}  // namespace

Result<ScrollPage> ViewReader::ScrollInOrder(const ScrollRequest& request, const PayloadPath& path,
                                             PayloadFieldKind kind) const {
  OrderedLook look({view_, schema_, context_}, request, {path, kind});
  AKIDB_ASSIGN_OR_RETURN(const std::vector<OrderedRow> rows, look.Find());
  ScrollPage page;
  std::vector<Location> places;
  for (const OrderedRow& row : rows) {
    const Location at{view_.sources[row.source].get(), row.row};
    PointRecord record{row.id, std::nullopt, std::nullopt};
    AKIDB_ASSIGN_OR_RETURN(record.vectors, Vectors(at, request.with_vectors));
    page.points.push_back(std::move(record));
    page.order_values.push_back(row.value);
    places.push_back(at);
  }
  AKIDB_RETURN_IF_ERROR(ReadPayloads(places, request.with_payload, page.points));
  return page;
}

}  // namespace akidb::engine
