#include "api/rest/plain_upsert_json.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "api/rest/float_array_reader.h"
#include "api/rest/vector_json.h"
#include "types/payload_dom_json.h"
#include "types/uuid.h"

namespace akidb::rest {
namespace {

// What is deeper is left to the tree, which knows the limits.
constexpr int kSliceDepthMax = 64;
// Names of a point's vectors are compared each with each.
constexpr size_t kNamesMax = 16;

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

// Of a key or an id: nothing that is escaped or more than one byte long.
bool IsPlain(char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

class PlainUpsertReader {
 public:
  explicit PlainUpsertReader(std::string_view body)
      : at_(body.data()), end_(body.data() + body.size()) {}

  bool Read(UpsertRequest& out) {
    bool has_points = false;
    const bool read = ForEachMember([&](std::string_view key) {
      if (key == "points") return !std::exchange(has_points, true) && ReadPoints(out.points);
      // Null is the same as nothing, whatever else the member is.
      return key != "batch" && Once(key, others_) && TakeNull();
    });
    return read && has_points && Peek() == '\0' && at_ == end_;
  }

 private:
  // The next character that isn't white space, 0 at the end.
  char Peek() {
    while (at_ < end_ && IsSpace(*at_)) ++at_;
    return at_ < end_ ? *at_ : '\0';
  }
  bool Take(char c) {
    if (Peek() != c || at_ == end_) return false;
    ++at_;
    return true;
  }
  bool TakeNull() {
    constexpr std::string_view kNull = "null";
    if (Peek() != 'n' || !std::string_view(at_, end_).starts_with(kNull)) return false;
    at_ += kNull.size();
    return true;
  }
  bool TakeText(std::string_view& out) {
    if (!Take('"')) return false;
    const char* start = at_;
    while (at_ < end_ && IsPlain(*at_)) ++at_;
    out = {start, at_};
    return at_ < end_ && *at_++ == '"';
  }
  static bool Once(std::string_view key, std::vector<std::string_view>& seen) {
    if (seen.size() == kNamesMax || std::find(seen.begin(), seen.end(), key) != seen.end()) {
      return false;
    }
    seen.push_back(key);
    return true;
  }

  // f(key) reads the member's value.
  template <typename F>
  bool ForEachMember(F&& f) {
    if (!Take('{')) return false;
    if (Take('}')) return true;
    do {
      std::string_view key;
      if (!TakeText(key) || !Take(':') || !f(key)) return false;
    } while (Take(','));
    return Take('}');
  }

  bool ReadPoints(std::vector<PointInput>& out) {
    if (!Take('[')) return false;
    if (Take(']')) return true;
    do {
      const char* start = at_;
      if (!ReadPoint(out.emplace_back())) return false;
      // Points are mostly of one size.
      if (out.size() == 1) out.reserve(2 + static_cast<size_t>((end_ - at_) / (at_ - start)));
    } while (Take(','));
    return Take(']');
  }

  bool ReadPoint(PointInput& out) {
    bool has_id = false;
    bool has_vector = false;
    bool has_payload = false;
    const bool read = ForEachMember([&](std::string_view key) {
      if (key == "id") return !std::exchange(has_id, true) && ReadId(out.id);
      if (key == "vector") return !std::exchange(has_vector, true) && ReadVectors(out.vectors);
      if (key == "payload") return !std::exchange(has_payload, true) && ReadPayload(out.payload);
      return false;
    });
    return read && has_id && has_vector;
  }

  bool ReadId(PointId& out) {
    constexpr ptrdiff_t kDigitsMax = 19;  // always fit 64 bits
    if (Peek() == '"') {
      std::string_view text;
      if (!TakeText(text)) return false;
      const std::optional<Uuid> uuid = Uuid::Parse(text);
      if (uuid) out = PointId(*uuid);
      return uuid.has_value();
    }
    const char* start = at_;
    uint64_t number = 0;
    at_ = std::from_chars(at_, end_, number).ptr;
    if (at_ == start || at_ - start > kDigitsMax || (*start == '0' && at_ - start > 1)) {
      return false;
    }
    out = PointId(number);
    return Peek() == ',' || Peek() == '}';
  }

  bool ReadFloatArray(VectorInput& out) {
    at_ = floats_.Read(at_, end_);
    if (at_ == nullptr) return false;
    const std::span<const float> floats = floats_.floats();
    out.emplace<DenseVector>(floats.begin(), floats.end());
    return true;
  }

  bool ReadVectors(std::vector<std::pair<std::string, VectorInput>>& out) {
    if (Peek() == '[') return ReadFloatArray(out.emplace_back().second);
    names_.clear();
    // A text of its own, or a model, would make an inference object of it.
    return ForEachMember([&](std::string_view name) {
      if (!Once(name, names_)) return false;
      VectorInput& vector = out.emplace_back(name, VectorInput()).second;
      if (Peek() == '[') return ReadFloatArray(vector);
      JsonElement element;
      return Peek() == '{' && ParseObject(element) && ReadVector(element, {}, vector).ok();
    });
  }

  bool ReadPayload(Payload& out) {
    JsonElement element;
    if (Peek() == 'n') return TakeNull();
    if (Peek() != '{' || !ParseObject(element)) return false;
    Result<Payload> payload = PayloadFromDom(element);
    if (!payload.ok()) return false;
    out = std::move(payload).value();
    return true;
  }

  // The object at at_, which is then behind it. Valid until the next one.
  bool ParseObject(JsonElement& out) {
    const char* start = at_;
    return SkipObject() && !parser_.parse(start, static_cast<size_t>(at_ - start), true).get(out);
  }

  // To where as many brackets are closed as have been opened. Of an object that is well-formed,
  // which only its parser can tell, that is its end.
  bool SkipObject() {
    int depth = 0;
    while (at_ < end_) {
      const char c = *at_++;
      if (c == '"') {
        if (!SkipString()) return false;
      } else if (c == '{' || c == '[') {
        if (++depth > kSliceDepthMax) return false;
      } else if ((c == '}' || c == ']') && --depth == 0) {
        return true;
      }
    }
    return false;
  }

  // at_ is behind its first quote, and goes behind the last one, which follows an even number of
  // backslashes.
  bool SkipString() {
    const char* start = at_;
    for (;;) {
      const void* quote = std::memchr(at_, '"', static_cast<size_t>(end_ - at_));
      if (quote == nullptr) return false;
      at_ = static_cast<const char*>(quote);
      const char* escapes = at_;
      while (escapes > start && escapes[-1] == '\\') --escapes;
      const bool escaped = (at_ - escapes) % 2 != 0;
      ++at_;
      if (!escaped) return true;
    }
  }

  const char* at_;
  const char* end_;
  FloatArrayReader floats_;
  simdjson::dom::parser parser_;
  std::vector<std::string_view> names_;
  std::vector<std::string_view> others_;
};

}  // namespace

bool ReadPlainUpsert(std::string_view body, UpsertRequest& out) {
  return PlainUpsertReader(body).Read(out);
}

}  // namespace akidb::rest
