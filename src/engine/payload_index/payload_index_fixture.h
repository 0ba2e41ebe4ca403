// Payloads, indexes and ranges for the tests of payload indexes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "engine/payload_index/payload_index_builder.h"
#include "engine/payload_index/payload_index_section.h"
#include "engine/payload_index/row_set_fixture.h"
#include "types/payload_json.h"

namespace akidb::engine {

inline PayloadPath TestPath(std::string_view text) {
  Result<PayloadPath> path = PayloadPath::Parse(text);
  EXPECT_TRUE(path.ok()) << text;
  return *path;
}

inline std::vector<Payload> TestPayloads(const std::vector<std::string>& objects) {
  std::vector<Payload> payloads;
  for (const std::string& json : objects) {
    Result<Payload> payload = ParsePayloadJson(json);
    EXPECT_TRUE(payload.ok()) << json;
    payloads.push_back(*payload);
  }
  return payloads;
}

// Words in lower case, without English stop words.
inline std::shared_ptr<const TextAnalyzer> TestAnalyzer(PayloadIndexKind kind) {
  if (kind != PayloadIndexKind::kText) return nullptr;
  return std::make_shared<const TextAnalyzer>(
      TextAnalyzer::Create({.stop_word_languages = {"english"}}).value());
}

inline std::vector<std::byte> BuildIndex(const std::vector<Payload>& payloads,
                                         PayloadIndexSpec spec) {
  PayloadIndexBuilder builder(std::move(spec), size_t{1} << 30);
  for (const Payload& payload : payloads) EXPECT_TRUE(builder.AddRow(payload.root()).ok());
  return std::move(builder).Finish();
}

inline std::vector<std::byte> BuildIndex(const std::vector<Payload>& payloads,
                                         std::string_view path, PayloadIndexKind kind,
                                         bool sequences = false) {
  return BuildIndex(payloads, {TestPath(path), kind, TestAnalyzer(kind), sequences});
}

// Of texts, that ranks them.
inline std::vector<std::byte> BuildRankingIndex(const std::vector<Payload>& payloads,
                                                std::string_view path) {
  const PayloadIndexKind kind = PayloadIndexKind::kText;
  return BuildIndex(payloads, {TestPath(path), kind, TestAnalyzer(kind), false, true});
}

// Indexes over the same rows, and the bytes they are read from.
class TestSection {
 public:
  struct Index {
    std::string path;
    PayloadIndexKind kind;
    bool sequences = false;
    bool lengths = false;
  };

  TestSection(const std::vector<Payload>& payloads, const std::vector<Index>& indexes)
      : section_(static_cast<uint32_t>(payloads.size())) {
    std::vector<std::vector<std::byte>> built;
    for (const Index& index : indexes) {
      built.push_back(
          BuildIndex(payloads, {TestPath(index.path), index.kind, TestAnalyzer(index.kind),
                                index.sequences, index.lengths}));
    }
    bytes_ = WritePayloadIndexes(section_.rows(), built);
    Result<PayloadIndexSection> opened = PayloadIndexSection::Open(bytes_, section_.rows());
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    if (opened.ok()) section_ = *opened;
  }
  TestSection(const TestSection&) = delete;
  TestSection& operator=(const TestSection&) = delete;

  const PayloadIndexSection& section() const { return section_; }

 private:
  PayloadIndexSection section_;
  std::vector<std::byte> bytes_;
};

using Rows = std::vector<uint32_t>;

inline const PayloadIndexReader& Only(const TestSection& section) {
  return section.section().indexes().front();
}

inline void ExpectFinds(const PayloadIndexReader& index, const FieldPredicate& predicate,
                        const Rows& rows) {
  const RowBounds found = index.Find(predicate);
  EXPECT_TRUE(found.exact());
  EXPECT_EQ(RowsIn(found.possible()), rows);
  const RowEstimate estimate = index.Estimate(predicate);
  EXPECT_LE(estimate.least, rows.size());
  EXPECT_GE(estimate.most, rows.size());
}

inline void ExpectLeaves(const PayloadIndexReader& index, const FieldPredicate& predicate,
                         const std::pair<Rows, Rows>& certain_and_possible) {
  const RowBounds found = index.Find(predicate);
  EXPECT_EQ(RowsIn(found.certain()), certain_and_possible.first);
  EXPECT_EQ(RowsIn(found.possible()), certain_and_possible.second);
  const RowEstimate estimate = index.Estimate(predicate);
  EXPECT_LE(estimate.least, certain_and_possible.first.size());
  EXPECT_GE(estimate.most, certain_and_possible.second.size());
}

// TestRange(">=", 3, "<", 7)
inline NumericRange TestRange(std::string_view bound, double value) {
  NumericRange range;
  (bound == "<"    ? range.lt
   : bound == "<=" ? range.lte
   : bound == ">"  ? range.gt
                   : range.gte) = value;
  return range;
}
inline NumericRange TestRange(std::string_view lower, double from, std::string_view upper,
                              double to) {
  NumericRange range = TestRange(lower, from);
  (upper == "<" ? range.lt : range.lte) = to;
  return range;
}

}  // namespace akidb::engine
