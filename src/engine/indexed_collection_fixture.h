// For tests of collections that are searched through codes, graphs and payload indexes: clustered
// vectors from fixed seeds, and how many of the nearest a search finds.
#pragma once

#include <cmath>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "engine/collection_merge_fixture.h"
#include "engine/vector_index.h"
#include "simd/kernels.h"
#include "storage/segment/section_file_format.h"

namespace akidb::engine {

// The middle of a section of a segment's file, as docs/format/segment.md lays it out.
inline uint64_t MiddleOfSection(std::string_view file, storage::SectionId id) {
  const auto bytes = std::as_bytes(std::span(file));
  auto trailer = storage::DecodeSectionFileTrailer(bytes.last(storage::kSectionFileTrailerBytes));
  auto footer = storage::DecodeSectionFileFooter(
      bytes.subspan(trailer->footer_offset, trailer->footer_bytes));
  for (const storage::SectionEntry& section : footer->sections) {
    if (section.key.id == id) return section.offset + section.bytes / 2;
  }
  ADD_FAILURE() << "no such section";
  return 0;
}

class IndexedCollectionFixture : public CollectionMergeFixture {
 protected:
  static constexpr uint32_t kDim = 32;

  explicit IndexedCollectionFixture(uint64_t clusters, uint32_t dim = kDim)
      : clusters_(clusters), dim_(dim) {
    config_.vectors.clear();
    config_.vectors[""] = {.dim = dim_, .metric = Metric::kCosine};
    options_.head_rows_max = 300;
    // However long segments take to be written: no test here is about writers that are refused.
    options_.room_wait_max = std::chrono::minutes(5);
    UseIndexer(MakeVectorIndexer({.graph_rows_min = 800}, *log_));
  }

  // JSON of the point's payload.
  virtual std::string PayloadOf(uint64_t id) const = 0;

  // Its cluster is id % clusters. The bounds of recall hold for these seeds.
  virtual DenseVector VectorOf(uint64_t id) const {
    std::mt19937_64 random(id * 7919 + 1);
    std::normal_distribution<float> normal;
    std::mt19937_64 centre(id % clusters_);
    DenseVector vector(dim_);
    for (float& value : vector) value = normal(centre);
    for (float& value : vector) value += common_ + cluster_width_ * normal(random);
    const float length = std::exp(length_spread_ * normal(random));
    for (float& value : vector) value *= scale_ * length;
    return vector;
  }
  void Store(uint64_t first, uint64_t count) {
    for (uint64_t begin = first; begin < first + count; begin += 100) {
      std::vector<Point> points;
      for (uint64_t id = begin; id < std::min(begin + 100, first + count); ++id) {
        Point point;
        point.id = PointId(id);
        point.vectors = {{"", VectorOf(id)}};
        point.payload = *ParsePayloadJson(PayloadOf(id));
        points.push_back(std::move(point));
      }
      ASSERT_TRUE(collection_->Upsert(context_, std::move(points)).ok());
    }
  }
  // Points arrive no longer.
  void Settle() {
    ASSERT_TRUE(collection_->Seal().ok());
    clock_.Advance(std::chrono::seconds(20));
    ASSERT_TRUE(collection_->Merge().ok());
  }
  // By the vector that a point of this id would have.
  std::vector<Hit> Search(uint64_t query_id, bool exact, size_t limit = 10,
                          std::shared_ptr<const Filter> filter = nullptr) {
    DenseVector query = VectorOf(query_id);
    if (config_.vectors[""].datatype != VectorDatatype::kUint8) simd::Normalize(query);
    SearchRequest request;
    request.query = query;
    request.exact = exact;
    if (!exact) request.recall = wanted_recall_;
    request.limit = limit;
    request.filter = std::move(filter);
    Result<std::vector<Hit>> hits = collection_->Search(context_, request);
    EXPECT_TRUE(hits.ok()) << hits.status().ToString();
    return hits.ok() ? *hits : std::vector<Hit>();
  }
  // The share of the 10 nearest that are found, over 100 queries first_query, first_query + step, …
  // Whatever is found has its exact distance.
  double RecallOf(uint64_t first_query, uint64_t step,
                  const std::shared_ptr<const Filter>& filter = nullptr) {
    size_t found = 0;
    size_t wanted = 0;
    for (uint64_t q = 0; q < 100; ++q) {
      const uint64_t query = first_query + q * step;
      std::map<uint64_t, float> exact;
      for (const Hit& hit : Search(query, true, 10, filter)) {
        exact[hit.id.number()] = hit.distance;
      }
      for (const Hit& hit : Search(query, false, 10, filter)) {
        auto same = exact.find(hit.id.number());
        if (same == exact.end()) continue;
        EXPECT_EQ(same->second, hit.distance);
        ++found;
      }
      wanted += exact.size();
    }
    return static_cast<double>(found) / static_cast<double>(wanted);
  }

  const uint64_t clusters_;
  const uint32_t dim_;
  float cluster_width_ = 0.8f;
  double wanted_recall_ = 0;  // that searches ask for
  float common_ = 0;          // added to every component
  float scale_ = 1;           // that every component is multiplied by
  float length_spread_ = 0;   // of the logarithm of lengths
};

}  // namespace akidb::engine
