#include "cli/passage_points.h"

#include <algorithm>
#include <array>

#include "cli/ingest.h"
#include "types/uuid.h"

namespace akidb::cli {
namespace {

// Wider than all requests in flight together, so that a run that was cut off leaves no gap of it.
constexpr uint64_t kLookAhead = 256;

constexpr std::array<std::string_view, 6> kOwnFields = {"text", "title",    "section",
                                                        "file", "position", "sha256"};

// Names the ids of passages apart from everything else that is made from names.
constexpr Uuid kPassageNamespace = {{0x5b, 0x1c, 0x7f, 0x0e, 0x2a, 0x64, 0x4d, 0x93, 0x9a, 0x11,
                                     0x6f, 0xd2, 0x38, 0xc4, 0xe0, 0x57}};

void AddOtherFields(const Payload& fields, PayloadBuilder& payload) {
  fields.root().ForEachMember([&](std::string_view key, PayloadValue value) {
    if (std::find(kOwnFields.begin(), kOwnFields.end(), key) == kOwnFields.end()) {
      payload.Key(key);
      payload.Value(value);
    }
    return true;
  });
}

void AddPosition(const Passage& passage, uint64_t number, uint64_t total, PayloadBuilder& payload) {
  payload.Key("position");
  payload.BeginObject();
  payload.Key("passage");
  payload.Int(static_cast<int64_t>(number));
  payload.Key("of");
  payload.Int(static_cast<int64_t>(total));
  if (passage.line > 0) {
    payload.Key("line");
    payload.Int(passage.line);
  }
  if (passage.page > 0) {
    payload.Key("page");
    payload.Int(passage.page);
  }
  payload.EndObject();
}

std::string_view TextOf(const Payload& payload, std::string_view key) {
  std::optional<PayloadValue> value = payload.root().Member(key);
  if (!value || value->kind() != PayloadValue::Kind::kString) return "";
  return value->AsString();
}

uint64_t TotalOf(const Payload& payload) {
  std::optional<PayloadValue> position = payload.root().Member("position");
  if (!position) return 0;
  std::optional<PayloadValue> of = position->Member("of");
  if (!of || of->kind() != PayloadValue::Kind::kInt || of->AsInt() < 0) return 0;
  return static_cast<uint64_t>(of->AsInt());
}

}  // namespace

PointId PassageId(const std::string& collection, const std::string& path, uint64_t number) {
  std::string name = collection;
  name.append(1, '\0').append(path).append(1, '\0').append(std::to_string(number));
  return PointId(Uuid::FromName(kPassageNamespace, name));
}

bool HeldPassages::Complete() const {
  return total > 0 && all.size() == total &&
         static_cast<uint64_t>(std::count(current.begin(), current.end(), true)) == total;
}

Result<HeldPassages> FindHeld(Backend& backend, const SourceVersion& source) {
  HeldPassages held;
  for (uint64_t begin = 0;; begin += kLookAhead) {
    std::vector<PointId> ids;
    for (uint64_t number = begin; number < begin + kLookAhead; ++number) {
      ids.push_back(PassageId(source.collection, source.path, number));
    }
    AKIDB_ASSIGN_OR_RETURN(std::vector<StoredPoint> points,
                           backend.Retrieve(source.collection, ids, {"sha256", "position.of"}));
    if (points.empty()) return held;
    held.current.resize(begin + kLookAhead, false);
    for (const StoredPoint& point : points) {
      auto found = std::find(ids.begin(), ids.end(), point.id);
      if (found == ids.end()) continue;
      uint64_t number = begin + static_cast<uint64_t>(found - ids.begin());
      held.all.push_back(point.id);
      held.numbers.push_back(number);
      if (TextOf(point.payload, "sha256") != source.sha256) continue;
      held.current[number] = true;
      held.total = std::max(held.total, TotalOf(point.payload));
    }
  }
}

TextPoint MakePoint(const SourceVersion& source, const Document& document,
                    std::vector<Passage>& passages, uint64_t number) {
  Passage& passage = passages[number];
  const Section& section = document.sections[passage.section];
  PayloadBuilder payload;
  payload.BeginObject();
  payload.Key("text");
  payload.String(passage.text);
  payload.Key("title");
  payload.String(document.title);
  payload.Key("section");
  payload.BeginArray();
  for (const std::string& heading : section.path) payload.String(heading);
  payload.EndArray();
  payload.Key("file");
  payload.String(source.path);
  AddPosition(passage, number, passages.size(), payload);
  payload.Key("sha256");
  payload.String(source.sha256);
  if (section.fields) AddOtherFields(*section.fields, payload);
  payload.EndObject();
  return {PassageId(source.collection, source.path, number), std::move(passage.embedded_text),
          payload.Finish()};
}

}  // namespace akidb::cli
