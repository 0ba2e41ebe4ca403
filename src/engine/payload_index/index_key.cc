#include "engine/payload_index/index_key.h"

#include <bit>
#include <limits>

#include "engine/payload_index/geo_cells.h"
#include "types/datetime.h"
#include "types/payload_geo.h"
#include "types/uuid.h"

namespace akidb::engine {
namespace {

using Kind = PayloadValue::Kind;

std::optional<std::string> KeyOfText(PayloadIndexKind kind, std::string_view text) {
  if (kind == PayloadIndexKind::kKeyword) {
    if (text.size() > kKeywordBytesMax) return std::nullopt;
    return std::string(text);
  }
  if (kind != PayloadIndexKind::kUuid) return std::nullopt;
  // Other spellings of the same UUID are other strings.
  const std::optional<Uuid> uuid = Uuid::Parse(text);
  if (!uuid || uuid->ToString() != text) return std::nullopt;
  return std::string(reinterpret_cast<const char*>(uuid->bytes.data()), uuid->bytes.size());
}

std::optional<std::string> KeyOfTruth(PayloadIndexKind kind, bool truth) {
  if (kind != PayloadIndexKind::kBool) return std::nullopt;
  return std::string(1, truth ? '\1' : '\0');
}

}  // namespace

bool HoldsStrings(PayloadIndexKind kind) {
  return kind == PayloadIndexKind::kKeyword || kind == PayloadIndexKind::kBool ||
         kind == PayloadIndexKind::kUuid || kind == PayloadIndexKind::kText;
}

bool HoldsTexts(PayloadIndexKind kind) {
  return kind == PayloadIndexKind::kKeyword || kind == PayloadIndexKind::kDatetime ||
         kind == PayloadIndexKind::kUuid || kind == PayloadIndexKind::kText;
}

bool MergesValues(PayloadIndexKind kind) {
  return kind == PayloadIndexKind::kFloat || kind == PayloadIndexKind::kDatetime ||
         kind == PayloadIndexKind::kGeo;
}

std::optional<std::string> StringKeyOf(PayloadIndexKind kind, PayloadValue value) {
  if (value.kind() == Kind::kString) return KeyOfText(kind, value.AsString());
  if (value.kind() == Kind::kBool) return KeyOfTruth(kind, value.AsBool());
  return std::nullopt;
}

std::optional<int64_t> NumberKeyOf(PayloadIndexKind kind, PayloadValue value) {
  const Kind type = value.kind();
  switch (kind) {
    case PayloadIndexKind::kInteger:
      return type == Kind::kInt ? std::optional(value.AsInt()) : std::nullopt;
    case PayloadIndexKind::kFloat:
      if (type != Kind::kInt && type != Kind::kUint && type != Kind::kFloat) return std::nullopt;
      return OrderedBits(value.AsDouble());
    case PayloadIndexKind::kDatetime:
      return type == Kind::kString ? ParseDatetime(value.AsString()) : std::nullopt;
    case PayloadIndexKind::kGeo: {
      const std::optional<GeoPoint> point = AsGeoPoint(value);
      return point ? GeoCellOf(*point) : std::nullopt;
    }
    case PayloadIndexKind::kKeyword:
    case PayloadIndexKind::kBool:
    case PayloadIndexKind::kUuid:
    case PayloadIndexKind::kText:
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::string> StringKeyOf(PayloadIndexKind kind, const MatchScalar& scalar) {
  if (const auto* text = std::get_if<std::string>(&scalar)) return KeyOfText(kind, *text);
  if (const auto* truth = std::get_if<bool>(&scalar)) return KeyOfTruth(kind, *truth);
  return std::nullopt;
}

std::optional<int64_t> NumberKeyOf(PayloadIndexKind kind, const MatchScalar& scalar) {
  const auto* number = std::get_if<int64_t>(&scalar);
  if (kind == PayloadIndexKind::kInteger && number != nullptr) return *number;
  if (kind == PayloadIndexKind::kFloat && number != nullptr) {
    return OrderedBits(static_cast<double>(*number));
  }
  const auto* text = std::get_if<std::string>(&scalar);
  if (kind == PayloadIndexKind::kDatetime && text != nullptr) return ParseDatetime(*text);
  return std::nullopt;
}

// The bits of a positive double ascend with it, those of a negative one descend.
int64_t OrderedBits(double value) {
  const auto bits = std::bit_cast<int64_t>(value == 0 ? 0.0 : value);
  return bits < 0 ? bits ^ std::numeric_limits<int64_t>::max() : bits;
}

double FromOrderedBits(int64_t bits) {
  return std::bit_cast<double>(bits < 0 ? bits ^ std::numeric_limits<int64_t>::max() : bits);
}

}  // namespace akidb::engine
