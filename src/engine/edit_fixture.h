// For tests of requests that change parts of points: a collection with two named vectors on the
// simulated disk, and a naive model that is changed along with it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/collection_merge_fixture.h"
#include "engine/filter_evaluator.h"

namespace akidb::engine {

struct StoredPoint {
  std::string payload;  // JSON
  std::map<std::string, DenseVector> vectors;
  friend bool operator==(const StoredPoint&, const StoredPoint&) = default;
};
using Points = std::map<uint64_t, StoredPoint>;

inline std::string JsonOf(PayloadValue payload) {
  std::string text;
  JsonWriter writer(text);
  payload.WriteJson(writer);
  return text;
}

inline std::shared_ptr<const Filter> NumberIs(const char* field, int64_t number) {
  auto filter = std::make_shared<Filter>();
  filter->must.push_back(FieldCondition{*PayloadPath::Parse(field), MatchValue{number}});
  return filter;
}

inline PayloadChange SetTo(const std::string& json) {
  return SetPayload{*ParsePayloadJson(json), std::nullopt};
}

class EditFixture : public CollectionMergeFixture {
 protected:
  EditFixture() { config_.vectors["b"] = {.dim = 3, .metric = Metric::kDot}; }

  static std::vector<PointId> Ids(uint64_t first, uint64_t count) {
    std::vector<PointId> ids;
    for (uint64_t id = first; id < first + count; ++id) ids.push_back(PointId(id));
    return ids;
  }

  Status Store(uint64_t first, uint64_t count, const std::string& payload = R"({"g":0})") {
    std::vector<Point> points;
    for (uint64_t id = first; id < first + count; ++id) {
      StoredPoint stored{payload, {{"", {static_cast<float>(id), static_cast<float>(++write_)}}}};
      if (id % 3 == 0) stored.vectors["b"] = {1, 2, static_cast<float>(id)};
      points.push_back(AsPoint(id, stored));
      points_[id] = stored;
    }
    return collection_->Upsert(context_, std::move(points)).status();
  }
  static Point AsPoint(uint64_t id, const StoredPoint& stored) {
    Point point;
    point.id = PointId(id);
    for (const auto& [name, vector] : stored.vectors) point.vectors.emplace_back(name, vector);
    point.payload = *ParsePayloadJson(stored.payload);
    return point;
  }
  Status Forget(uint64_t first, uint64_t count) {
    for (uint64_t id = first; id < first + count; ++id) points_.erase(id);
    return collection_->Delete(context_, Ids(first, count)).status();
  }

  // Of the model.
  static bool Admits(const Filter& filter, uint64_t id, const StoredPoint& stored) {
    struct Subject final : FilterSubject {
      Subject(uint64_t id, const StoredPoint& stored)
          : id_(id), stored_(stored), payload_(*ParsePayloadJson(stored.payload)) {}
      std::optional<PointId> id() override { return PointId(id_); }
      PayloadValue payload() override { return payload_.root(); }
      bool HasVector(std::string_view name) override {
        return stored_.vectors.contains(std::string(name));
      }
      const uint64_t id_;
      const StoredPoint& stored_;
      const Payload payload_;
    };
    Subject subject(id, stored);
    return Matches(filter, subject);
  }
  std::vector<uint64_t> Selected(const PointSelector& selector) const {
    std::vector<uint64_t> ids;
    for (const auto& [id, stored] : points_) {
      const bool is_named =
          std::find(selector.ids.begin(), selector.ids.end(), PointId(id)) != selector.ids.end();
      if (selector.filter ? Admits(*selector.filter, id, stored) : is_named) ids.push_back(id);
    }
    return ids;
  }

  Status Change(const PointSelector& selector, const PayloadChange& change) {
    for (uint64_t id : Selected(selector)) {
      std::string& payload = points_[id].payload;
      payload = JsonOf(ChangedPayload(ParsePayloadJson(payload)->root(), change)->root());
    }
    return collection_->ChangePayloads(context_, selector, change).status();
  }
  Status PutVectors(uint64_t id, const std::map<std::string, DenseVector>& vectors) {
    Point point;
    point.id = PointId(id);
    for (const auto& [name, vector] : vectors) point.vectors.emplace_back(name, vector);
    auto stored = points_.find(id);
    if (stored != points_.end()) {
      for (const auto& [name, vector] : vectors) stored->second.vectors[name] = vector;
    }
    return collection_->UpdateVectors(context_, {point}, nullptr).status();
  }
  Status RemoveVectors(const PointSelector& selector, const std::vector<std::string>& names) {
    for (uint64_t id : Selected(selector)) {
      for (const std::string& name : names) points_[id].vectors.erase(name);
    }
    return collection_->DeleteVectors(context_, selector, names).status();
  }

