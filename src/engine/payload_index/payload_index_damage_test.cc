// Damaged bytes are refused, or answer something: they are never read outside and never crash. The
// blocks that hold them have checksums of their own (docs/format/segment.md).
#include <random>

#include <gtest/gtest.h>

#include "engine/payload_index/filter_plan.h"
#include "engine/payload_index/payload_index_fixture.h"

namespace akidb::engine {
namespace {

std::vector<Payload> MixedPayloads() {
  std::vector<std::string> objects;
  for (int i = 0; i < 90; ++i) {
    std::string tags = "[\"t" + std::to_string(i % 3) + "\", \"u" + std::to_string(i % 40) + "\"]";
    if (i % 7 == 0) tags = "null";
    if (i % 11 == 0) tags = "[true, \"t1\", 4.5]";
    objects.push_back(R"({"k": )" + tags + R"(, "n": [)" + std::to_string(i % 13) + ", " +
                      std::to_string(i * 1000 - 7) + R"(], "g": {"lat": )" + std::to_string(i) +
                      R"(, "lon": )" + std::to_string(i * 2) + R"(}, "t": "red )" +
                      std::string(i % 3 == 0 ? "blue " : "") + "green " + std::to_string(i) +
                      R"(", "s": "green red red"})");
  }
  return TestPayloads(objects);
}

std::vector<std::byte> IntactSection(const std::vector<Payload>& payloads) {
  return WritePayloadIndexes(static_cast<uint32_t>(payloads.size()),
                             std::vector{BuildIndex(payloads, "k", PayloadIndexKind::kKeyword),
                                         BuildIndex(payloads, "n", PayloadIndexKind::kInteger),
                                         BuildIndex(payloads, "n", PayloadIndexKind::kFloat),
                                         BuildIndex(payloads, "g", PayloadIndexKind::kGeo),
                                         BuildIndex(payloads, "t", PayloadIndexKind::kText, true),
                                         BuildRankingIndex(payloads, "s")});
}

// Of an index that ranks texts: how often tokens stand in every row.
void CountAll(const PayloadIndexSection& section) {
  for (const PayloadIndexReader& index : section.indexes()) {
    const TokenSequences* const sequences = index.sequences();
    if (index.kind() != PayloadIndexKind::kText || sequences == nullptr) continue;
    uint64_t tokens = 0;
    for (const char* token : {"red", "green", "none"}) {
      const PayloadIndexReader::HeldToken held = index.FindToken(token);
      held.rows.ForEach([&](uint32_t row) { EXPECT_LT(row, section.rows()); });
      for (uint32_t row = 0; !held.pattern.empty() && row < section.rows(); ++row) {
        sequences->Count(row, held.pattern);
        if (sequences->has_lengths()) tokens += sequences->Length(row);
      }
    }
    EXPECT_LE(tokens, uint64_t{UINT32_MAX} * section.rows() * 3);
  }
}

// Asks everything. The answers may be wrong, but are well-formed.
void AskAll(const PayloadIndexSection& section) {
  CountAll(section);
  std::vector<MatchScalar> scalars = {"t0", "t1", "u7", "none", int64_t{5}, int64_t{6993}, true};
  MatchText phrase{MatchText::Mode::kPhrase, {"red", "green"}};
  static const auto analyzer = TestAnalyzer(PayloadIndexKind::kText);
  phrase.analyzer = analyzer;
  for (const char* key : {"k", "n", "g", "t"}) {
    const PayloadPath path = TestPath(key);
    std::vector<FieldPredicate> predicates = {MatchAny{scalars},
                                              MatchExcept{scalars},
                                              MatchExcept{{"t1"}},
                                              TestRange(">=", 5),
                                              TestRange("<", 6000),
                                              MatchPrefix{"t"},
                                              MatchSubstring{"1"},
                                              DatetimeRange{},
                                              GeoBox{{60, 10}, {10, 80}},
                                              GeoCircle{{45, 90}, 1e6},
                                              phrase};
    for (const MatchScalar& scalar : scalars) predicates.push_back(MatchValue{scalar});
    for (const FieldPredicate& predicate : predicates) {
      Filter filter;
      filter.must = {FieldCondition{path, predicate}};
      filter.must_not = {IsNullCondition{path}, IsEmptyCondition{path}};
      filter.min_should = {FieldCondition{path, predicate}, IsNullCondition{path}};
      filter.min_should_count = 1;
      const FilterPlan plan(filter, FilterScope{section});
      EXPECT_LE(plan.Rows().possible().count(), section.rows());
      const RowEstimate estimate = plan.Estimate();
      EXPECT_LE(estimate.least, estimate.most);
      EXPECT_GE(estimate.expected, static_cast<double>(estimate.least));
      EXPECT_LE(estimate.expected, static_cast<double>(estimate.most));
    }
  }
}

struct Outcome {
  int refused = 0;
  int answered = 0;
};

void Try(std::span<const std::byte> damaged, uint32_t rows, Outcome& outcome) {
  // A copy of its own, so that a sanitizer sees the first byte read past the end.
  const std::vector<std::byte> bytes(damaged.begin(), damaged.end());
  Result<PayloadIndexSection> section = PayloadIndexSection::Open(bytes, rows);
  if (section.ok()) {
    ++outcome.answered;
    AskAll(*section);
    return;
  }
  ++outcome.refused;
  const ErrorCode code = section.status().code();
  EXPECT_TRUE(code == ErrorCode::kCorruption || code == ErrorCode::kUnsupported)
      << section.status().ToString();
}

TEST(PayloadIndexDamage, EveryTruncationIsRefused) {
  const std::vector<Payload> payloads = MixedPayloads();
  const std::vector<std::byte> intact = IntactSection(payloads);
  Outcome outcome;
  for (size_t size = 0; size < intact.size(); ++size) {
    Try(std::span(intact).first(size), 90, outcome);
  }
  EXPECT_EQ(outcome.answered, 0);
  std::vector<std::byte> longer = intact;
  longer.push_back(std::byte{0});
  Try(longer, 90, outcome);
  Try(intact, 89, outcome);
  EXPECT_EQ(outcome.answered, 0);
}

TEST(PayloadIndexDamage, EveryFlippedBitIsRefusedOrHarmless) {
  const std::vector<Payload> payloads = MixedPayloads();
  std::vector<std::byte> bytes = IntactSection(payloads);
  Outcome outcome;
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    Try(bytes, 90, outcome);
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
  }
  // Places, sizes and orders are checked; what is left are letters of keywords, integers and rows
  // that stay in order, and the padding between the indexes.
  EXPECT_GT(outcome.refused, outcome.answered);
}

TEST(PayloadIndexDamage, RandomWordsAreRefusedOrHarmless) {
  const uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  const std::vector<Payload> payloads = MixedPayloads();
  const std::vector<std::byte> intact = IntactSection(payloads);
  Outcome outcome;
  for (int i = 0; i < 20'000; ++i) {
    std::vector<std::byte> bytes = intact;
    for (uint64_t j = 1 + random() % 3; j > 0; --j) {
      const size_t at = random() % (bytes.size() / 4) * 4;
      // Small and huge numbers are what offsets and counts stumble over.
      const uint32_t values[] = {0,
                                 1,
                                 static_cast<uint32_t>(random() % 200),
                                 UINT32_MAX,
                                 static_cast<uint32_t>(random()),
                                 uint32_t{1} << 31};
      std::memcpy(bytes.data() + at, &values[random() % std::size(values)], 4);
    }
    Try(bytes, 90, outcome);
  }
  EXPECT_GT(outcome.refused, outcome.answered);
}

}  // namespace
}  // namespace akidb::engine
