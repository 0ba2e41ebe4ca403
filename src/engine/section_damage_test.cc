// Damage at the borders of what can be built again in a segment's file: no answer is lost or wrong
// meanwhile, and the next merge mends it.
#include <optional>

#include <gtest/gtest.h>

#include "engine/indexed_collection_fixture.h"

namespace akidb::engine {
namespace {

using Entry = storage::SectionEntry;
using Id = storage::SectionId;

constexpr uint64_t kRows = 2400;
constexpr uint64_t kFirstQuery = 1'000'000;
constexpr uint64_t kLong = 7;  // far longer than the others, so that it stands beside the graph
constexpr std::array kDerived = {Id::kCodes,    Id::kSecondCodes,    Id::kGraph,      Id::kRecall,
                                 Id::kLongRows, Id::kPayloadIndexes, Id::kSparseIndex};

bool IsDerived(const Entry& section) {
  return std::find(kDerived.begin(), kDerived.end(), section.key.id) != kDerived.end();
}

class SectionDamageTest : public IndexedCollectionFixture {
 protected:
  SectionDamageTest() : IndexedCollectionFixture(40, 128) {
    config_.vectors[""].metric = Metric::kDot;
    config_.vectors["words"] = VectorConfig::Sparse(false);
    config_.payload_indexes["n"] = {PayloadFieldKind::kInteger, ""};
    config_.echoed_json["metadata"] = R"({"akidb":{"memory":"compact"}})";
    options_.head_rows_max = 2 * kRows;
    options_.head_bytes_max = size_t{16} << 20;
  }

  std::string PayloadOf(uint64_t id) const override {
    return R"({"n":)" + std::to_string(id) + "}";
  }
  DenseVector VectorOf(uint64_t id) const override {
    DenseVector vector = IndexedCollectionFixture::VectorOf(id);
    for (float& value : vector) value *= id == kLong ? 20 : 1;
    return vector;
  }
  static DenseVector WordsOf(uint64_t id) {
    return DenseVector::AtIndices({static_cast<uint32_t>(id % 50), 1000}, {1, 0.5F});
  }
  void StoreAll() {
    std::vector<Point> points(kRows);
    for (uint64_t id = 0; id < kRows; ++id) {
      points[id].id = PointId(id);
      points[id].vectors = {{"", VectorOf(id)}, {"words", WordsOf(id)}};
      points[id].payload = *ParsePayloadJson(PayloadOf(id));
    }
    ASSERT_TRUE(collection_->Upsert(context_, std::move(points)).ok());
  }

  std::string Path() {
    const std::vector<std::string> files = *disk_->List("/data/c/seg");
    EXPECT_EQ(files.size(), 1u);
    return "/data/c/seg/" + files[0];
  }
  std::vector<Entry> Sections() {
    const std::string file = *env::ReadWholeFile(*disk_, Path(), 64u << 20);
    const auto bytes = std::as_bytes(std::span(file));
    auto trailer = storage::DecodeSectionFileTrailer(bytes.last(storage::kSectionFileTrailerBytes));
    return storage::DecodeSectionFileFooter(
               bytes.subspan(trailer->footer_offset, trailer->footer_bytes))
        ->sections;
  }

  struct Answers {
    std::vector<std::pair<uint64_t, float>> hits;  // ids and distances
    uint64_t count = 0;                            // that a filter admits
    bool degraded = false;
  };
  Answers Ask(bool exact) {
    Answers answers;
    for (uint64_t query = kFirstQuery; query < kFirstQuery + 10; ++query) {
      for (const char* name : {"", "words"}) {
        SearchPlan plan;
        SearchRequest request;
        const DenseVector vector = *name == '\0' ? VectorOf(query) : WordsOf(query);
        request.SearchBy(vector);
        request.vector_name = name;
        request.exact = exact;
        request.plan = &plan;
        const Result<std::vector<Hit>> found = collection_->Search(context_, request);
        EXPECT_TRUE(found.ok()) << found.status().ToString();
        if (!found.ok()) continue;
        for (const Hit& hit : *found) answers.hits.emplace_back(hit.id.number(), hit.distance);
        answers.degraded = answers.degraded || plan.degraded;
      }
    }
    Filter filter;
    NumericRange range;
    range.lt = 777;
    filter.must.push_back(FieldCondition{*PayloadPath::Parse("n"), range});
    answers.count = *collection_->Count(context_, &filter);
    return answers;
  }

