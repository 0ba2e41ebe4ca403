#include "types/payload_geo.h"

namespace akidb {
namespace {

std::optional<double> NumberMember(PayloadValue object, std::string_view name) {
  const std::optional<PayloadValue> value = object.Member(name);
  if (!value) return std::nullopt;
  switch (value->kind()) {
    case PayloadValue::Kind::kInt:
    case PayloadValue::Kind::kUint:
    case PayloadValue::Kind::kFloat:
      return value->AsDouble();
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<GeoPoint> AsGeoPoint(PayloadValue value) {
  if (value.kind() != PayloadValue::Kind::kObject) return std::nullopt;
  const std::optional<double> lat = NumberMember(value, "lat");
  if (!lat) return std::nullopt;
  const std::optional<double> lon = NumberMember(value, "lon");
  if (!lon) return std::nullopt;
  return GeoPoint{*lat, *lon};
}

}  // namespace akidb