  Result<Points> ReadPoints(const Collection& collection) {
    ScrollRequest request;
    request.limit = 1'000'000;
    request.with_vectors.mode = VectorSelector::Mode::kAll;
    AKIDB_ASSIGN_OR_RETURN(ScrollPage page, collection.Scroll(context_, request));
    Points points;
    for (const PointRecord& record : page.points) {
      StoredPoint& point = points[record.id.number()];
      point.payload = JsonOf(record.payload->root());
      for (const auto& [name, vector] : *record.vectors) point.vectors[name] = vector;
    }
    if (collection.stats().points != points.size()) return InternalError("the count is wrong");
    return points;
  }
  Result<Points> ReadPointsAfterCrash(uint64_t seed) {
    return AfterCrash(seed, [&](const Collection& collection) { return ReadPoints(collection); });
  }
  // All ways of asking agree with the model, now and after a power cut.
  void ExpectThePoints(const std::string& when) {
    Result<Points> found = ReadPoints(*collection_);
    ASSERT_TRUE(found.ok()) << when << ": " << found.status().ToString();
    ASSERT_EQ(Differences(*found), "") << when;
    Result<Points> after = ReadPointsAfterCrash(static_cast<uint64_t>(++crashes_));
    ASSERT_TRUE(after.ok()) << when << ", after a crash: " << after.status().ToString();
    ASSERT_EQ(Differences(*after), "") << when << ", after a crash";
  }
  // By a filter, and by both vectors: in counts, scrolls and searches.
  void ExpectTheFiltered(const std::shared_ptr<const Filter>& filter) {
    std::set<uint64_t> expected;
    std::map<std::string, std::set<uint64_t>> with_vector;
    for (const auto& [id, stored] : points_) {
      if (!Admits(*filter, id, stored)) continue;
      expected.insert(id);
      for (const auto& [name, vector] : stored.vectors) with_vector[name].insert(id);
    }
    ASSERT_EQ(*collection_->Count(context_, filter.get()), expected.size());
    ScrollRequest scroll;
    scroll.limit = 1'000'000;
    scroll.filter = filter;
    std::set<uint64_t> found;
    auto page = collection_->Scroll(context_, scroll);
    ASSERT_TRUE(page.ok()) << page.status().ToString();
    for (const PointRecord& record : page->points) {
      found.insert(record.id.number());
    }
    ASSERT_EQ(found, expected);
    for (const auto& [name, dim] : {std::pair("", 2), std::pair("b", 3)}) {
      SearchRequest search;
      const DenseVector query(static_cast<size_t>(dim), 1);
      search.vector_name = name;
      search.query = query;
      search.limit = 1'000'000;
      search.filter = filter;
      search.with_payload = PayloadSelector::All();
      found.clear();
      auto hits = collection_->Search(context_, search);
      ASSERT_TRUE(hits.ok()) << hits.status().ToString();
      for (const Hit& hit : *hits) {
        ASSERT_TRUE(found.insert(hit.id.number()).second);
        ASSERT_EQ(JsonOf(hit.payload->root()), points_[hit.id.number()].payload);
      }
      ASSERT_EQ(found, with_vector[name]);
    }
  }

  Points points_;

 private:
  // The first points that differ, in words.
  std::string Differences(const Points& found) const {
    std::string text;
    for (const auto& [id, stored] : points_) {
      auto other = found.find(id);
      if (other == found.end()) {
        text += std::to_string(id) + " is missing; ";
      } else if (other->second.payload != stored.payload) {
        text +=
            std::to_string(id) + " has " + other->second.payload + ", not " + stored.payload + "; ";
      } else if (other->second.vectors != stored.vectors) {
        text += std::to_string(id) + " has other vectors; ";
      }
      if (text.size() > 500) break;
    }
    for (const auto& [id, stored] : found) {
      if (!points_.contains(id) && text.size() < 1000) {
        text += std::to_string(id) + " should not be; ";
      }
    }
    return text;
  }

  int crashes_ = 0;
};

}  // namespace akidb::engine
