// A collection driven by random operations beside a naive model of it in memory, which tells the
// first answer that differs. It returns a Status instead of asserting, so that a test can prove by
// a seeded bug that it would be told.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "engine/collection.h"
#include "engine/naive_distance_fixture.h"
#include "types/payload_json.h"

namespace akidb::engine {

struct ModelOptions {
  uint64_t seed = 0;
  uint64_t operations = 0;
  Metric metric = Metric::kCosine;
  uint64_t ids = 3000;  // that points may have; about half of them live at a time
};

// What the model does to the world around the collection.
struct ModelWorld {
  std::function<Result<std::shared_ptr<Collection>>()> reopen;
  std::function<void()> rest;  // points arrive no longer
};

// Of the vectors "" (in every point) and "b" (in two of three).
inline constexpr uint32_t kModelDim = 16;
inline constexpr uint32_t kModelDimB = 6;

class CollectionModel {
 public:
  CollectionModel(const ModelOptions& options, std::shared_ptr<Collection> collection,
                  ModelWorld world)
      : options_(options),
        random_(options.seed),
        collection_(std::move(collection)),
        world_(std::move(world)) {}

  // All operations, then a look at everything. The error names operation and seed.
  Status Run() {
    for (operation_ = 0; operation_ < options_.operations; ++operation_) {
      Status done = Step();
      if (!done.ok()) return Named(done);
    }
    Status whole = CompareAll();
    return whole.ok() ? whole : Named(whole);
  }

  // The share of the nearest that searches through codes and graphs have found.
  double recall() const {
    return wanted_ == 0 ? 1 : static_cast<double>(found_) / static_cast<double>(wanted_);
  }
  // Searches while some rows could be reached through a graph.
  uint64_t walks() const { return walks_; }
  size_t points() const { return model_.size(); }

 private:
  struct Stored {
    DenseVector a;
    DenseVector b;  // empty: none
    int64_t group = 0;
    int64_t rank = 0;
  };
  // A filter, and the same as a condition on what the model holds.
  struct Chosen {
    std::shared_ptr<const Filter> filter;
    std::function<bool(uint64_t, const Stored&)> admits = [](uint64_t, const Stored&) {
      return true;
    };
  };

  Status Named(const Status& status) const {
    return status.WithContext("AKIDB_TEST_SEED=" + std::to_string(options_.seed) + ", operation " +
                              std::to_string(operation_));
  }
  uint64_t Below(uint64_t end) { return random_() % end; }
  bool OneOf(uint64_t count) { return Below(count) == 0; }

