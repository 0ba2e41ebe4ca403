#include "api/grpc/filter_message.h"

#include <utility>
#include <vector>

#include "api/grpc/value_message.h"
#include "base/json_writer.h"
#include "types/text/words.h"

namespace akidb::rpc {
namespace {

using Predicate = decltype(FieldCondition::predicate);

// Each row's places are compared with every edge.
constexpr int kRingPointsMax = 65'536;
constexpr int64_t kMicrosPerSecond = 1'000'000;
// Of 0001-01-01 and 9999-12-31, the bounds of a Timestamp.
constexpr int64_t kSecondsMin = -62'135'596'800;
constexpr int64_t kSecondsMax = 253'402'300'799;

Status DecodeFilterAt(const qdrant::Filter& message, int depth, std::shared_ptr<const Filter>& out);

Status DecodePath(const std::string& text, PayloadPath& out) {
  Result<PayloadPath> path = PayloadPath::Parse(text);
  if (!path.ok()) return MalformedError("key: " + std::string(path.status().message()));
  out = std::move(path).value();
  return OkStatus();
}

template <typename Repeated>
std::vector<MatchScalar> Scalars(const Repeated& values) {
  std::vector<MatchScalar> scalars;
  scalars.reserve(static_cast<size_t>(values.size()));
  for (const auto& value : values) scalars.emplace_back(value);
  return scalars;
}

MatchText TextOf(const std::string& text, MatchText::Mode mode) {
  MatchText match;
  match.mode = mode;
  match.text = text;
  match.words = WordsOf(text);
  return match;
}

Status DecodeMatch(const qdrant::Match& message, Predicate& out) {
  using Mode = MatchText::Mode;
  switch (message.match_value_case()) {
    case qdrant::Match::kKeyword:
      out = MatchValue{message.keyword()};
      return OkStatus();
    case qdrant::Match::kInteger:
      out = MatchValue{int64_t{message.integer()}};
      return OkStatus();
    case qdrant::Match::kBoolean:
      out = MatchValue{message.boolean()};
      return OkStatus();
    case qdrant::Match::kText:
      out = TextOf(message.text(), Mode::kAll);
      return OkStatus();
    case qdrant::Match::kTextAny:
      out = TextOf(message.text_any(), Mode::kAny);
      return OkStatus();
    case qdrant::Match::kPhrase:
      out = TextOf(message.phrase(), Mode::kPhrase);
      return OkStatus();
    case qdrant::Match::kKeywords:
      out = MatchAny{Scalars(message.keywords().strings())};
      return OkStatus();
    case qdrant::Match::kIntegers:
      out = MatchAny{Scalars(message.integers().integers())};
      return OkStatus();
    case qdrant::Match::kExceptKeywords:
      out = MatchExcept{Scalars(message.except_keywords().strings())};
      return OkStatus();
    case qdrant::Match::kExceptIntegers:
      out = MatchExcept{Scalars(message.except_integers().integers())};
      return OkStatus();
    case qdrant::Match::kPrefix:
      out = MatchPrefix{message.prefix()};
      return OkStatus();
    case qdrant::Match::kSubstring:
      out = MatchSubstring{message.substring()};
      return OkStatus();
    case qdrant::Match::MATCH_VALUE_NOT_SET:
      break;
  }
  return MalformedError("match: expected one kind of match");
}

template <typename T, typename Message>
Bounds<T> DecodeBounds(const Message& message) {
  Bounds<T> bounds;
  if (message.has_lt()) bounds.lt = message.lt();
  if (message.has_lte()) bounds.lte = message.lte();
  if (message.has_gt()) bounds.gt = message.gt();
  if (message.has_gte()) bounds.gte = message.gte();
  return bounds;
}

Status DecodeDatetimes(const qdrant::DatetimeRange& message, DatetimeRange& out) {
  if (message.has_lt()) AKIDB_RETURN_IF_ERROR(DecodeMoment(message.lt(), out.lt.emplace()));
  if (message.has_lte()) AKIDB_RETURN_IF_ERROR(DecodeMoment(message.lte(), out.lte.emplace()));
  if (message.has_gt()) AKIDB_RETURN_IF_ERROR(DecodeMoment(message.gt(), out.gt.emplace()));
  if (message.has_gte()) AKIDB_RETURN_IF_ERROR(DecodeMoment(message.gte(), out.gte.emplace()));
  return OkStatus();
}

Status DecodeRing(const qdrant::GeoLineString& message, GeoRing& out) {
  if (message.points_size() > kRingPointsMax) {
    return ValidationError("[at most " + std::to_string(kRingPointsMax) + " points]");
  }
  for (const qdrant::GeoPoint& point : message.points()) {
    AKIDB_RETURN_IF_ERROR(DecodePlace(point, out.emplace_back()));
  }
  if (out.size() < 4) {
    return MalformedError("polygon invalid, the size must be at least 4, got " +
                          std::to_string(out.size()));
  }
  if (out.front() == out.back()) return OkStatus();
  return MalformedError(
      "polygon invalid, the first and the last points should be the same to form a closed line");
}

Status DecodePolygon(const qdrant::GeoPolygon& message, GeoPolygon& out) {
  AKIDB_RETURN_IF_ERROR(DecodeRing(message.exterior(), out.exterior));
  for (const qdrant::GeoLineString& ring : message.interiors()) {
    AKIDB_RETURN_IF_ERROR(DecodeRing(ring, out.interiors.emplace_back()));
  }
  return OkStatus();
}

Status DecodePredicates(const qdrant::FieldCondition& message, std::vector<Predicate>& out) {
  if (message.has_match()) AKIDB_RETURN_IF_ERROR(DecodeMatch(message.match(), out.emplace_back()));
  if (message.has_range()) out.emplace_back(DecodeBounds<double>(message.range()));
  if (message.has_datetime_range()) {
    DatetimeRange range;
    AKIDB_RETURN_IF_ERROR(DecodeDatetimes(message.datetime_range(), range));
    out.emplace_back(range);
  }
  if (message.has_geo_bounding_box()) {
    GeoBox box;
    AKIDB_RETURN_IF_ERROR(DecodePlace(message.geo_bounding_box().top_left(), box.top_left));
    AKIDB_RETURN_IF_ERROR(DecodePlace(message.geo_bounding_box().bottom_right(), box.bottom_right));
    out.emplace_back(box);
  }
  if (message.has_geo_radius()) {
    GeoCircle circle;
    AKIDB_RETURN_IF_ERROR(DecodePlace(message.geo_radius().center(), circle.center));
    circle.radius_m = message.geo_radius().radius();
    out.emplace_back(circle);
  }
  if (message.has_geo_polygon()) {
    GeoPolygon polygon;
    AKIDB_RETURN_IF_ERROR(DecodePolygon(message.geo_polygon(), polygon));
    out.emplace_back(std::move(polygon));
  }
  return OkStatus();
}

// A condition that holds where `condition` doesn't.
Condition Negate(Condition condition) {
  auto filter = std::make_shared<Filter>();
  filter->must_not.push_back(std::move(condition));
  return Condition(std::shared_ptr<const Filter>(std::move(filter)));
}

// Several predicates are alternatives, over which values_count, is_empty and is_null take
// precedence.
Status DecodeField(const qdrant::FieldCondition& message, Condition& out) {
  PayloadPath key;
  std::vector<Predicate> predicates;
  AKIDB_RETURN_IF_ERROR(DecodePath(message.key(), key));
  AKIDB_RETURN_IF_ERROR(DecodePredicates(message, predicates));
  if (message.has_values_count()) {
    out = ValuesCountCondition{std::move(key), DecodeBounds<uint64_t>(message.values_count())};
  } else if (message.has_is_empty()) {
    out = IsEmptyCondition{std::move(key)};
    if (!message.is_empty()) out = Negate(std::move(out));
  } else if (message.has_is_null()) {
    out = IsNullCondition{std::move(key)};
    if (!message.is_null()) out = Negate(std::move(out));
  } else if (predicates.empty()) {
    return ValidationError("[At least one field condition must be specified]");
  } else if (predicates.size() == 1) {
    out = FieldCondition{std::move(key), std::move(predicates.front())};
  } else {
    auto any = std::make_shared<Filter>();
    for (Predicate& predicate : predicates) {
      any->should.emplace_back(FieldCondition{key, std::move(predicate)});
    }
    out = std::shared_ptr<const Filter>(std::move(any));
  }
  return OkStatus();
}

// `a[]` means the same as `a`: each element of that array.
Status DecodeNested(const qdrant::NestedCondition& message, int depth, Condition& out) {
  NestedCondition nested;
  std::string key = message.key();
  if (key.ends_with("[]")) key.resize(key.size() - 2);
  AKIDB_RETURN_IF_ERROR(DecodePath(key, nested.key));
  if (!message.has_filter()) return MalformedError("nested: missing field `filter`");
  AKIDB_RETURN_IF_ERROR(DecodeFilterAt(message.filter(), depth - 1, nested.filter));
  out = std::move(nested);
  return OkStatus();
}

Status DecodeSlice(const qdrant::SliceCondition& message, Condition& out) {
  const uint32_t total = message.total();
  if (total < 1) return ValidationError("[slice.total: Slice total must be >= 1, got 0]");
  if (message.index() >= total) {
    return ValidationError("[slice.index: Slice index must be in [0;" + std::to_string(total - 1) +
                           "], got " + std::to_string(message.index()) + "]");
  }
  out = SliceCondition{total, message.index()};
  return OkStatus();
}

Status DecodeConditionAt(const qdrant::Condition& message, int depth, Condition& out) {
  switch (message.condition_one_of_case()) {
    case qdrant::Condition::kField:
      return DecodeField(message.field(), out);
    case qdrant::Condition::kIsEmpty: {
      IsEmptyCondition condition;
      AKIDB_RETURN_IF_ERROR(DecodePath(message.is_empty().key(), condition.key));
      out = std::move(condition);
      return OkStatus();
    }
    case qdrant::Condition::kIsNull: {
      IsNullCondition condition;
      AKIDB_RETURN_IF_ERROR(DecodePath(message.is_null().key(), condition.key));
      out = std::move(condition);
      return OkStatus();
    }
    case qdrant::Condition::kHasId: {
      std::vector<PointId> ids;
      AKIDB_RETURN_IF_ERROR(DecodeIds(message.has_id().has_id(), ids));
      out = HasIdCondition(std::move(ids));
      return OkStatus();
    }
    case qdrant::Condition::kHasVector:
      out = HasVectorCondition{message.has_vector().has_vector()};
      return OkStatus();
    case qdrant::Condition::kSlice:
      return DecodeSlice(message.slice(), out);
    case qdrant::Condition::kNested:
      return DecodeNested(message.nested(), depth, out);
    case qdrant::Condition::kFilter: {
      std::shared_ptr<const Filter> filter;
      AKIDB_RETURN_IF_ERROR(DecodeFilterAt(message.filter(), depth - 1, filter));
      out = std::move(filter);
      return OkStatus();
    }
    case qdrant::Condition::CONDITION_ONE_OF_NOT_SET:
      break;
  }
  return MalformedError("expected one kind of condition");
}

template <typename Repeated>
Status DecodeClause(std::string_view name, const Repeated& messages, int depth,
                    std::vector<Condition>& out) {
  out.reserve(static_cast<size_t>(messages.size()));
  for (const qdrant::Condition& message : messages) {
    const Status read = DecodeConditionAt(message, depth, out.emplace_back());
    if (!read.ok()) return read.WithContext(Nth(name, out.size() - 1));
  }
  return OkStatus();
}

Status DecodeFilterAt(const qdrant::Filter& message, int depth,
                      std::shared_ptr<const Filter>& out) {
  if (depth <= 0) {
    return ValidationError("[filters nest at most " + std::to_string(kFilterDepthMax) + " deep]");
  }
  auto filter = std::make_shared<Filter>();
  AKIDB_RETURN_IF_ERROR(DecodeClause("must", message.must(), depth, filter->must));
  AKIDB_RETURN_IF_ERROR(DecodeClause("should", message.should(), depth, filter->should));
  AKIDB_RETURN_IF_ERROR(DecodeClause("must_not", message.must_not(), depth, filter->must_not));
  if (message.has_min_should()) {
    const qdrant::MinShould& min_should = message.min_should();
    if (min_should.min_count() < 1) {
      return ValidationError("[min_should.min_count: value 0 invalid, must be 1 or larger]");
    }
    AKIDB_RETURN_IF_ERROR(
        DecodeClause("min_should", min_should.conditions(), depth, filter->min_should));
    filter->min_should_count = min_should.min_count();
  }
  out = std::move(filter);
  return OkStatus();
}

}  // namespace

Status DecodeFilter(const qdrant::Filter& message, std::shared_ptr<const Filter>& out) {
  const Status read = DecodeFilterAt(message, kFilterDepthMax, out);
  return read.ok() ? read : read.WithContext("filter");
}

Status DecodeCondition(const qdrant::Condition& message, Condition& out) {
  return DecodeConditionAt(message, kFilterDepthMax, out);
}

Status DecodePlace(const qdrant::GeoPoint& message, GeoPoint& out) {
  out = {message.lat(), message.lon()};
  if (out.lat >= -90 && out.lat <= 90 && out.lon >= -180 && out.lon <= 180) return OkStatus();
  return MalformedError(
      "Wrong format of GeoPoint payload: expected `lat` within [-90;90] and "
      "`lon` within [-180;180]");
}

Status DecodeMoment(const google::protobuf::Timestamp& message, int64_t& out) {
  if (message.seconds() < kSecondsMin || message.seconds() > kSecondsMax || message.nanos() < 0 ||
      message.nanos() >= 1'000'000'000) {
    return MalformedError("a timestamp is of the years 1 to 9999, its nanoseconds below 1e9");
  }
  out = message.seconds() * kMicrosPerSecond + message.nanos() / 1000;
  return OkStatus();
}

}  // namespace akidb::rpc