  // What a flipped bit at `offset` within `section` leads to, until a merge has mended it.
  void DamageAndHeal(const Entry& section, uint64_t offset, const Answers& expected) {
    const std::string damaged = Path();
    collection_.reset();
    ASSERT_TRUE(disk_->FlipBit(damaged, (section.offset + offset) * 8 + 2).ok());
    std::promise<void> go_on = HoldOptimizer();  // the merge that mends it begins with the opening
    Reopen();
    EXPECT_TRUE(collection_->stats().merge_due);
    const bool is_of_payloads = section.key.id == Id::kPayloadIndexes;
    const Answers meanwhile = Ask(is_of_payloads);
    EXPECT_EQ(meanwhile.hits, expected.hits);
    EXPECT_EQ(meanwhile.count, expected.count);
    if (!is_of_payloads) EXPECT_TRUE(meanwhile.degraded);
    go_on.set_value();
    ASSERT_TRUE(collection_->Merge().ok());
    EXPECT_NE(Path(), damaged);
    EXPECT_EQ(Ask(true).hits, expected.hits);
    EXPECT_FALSE(Ask(false).degraded);
    EXPECT_EQ(Ask(false).count, expected.count);
    EXPECT_EQ(collection_->stats().damage, "");
    EXPECT_EQ(collection_->stats().merge_failure, "");
    EXPECT_FALSE(collection_->stats().merge_due);
  }
};

TEST_F(SectionDamageTest, WhatCanBeBuiltAgainIsDownToTheLastByte) {
  Create();
  StoreAll();
  Settle();
  const Answers expected = Ask(true);
  EXPECT_EQ(expected.count, 777u);
  for (const Id id : kDerived) {
    for (const bool last : {false, true}) {
      SCOPED_TRACE("section " + std::to_string(static_cast<int>(id)) + (last ? ", last" : ""));
      const std::vector<Entry> sections = Sections();
      const auto section = std::find_if(sections.begin(), sections.end(),
                                        [&](const Entry& entry) { return entry.key.id == id; });
      ASSERT_NE(section, sections.end());
      ASSERT_NO_FATAL_FAILURE(DamageAndHeal(*section, last ? section->bytes - 1 : 0, expected));
    }
  }
}

// And the other way round: vectors that can't be read are none of the indexes' business.
TEST_F(SectionDamageTest, PrimarySectionsBesideThemCostOnlyWhatIsInTheirBlock) {
  Create();
  StoreAll();
  Settle();
  const std::vector<Entry> sections = Sections();
  const auto first = std::find_if(sections.begin(), sections.end(), IsDerived);
  const auto after = std::find_if_not(first, sections.end(), IsDerived);
  ASSERT_TRUE(first != sections.end() && after != sections.end());
  EXPECT_EQ(std::find_if(after, sections.end(), IsDerived), sections.end());
  EXPECT_EQ(first->offset % storage::kSectionBlockBytes, 0u);
  EXPECT_EQ(after->offset % storage::kSectionBlockBytes, 0u);
  const std::string path = Path();
  collection_.reset();
  ASSERT_TRUE(disk_->FlipBit(path, after->offset * 8).ok());
  Reopen();
  EXPECT_FALSE(collection_->stats().merge_due);
  EXPECT_EQ(collection_->stats().damage, "");
  SearchRequest request;
  const DenseVector words = WordsOf(3);
  request.SearchBy(words);
  request.vector_name = "words";
  SearchPlan plan;
  request.plan = &plan;
  EXPECT_TRUE(collection_->Search(context_, request).ok());
  EXPECT_FALSE(plan.degraded);
  const DenseVector all = VectorOf(kFirstQuery);
  SearchRequest exact;
  exact.SearchBy(all);
  exact.exact = true;
  EXPECT_FALSE(collection_->Search(context_, exact).ok());
}

}  // namespace
}  // namespace akidb::engine