  Status Step() {
    const uint64_t dice = Below(10'000);
    if (dice < 2600) return Upsert();
    if (dice < 2800) return ChangeRanks();
    if (dice < 2920) return ReplaceVectors();
    if (dice < 3000) return DropVectors();
    if (dice < 4300) return DeleteIds();
    if (dice < 4450) return DeleteByFilter();
    if (dice < 7000) return Search(false);
    if (dice < 8400) return Search(true);
    if (dice < 9400) return Count();
    if (dice < 9700) return Scroll();
    if (dice < 9955) return Retrieve();
    if (dice < 9985) return collection_->Seal();
    if (dice < 9992) return Rest();
    if (dice < 9996) return Reopen();
    return ChangeIndexes();
  }

  // In clusters; now and then one that is there already, or zero.
  DenseVector RandomVector(uint32_t dim) {
    if (!model_.empty() && OneOf(20)) {
      const Stored& other = RandomStored();
      const DenseVector& same = dim == kModelDim ? other.a : other.b;
      if (!same.empty()) return same;
    }
    DenseVector vector(dim);
    if (OneOf(200)) return vector;
    std::mt19937_64 centre(Below(25));
    std::normal_distribution<float> normal;
    for (float& value : vector) value = normal(centre);
    for (float& value : vector) value += 0.7f * normal(random_);
    return vector;
  }
  const Stored& RandomStored() {
    auto it = model_.lower_bound(Below(options_.ids));
    return it == model_.end() ? model_.begin()->second : it->second;
  }

  Status Upsert() {
    std::map<uint64_t, Stored> batch;
    std::vector<Point> points;
    for (uint64_t count = 1 + Below(6); count > 0; --count) {
      const uint64_t id = Below(options_.ids);
      Stored stored{RandomVector(kModelDim),
                    {},
                    static_cast<int64_t>(Below(10)),
                    static_cast<int64_t>(Below(1000))};
      if (!OneOf(3)) stored.b = RandomVector(kModelDimB);
      Point point;
      point.id = PointId(id);
      point.vectors = {{"", stored.a}};
      if (!stored.b.empty()) point.vectors.emplace_back("b", stored.b);
      AKIDB_ASSIGN_OR_RETURN(
          point.payload, ParsePayloadJson(R"({"g":)" + std::to_string(stored.group) + R"(,"r":)" +
                                          std::to_string(stored.rank) + "}"));
      points.push_back(std::move(point));
      batch[id] = std::move(stored);
    }
    AKIDB_RETURN_IF_ERROR(collection_->Upsert(context_, std::move(points)).status());
    for (auto& [id, stored] : batch) model_[id] = std::move(stored);
    return OkStatus();
  }

  std::vector<PointId> RandomIds(uint64_t count) {
    std::vector<PointId> ids;
    for (uint64_t i = 0; i < count; ++i) ids.push_back(PointId(Below(options_.ids)));
    return ids;
  }

  // Payloads beside their vectors, of some ids or of what a filter finds.
  Status ChangeRanks() {
    const auto rank = static_cast<int64_t>(Below(1000));
    SetPayload change;
    AKIDB_ASSIGN_OR_RETURN(change.values,
                           ParsePayloadJson(R"({"r":)" + std::to_string(rank) + "}"));
    PointSelector selector;
    if (OneOf(3)) {
      const auto group = static_cast<int64_t>(Below(10));
      auto filter = std::make_shared<Filter>();
      filter->must.push_back(FieldCondition{*PayloadPath::Parse("g"), MatchValue{group}});
      filter->must.push_back(FieldCondition{*PayloadPath::Parse("r"), Range(100)});
      selector.filter = std::move(filter);
      for (auto& [id, stored] : model_) {
        if (stored.group == group && stored.rank < 100) stored.rank = rank;
      }
    } else {
      selector.ids = RandomIds(1 + Below(6));
      for (const PointId& id : selector.ids) {
        auto stored = model_.find(id.number());
        if (stored != model_.end()) stored->second.rank = rank;
      }
    }
    return collection_->ChangePayloads(context_, selector, change).status();
  }

  Status ReplaceVectors() {
    std::vector<Point> points;
    for (const PointId& id : RandomIds(1 + Below(4))) {
      const bool by_b = OneOf(2);
      Point point;
      point.id = id;
      point.vectors = {{by_b ? "b" : "", RandomVector(by_b ? kModelDimB : kModelDim)}};
      auto stored = model_.find(id.number());
      if (stored != model_.end()) {
        (by_b ? stored->second.b : stored->second.a) = point.vectors[0].second;
      }
      points.push_back(std::move(point));
    }
    return collection_->UpdateVectors(context_, std::move(points), nullptr).status();
  }

  Status DropVectors() {
    PointSelector selector;
    selector.ids = RandomIds(1 + Below(4));
    for (const PointId& id : selector.ids) {
      auto stored = model_.find(id.number());
      if (stored != model_.end()) stored->second.b.clear();
    }
    const std::vector<std::string> names = {"b"};
    return collection_->DeleteVectors(context_, selector, names).status();
  }

  Status DeleteIds() {
    std::vector<PointId> ids;
    for (uint64_t count = 1 + Below(8); count > 0; --count) {
      ids.push_back(PointId(Below(options_.ids)));
      model_.erase(ids.back().number());
    }
    return collection_->Delete(context_, ids).status();
  }

  Status DeleteByFilter() {
    const auto group = static_cast<int64_t>(Below(10));
    const int64_t rank = OneOf(20) ? 1000 : 100;
    Filter filter;
    filter.must.push_back(FieldCondition{*PayloadPath::Parse("g"), MatchValue{group}});
    filter.must.push_back(
        FieldCondition{*PayloadPath::Parse("r"), Range(static_cast<double>(rank))});
    std::erase_if(model_, [&](const auto& point) {
      return point.second.group == group && point.second.rank < rank;
    });
    return collection_->DeleteByFilter(context_, filter).status();
  }

  static NumericRange Range(double below) {
    NumericRange range;
    range.lt = below;
    return range;
  }

  Chosen ChooseFilter() {
    auto filter = std::make_shared<Filter>();
    const auto group = static_cast<int64_t>(Below(11));  // nothing is in group 10
    const auto rank = static_cast<int64_t>(OneOf(2) ? Below(1000) : Below(20));
    const FieldCondition in_group{*PayloadPath::Parse("g"), MatchValue{group}};
    const FieldCondition below{*PayloadPath::Parse("r"), Range(static_cast<double>(rank))};
    switch (Below(5)) {
      case 0:
        filter->must.push_back(in_group);
        return {filter, [=](uint64_t, const Stored& s) { return s.group == group; }};
      case 1:
        filter->must.push_back(below);
        return {filter, [=](uint64_t, const Stored& s) { return s.rank < rank; }};
      case 2:
        filter->should = {in_group, below};
        return {filter,
                [=](uint64_t, const Stored& s) { return s.group == group || s.rank < rank; }};
      case 3:
        filter->must_not = {in_group, below};
        return {filter,
                [=](uint64_t, const Stored& s) { return s.group != group && s.rank >= rank; }};
      default:
        break;
    }
    std::vector<PointId> ids;
    std::set<uint64_t> numbers;
    for (int i = 0; i < 30; ++i) ids.push_back(PointId(Below(options_.ids)));
    for (const PointId& id : ids) numbers.insert(id.number());
    filter->must.push_back(HasIdCondition(ids));
    return {filter, [=](uint64_t id, const Stored&) { return numbers.contains(id); }};
  }
  Chosen MayChooseFilter() { return OneOf(2) ? ChooseFilter() : Chosen(); }

  double DistanceOf(const DenseVector& a, const DenseVector& b) const {
    return NaiveDistance(options_.metric, a, b);
  }
  static bool Near(double a, double b) { return std::abs(a - b) <= 2e-5 * (1 + std::abs(b)); }

  Status Search(bool exact) {
    const bool by_b = OneOf(4);
    const Chosen chosen = MayChooseFilter();
    const DenseVector query = RandomVector(by_b ? kModelDimB : kModelDim);
    SearchRequest request;
    request.vector_name = by_b ? "b" : "";
    request.query = query;
    request.filter = chosen.filter;
    request.limit = OneOf(10) ? 1 + Below(300) : 10;
    request.exact = exact;
    // So few candidates that not all neighbours are sure to be among them.
    if (OneOf(2)) request.ef = 10 + Below(30);
    Result<std::vector<Hit>> hits = collection_->Search(context_, request);
    if (!hits.ok()) return hits.status();
    if (!exact && collection_->stats().graph_vectors > 0) ++walks_;
    std::vector<double> expected;
    for (const auto& [id, stored] : model_) {
      const DenseVector& vector = by_b ? stored.b : stored.a;
      if (vector.empty() || !chosen.admits(id, stored)) continue;
      expected.push_back(DistanceOf(query, vector));
    }
    const size_t count = std::min(request.limit, expected.size());
    std::partial_sort(expected.begin(), expected.begin() + static_cast<ptrdiff_t>(count),
                      expected.end());
    expected.resize(count);
    AKIDB_RETURN_IF_ERROR(CheckHits(query, *hits, chosen, count));
    return CompareRanks(*hits, expected, exact);
  }

  // Whatever is found is there, passes the filter and has its own distance.
  Status CheckHits(const DenseVector& query, const std::vector<Hit>& hits, const Chosen& chosen,
                   size_t count) const {
    if (hits.size() != count) {
      return InternalError("a search finds " + std::to_string(hits.size()) + " of " +
                           std::to_string(count));
    }
    std::set<uint64_t> seen;
    for (const Hit& hit : hits) {
      const uint64_t id = hit.id.number();
      auto stored = model_.find(id);
      if (stored == model_.end()) return InternalError("a search finds the dead " + Text(id));
      if (!seen.insert(id).second) return InternalError("a search finds twice " + Text(id));
      if (!chosen.admits(id, stored->second)) {
        return InternalError("a search finds against its filter " + Text(id));
      }
      const DenseVector& own = query.size() == kModelDim ? stored->second.a : stored->second.b;
      if (own.empty() || !Near(static_cast<double>(hit.distance), DistanceOf(query, own))) {
        return InternalError("a search tells a wrong distance of " + Text(id));
      }
    }
    return OkStatus();
  }

  Status CompareRanks(const std::vector<Hit>& hits, const std::vector<double>& expected,
                      bool exact) {
    for (size_t i = 0; i < hits.size(); ++i) {
      if (i > 0 && hits[i].distance < hits[i - 1].distance) {
        return InternalError("hits are out of order");
      }
      if (exact && !Near(static_cast<double>(hits[i].distance), expected[i])) {
        return InternalError("an exact search misses rank " + std::to_string(i));
      }
    }
    if (exact || expected.empty()) return OkStatus();
    const double last = expected.back() + 2e-5 * (1 + std::abs(expected.back()));
    wanted_ += expected.size();
    found_ += static_cast<uint64_t>(std::count_if(hits.begin(), hits.end(), [&](const Hit& hit) {
      return static_cast<double>(hit.distance) <= last;
    }));
    return OkStatus();
  }

  Status Count() {
    const Chosen chosen = MayChooseFilter();
    AKIDB_ASSIGN_OR_RETURN(uint64_t count, collection_->Count(context_, chosen.filter.get()));
    const auto expected =
        static_cast<uint64_t>(std::count_if(model_.begin(), model_.end(), [&](const auto& point) {
          return chosen.admits(point.first, point.second);
        }));
    if (count == expected) return OkStatus();
    return InternalError("a count is " + std::to_string(count) + ", not " +
                         std::to_string(expected));
  }

  Status Scroll() {
    const Chosen chosen = MayChooseFilter();
    ScrollRequest request;
    request.offset = PointId(Below(options_.ids));
    request.limit = 1 + Below(40);
    request.filter = chosen.filter;
    return CompareScroll(request, chosen);
  }

  Status CompareScroll(const ScrollRequest& request, const Chosen& chosen) {
    AKIDB_ASSIGN_OR_RETURN(ScrollPage page, collection_->Scroll(context_, request));
    auto it = model_.lower_bound(request.offset->number());
    const auto skip = [&] {
      while (it != model_.end() && !chosen.admits(it->first, it->second)) ++it;
    };
    for (const PointRecord& record : page.points) {
      skip();
      if (it == model_.end() || record.id != PointId(it->first)) {
        return InternalError("a scroll shows another point than " +
                             (it == model_.end() ? "none" : Text(it->first)));
      }
      AKIDB_RETURN_IF_ERROR(CompareRecord(record, it->second));
      ++it;
    }
    skip();
    if ((it != model_.end()) != page.next.has_value() ||
        (it != model_.end() && page.points.size() != request.limit) ||
        (page.next && page.next->number() > it->first)) {
      return InternalError("a scroll ends before the points do, or goes on behind them");
    }
    return OkStatus();
  }

  Status Retrieve() {
    RetrieveRequest request;
    std::vector<uint64_t> expected;
    for (int i = 0; i < 5; ++i) {
      const uint64_t id = Below(options_.ids);
      if (std::find(request.ids.begin(), request.ids.end(), PointId(id)) != request.ids.end()) {
        continue;
      }
      request.ids.push_back(PointId(id));
      if (model_.contains(id)) expected.push_back(id);
    }
    request.with_vectors.mode = VectorSelector::Mode::kAll;
    AKIDB_ASSIGN_OR_RETURN(std::vector<PointRecord> records,
                           collection_->Retrieve(context_, request));
    if (records.size() != expected.size()) return InternalError("points are missing, or too many");
    for (size_t i = 0; i < records.size(); ++i) {
      if (records[i].id != PointId(expected[i])) return InternalError("another point is retrieved");
      AKIDB_RETURN_IF_ERROR(CompareRecord(records[i], model_.at(expected[i])));
    }
    return OkStatus();
  }

  Status CompareRecord(const PointRecord& record, const Stored& stored) const {
    const PayloadValue payload = record.payload->root();
    if (payload.Member("g")->AsInt() != stored.group ||
        payload.Member("r")->AsInt() != stored.rank) {
      return InternalError("another payload is stored in " + Text(record.id.number()));
    }
    if (!record.vectors) return OkStatus();
    if (record.vectors->size() != (stored.b.empty() ? 1u : 2u)) {
      return InternalError("another number of vectors is stored in " + Text(record.id.number()));
    }
    for (const auto& [name, vector] : *record.vectors) {
      const DenseVector& given = name.empty() ? stored.a : stored.b;
      bool same = vector.size() == given.size();
      const double length = options_.metric == Metric::kCosine ? LengthOf(given) : 1;
      for (size_t i = 0; same && i < given.size(); ++i) {
        same = Near(static_cast<double>(vector[i]), static_cast<double>(given[i]) / length);
      }
      if (!same) return InternalError("another vector is stored in " + Text(record.id.number()));
    }
    return OkStatus();
  }
  static double LengthOf(const DenseVector& vector) {
    double squared = 0;
    for (float value : vector) squared += static_cast<double>(value) * static_cast<double>(value);
    return squared == 0 ? 1 : std::sqrt(squared);
  }
  static std::string Text(uint64_t id) { return "point " + std::to_string(id); }

  Status Rest() {
    AKIDB_RETURN_IF_ERROR(collection_->Seal());
    world_.rest();
    return collection_->Merge();
  }

  Status Reopen() {
    collection_.reset();
    AKIDB_ASSIGN_OR_RETURN(collection_, world_.reopen());
    return OkStatus();
  }

  Status ChangeIndexes() {
    const char* field = OneOf(2) ? "g" : "r";
    if (OneOf(3)) return collection_->DropPayloadIndex(context_, field).status();
    return collection_
        ->PutPayloadIndex(context_, field, {.kind = PayloadFieldKind::kInteger, .params_json = ""})
        .status();
  }

  Status CompareAll() {
    AKIDB_RETURN_IF_ERROR(Count());
    ScrollRequest request;
    request.offset = PointId(0);
    request.limit = options_.ids;
    request.with_vectors.mode = VectorSelector::Mode::kAll;
    return CompareScroll(request, Chosen());
  }

  const ModelOptions options_;
  std::mt19937_64 random_;
  // Shared because collections are handed out so.
  std::shared_ptr<Collection> collection_;
  const ModelWorld world_;
  RequestContext context_;
  std::map<uint64_t, Stored> model_;
  uint64_t operation_ = 0;
  uint64_t found_ = 0;
  uint64_t wanted_ = 0;
  uint64_t walks_ = 0;
};

}  // namespace akidb::engine
