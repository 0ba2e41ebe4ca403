// A point's payload: one JSON object in a compact binary form that returns it exactly (key order,
// integer against float, numbers beyond 2^53, empty containers, Unicode as given) and whose fields
// are reached without decoding the rest. The form is docs/format/payload.md; it is what the log,
// the head and segments hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_writer.h"
#include "base/status.h"

namespace akidb {

// Borrowed view of one encoded value. Valid as long as the bytes. Bytes from files must have passed
// ValidatePayload first; then no accessor can fail.
class PayloadValue {
 public:
  enum class Kind : uint8_t { kNull, kBool, kInt, kUint, kFloat, kString, kArray, kObject };

  PayloadValue() = default;  // null
  explicit PayloadValue(std::span<const std::byte> encoded) : encoded_(encoded) {}

  Kind kind() const;
  bool AsBool() const;
  int64_t AsInt() const;    // kInt: fits int64
  uint64_t AsUint() const;  // kUint: above the int64 range
  double AsDouble() const;  // any number
  std::string_view AsString() const;

  // Members of an object or elements of an array; 0 for everything else.
  size_t size() const;
  // Calls f(key, value) or f(value) in order, until f returns false.
  void ForEachMember(const std::function<bool(std::string_view, PayloadValue)>& f) const;
  void ForEachElement(const std::function<bool(PayloadValue)>& f) const;
  // Of an object; the last one if a key stands twice.
  std::optional<PayloadValue> Member(std::string_view key) const;
  std::optional<PayloadValue> Element(size_t index) const;

  std::span<const std::byte> encoded() const { return encoded_; }
  void WriteJson(JsonWriter& json) const;

 private:
  std::span<const std::byte> encoded_;
};

// Owned payload. Empty object by default.
class Payload {
 public:
  Payload();
  // `encoded` is one valid object value.
  explicit Payload(std::vector<std::byte> encoded) : encoded_(std::move(encoded)) {}

  PayloadValue root() const { return PayloadValue(encoded_); }
  std::span<const std::byte> encoded() const { return encoded_; }
  bool empty() const { return root().size() == 0; }

 private:
  std::vector<std::byte> encoded_;
};

// Checks that `encoded` is exactly one well-formed object, nested at most kPayloadDepthMax deep.
Status ValidatePayload(std::span<const std::byte> encoded);

inline constexpr int kPayloadDepthMax = 128;

// Writes the binary form in one pass, in document order.
class PayloadBuilder {
 public:
  void BeginObject();
  void EndObject();
  void BeginArray();
  void EndArray();
  void Key(std::string_view key);
  void String(std::string_view value);
  void Int(int64_t value);
  void Uint(uint64_t value);
  void Double(double value);
  void Bool(bool value);
  void Null();
  void Value(PayloadValue value);  // a copy of an encoded value

  // The finished object. The builder is empty afterwards.
  Payload Finish();

 private:
  struct Level {
    size_t start = 0;               // where this container's header begins
    std::vector<uint32_t> offsets;  // of its children
    bool is_object = false;
  };
  void Begin(bool is_object);
  void End();
  void BeforeValue();

  std::vector<std::byte> out_;
  std::vector<Level> levels_;
};

// Which fields of the payload go into an answer.
struct PayloadSelector {
  enum class Mode : uint8_t { kNone, kAll, kInclude, kExclude };
  Mode mode = Mode::kNone;
  std::vector<std::string> paths;  // for kInclude and kExclude: "a", "a.b", "a[].b"

  static PayloadSelector None() { return {}; }
  static PayloadSelector All() { return {Mode::kAll, {}}; }
};

Payload SelectPayload(PayloadValue payload, const PayloadSelector& selector);

}  // namespace akidb
