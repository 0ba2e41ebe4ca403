#include "types/payload.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "base/utf8.h"

namespace akidb {
namespace {

// docs/format/payload.md
enum Tag : uint8_t {
  kNullTag = 0,
  kFalseTag = 1,
  kTrueTag = 2,
  kIntTag = 3,
  kUintTag = 4,
  kFloatTag = 5,
  kStringTag = 6,
  kArrayTag = 7,
  kObjectTag = 8,
};

constexpr size_t kContainerHeader = 1 + 4 + 4;  // tag, bytes, count

template <typename T>
T Load(std::span<const std::byte> bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

uint8_t TagOf(std::span<const std::byte> bytes) {
  return bytes.empty() ? uint8_t{kNullTag} : static_cast<uint8_t>(bytes[0]);
}

bool IsContainer(uint8_t tag) { return tag == kArrayTag || tag == kObjectTag; }

// The bytes of child `i` of a container: a value, or a key and a value.
std::span<const std::byte> Child(std::span<const std::byte> container, size_t i) {
  uint32_t count = Load<uint32_t>(container, 5);
  size_t base = kContainerHeader + size_t{count} * 4;
  size_t begin = Load<uint32_t>(container, kContainerHeader + i * 4);
  size_t end = i + 1 < count ? Load<uint32_t>(container, kContainerHeader + (i + 1) * 4)
                             : container.size() - base;
  return container.subspan(base + begin, end - begin);
}

std::string_view KeyOf(std::span<const std::byte> member) {
  return {reinterpret_cast<const char*>(member.data()) + 4, Load<uint32_t>(member, 0)};
}

PayloadValue ValueOf(std::span<const std::byte> member) {
  return PayloadValue(member.subspan(4 + Load<uint32_t>(member, 0)));
}

bool IsText(std::span<const std::byte> bytes) {
  return IsValidUtf8({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

// `bytes` is exactly one well-formed value.
bool IsValid(std::span<const std::byte> bytes, int depth);

bool IsValidMember(std::span<const std::byte> bytes, int depth) {
  if (bytes.size() < 4) return false;
  uint32_t length = Load<uint32_t>(bytes, 0);
  if (length > bytes.size() - 4) return false;
  return IsText(bytes.subspan(4, length)) && IsValid(bytes.subspan(4 + length), depth);
}

bool IsValidContainer(std::span<const std::byte> bytes, int depth) {
  if (depth == 0 || bytes.size() < kContainerHeader) return false;
  if (Load<uint32_t>(bytes, 1) != bytes.size() - 5) return false;
  uint32_t count = Load<uint32_t>(bytes, 5);
  if (count > (bytes.size() - kContainerHeader) / 4) return false;
  size_t body = bytes.size() - kContainerHeader - size_t{count} * 4;
  if (count == 0) return body == 0;
  uint32_t last = 0;
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t offset = Load<uint32_t>(bytes, kContainerHeader + i * 4);
    if (offset > body || (i == 0 ? offset != 0 : offset <= last)) return false;
    last = offset;
  }
  bool is_object = TagOf(bytes) == kObjectTag;
  for (uint32_t i = 0; i < count; ++i) {
    std::span<const std::byte> child = Child(bytes, i);
    if (is_object ? !IsValidMember(child, depth - 1) : !IsValid(child, depth - 1)) return false;
  }
  return true;
}

bool IsValid(std::span<const std::byte> bytes, int depth) {
  if (bytes.empty()) return false;
  switch (TagOf(bytes)) {
    case kNullTag:
    case kFalseTag:
    case kTrueTag:
      return bytes.size() == 1;
    case kIntTag:
      return bytes.size() == 9;
    case kUintTag:
      return bytes.size() == 9 && Load<uint64_t>(bytes, 1) > uint64_t{INT64_MAX};
    case kFloatTag:
      return bytes.size() == 9 && std::isfinite(Load<double>(bytes, 1));
    case kStringTag:
      return bytes.size() >= 5 && Load<uint32_t>(bytes, 1) == bytes.size() - 5 &&
             IsText(bytes.subspan(5));
    case kArrayTag:
    case kObjectTag:
      return IsValidContainer(bytes, depth);
    default:
      return false;
  }
}

}  // namespace

PayloadValue::Kind PayloadValue::kind() const {
  switch (TagOf(encoded_)) {
    case kFalseTag:
    case kTrueTag:
      return Kind::kBool;
    case kIntTag:
      return Kind::kInt;
    case kUintTag:
      return Kind::kUint;
    case kFloatTag:
      return Kind::kFloat;
    case kStringTag:
      return Kind::kString;
    case kArrayTag:
      return Kind::kArray;
    case kObjectTag:
      return Kind::kObject;
    default:
      return Kind::kNull;
  }
}

bool PayloadValue::AsBool() const { return TagOf(encoded_) == kTrueTag; }
int64_t PayloadValue::AsInt() const { return Load<int64_t>(encoded_, 1); }
uint64_t PayloadValue::AsUint() const { return Load<uint64_t>(encoded_, 1); }

double PayloadValue::AsDouble() const {
  switch (kind()) {
    case Kind::kInt:
      return static_cast<double>(AsInt());
    case Kind::kUint:
      return static_cast<double>(AsUint());
    default:
      return Load<double>(encoded_, 1);
  }
}

std::string_view PayloadValue::AsString() const {
  return {reinterpret_cast<const char*>(encoded_.data()) + 5, encoded_.size() - 5};
}

size_t PayloadValue::size() const {
  return IsContainer(TagOf(encoded_)) ? Load<uint32_t>(encoded_, 5) : 0;
}

void PayloadValue::ForEachMember(
    const std::function<bool(std::string_view, PayloadValue)>& f) const {
  if (TagOf(encoded_) != kObjectTag) return;
  for (size_t i = 0; i < size(); ++i) {
    std::span<const std::byte> member = Child(encoded_, i);
    if (!f(KeyOf(member), ValueOf(member))) return;
  }
}

void PayloadValue::ForEachElement(const std::function<bool(PayloadValue)>& f) const {
  if (TagOf(encoded_) != kArrayTag) return;
  for (size_t i = 0; i < size(); ++i) {
    if (!f(PayloadValue(Child(encoded_, i)))) return;
  }
}

std::optional<PayloadValue> PayloadValue::Member(std::string_view key) const {
  if (TagOf(encoded_) != kObjectTag) return std::nullopt;
  for (size_t i = size(); i > 0; --i) {
    std::span<const std::byte> member = Child(encoded_, i - 1);
    if (KeyOf(member) == key) return ValueOf(member);
  }
  return std::nullopt;
}

std::optional<PayloadValue> PayloadValue::Element(size_t index) const {
  if (TagOf(encoded_) != kArrayTag || index >= size()) return std::nullopt;
  return PayloadValue(Child(encoded_, index));
}

void PayloadValue::WriteJson(JsonWriter& json) const {
  switch (kind()) {
    case Kind::kNull:
      return json.Null();
    case Kind::kBool:
      return json.Bool(AsBool());
    case Kind::kInt:
      return json.Int(AsInt());
    case Kind::kUint:
      return json.Uint(AsUint());
    case Kind::kFloat:
      return json.Double(AsDouble());
    case Kind::kString:
      return json.String(AsString());
    case Kind::kArray:
      json.BeginArray();
      for (size_t i = 0; i < size(); ++i) PayloadValue(Child(encoded_, i)).WriteJson(json);
      return json.EndArray();
    case Kind::kObject:
      json.BeginObject();
      for (size_t i = 0; i < size(); ++i) {
        std::span<const std::byte> member = Child(encoded_, i);
        json.Key(KeyOf(member));
        ValueOf(member).WriteJson(json);
      }
      return json.EndObject();
  }
}

Payload::Payload() {
  PayloadBuilder builder;
  builder.BeginObject();
  builder.EndObject();
  *this = builder.Finish();
}

Status ValidatePayload(std::span<const std::byte> encoded) {
  if (TagOf(encoded) == kObjectTag && IsValid(encoded, kPayloadDepthMax)) return OkStatus();
  return CorruptionError("a stored payload of " + std::to_string(encoded.size()) +
                         " bytes is malformed");
}

}  // namespace akidb
