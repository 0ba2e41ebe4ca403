#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "engine/payload_index/payload_index_fixture.h"

namespace akidb::engine {
namespace {

constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

std::vector<Payload> Animals() {
  return TestPayloads({
      R"({"kind": "cat", "legs": 4})",                        // 0
      R"({"kind": ["cat", "pet", "cat"]})",                   // 1
      R"({"kind": null, "legs": [2, 2, 4]})",                 // 2
      R"({"kind": [], "legs": 4.0})",                         // 3
      R"({"kind": ["dog", 7, null], "legs": []})",            // 4
      R"({"legs": [4, "four", 3.5]})",                        // 5
      R"({"kind": {"name": "cat"}, "legs": -9})",             // 6
      R"({"kind": [["cat"]], "legs": 9223372036854775808})",  // 7
  });
}

TEST(KeywordIndex, FindsStringsInFieldsAndOneLevelOfArrays) {
  const TestSection section(Animals(), {{"kind", PayloadIndexKind::kKeyword}});
  const PayloadIndexReader& index = Only(section);
  EXPECT_EQ(index.kind(), PayloadIndexKind::kKeyword);
  ExpectFinds(index, MatchValue{"cat"}, {0, 1});
  ExpectFinds(index, MatchValue{"bird"}, {});
  ExpectFinds(index, MatchValue{""}, {});
  ExpectFinds(index, MatchAny{{"dog", "pet", "dog", "bird"}}, {1, 4});
  ExpectFinds(index, MatchAny{}, {});
  EXPECT_EQ(RowsIn(index.Empty()), (Rows{2, 3, 5}));
  EXPECT_EQ(RowsIn(index.Null()), (Rows{2, 4}));
  EXPECT_EQ(index.EmptyCount(), 3u);
  EXPECT_EQ(index.NullCount(), 2u);
}

TEST(KeywordIndex, ExceptWantsAnotherValue) {
  const TestSection section(Animals(), {{"kind", PayloadIndexKind::kKeyword}});
  const PayloadIndexReader& index = Only(section);
  ExpectFinds(index, MatchExcept{{"cat"}}, {1, 4, 6, 7});
  ExpectFinds(index, MatchExcept{{"cat", "pet", "cat"}}, {4, 6, 7});
  ExpectFinds(index, MatchExcept{}, {0, 1, 4, 6, 7});
}

TEST(KeywordIndex, LeavesValuesThatItDoesNotHold) {
  const TestSection section(Animals(), {{"kind", PayloadIndexKind::kKeyword}});
  const PayloadIndexReader& index = Only(section);
  ExpectLeaves(index, MatchValue{int64_t{7}}, {{}, {4, 6, 7}});
  ExpectLeaves(index, MatchAny{{"cat", true}}, {{0, 1}, {0, 1, 4, 6, 7}});
  ExpectLeaves(index, MatchExcept{{"dog", int64_t{7}}}, {{0, 1}, {0, 1, 4, 6, 7}});
  ExpectLeaves(index, TestRange("<", 8), {{}, {4}});
}

TEST(KeywordIndex, LeavesLongStringsToTheEvaluation) {
  const std::string longest(kKeywordBytesMax, 'x');
  const std::string too_long(kKeywordBytesMax + 1, 'x');
  const TestSection section(
      TestPayloads({R"({"k": ")" + longest + "\"}", R"({"k": ")" + too_long + "\"}"}),
      {{"k", PayloadIndexKind::kKeyword}});
  const PayloadIndexReader& index = Only(section);
  ExpectFinds(index, MatchValue{longest}, {0});
  ExpectLeaves(index, MatchValue{too_long}, {{}, {1}});
  ExpectFinds(index, MatchExcept{{longest}}, {1});
}

TEST(IntegerIndex, FindsValuesAndRanges) {
  const TestSection section(Animals(), {{"legs", PayloadIndexKind::kInteger}});
  const PayloadIndexReader& index = Only(section);
  EXPECT_EQ(index.kind(), PayloadIndexKind::kInteger);
  ExpectFinds(index, MatchValue{int64_t{4}}, {0, 2, 5});
  ExpectFinds(index, MatchValue{int64_t{3}}, {});
  ExpectFinds(index, MatchAny{{int64_t{2}, int64_t{-9}}}, {2, 6});
  ExpectFinds(index, MatchExcept{{int64_t{4}}}, {2, 3, 5, 6, 7});
  ExpectFinds(index, MatchExcept{{int64_t{4}, int64_t{2}}}, {3, 5, 6, 7});
  // Row 3 holds 4.0, row 5 holds 3.5 and row 7 more than int64 can: they are numbers all the same.
  ExpectLeaves(index, TestRange(">=", 3.5), {{0, 2, 5}, {0, 2, 3, 5, 7}});
  ExpectLeaves(index, TestRange(">", -9, "<", 4), {{2}, {2, 3, 5, 7}});
  ExpectLeaves(index, NumericRange{}, {{0, 2, 5, 6}, {0, 2, 3, 5, 6, 7}});
  ExpectLeaves(index, MatchValue{"four"}, {{}, {3, 5, 7}});
}

TEST(IntegerIndex, KeepsTheWholeRangeOfIntegers) {
  const TestSection section(
      TestPayloads({R"({"n": -9223372036854775808})", R"({"n": 9223372036854775807})",
                    R"({"n": 0})", R"({"n": 9007199254740993})"}),
      {{"n", PayloadIndexKind::kInteger}});
  const PayloadIndexReader& index = Only(section);
  ExpectFinds(index, MatchValue{INT64_MIN}, {0});
  ExpectFinds(index, MatchValue{INT64_MAX}, {1});
  ExpectFinds(index, TestRange(">", 0), {1, 3});
  // As doubles, 2^53 + 1 is 2^53: the comparison is that of the evaluator.
  ExpectFinds(index, TestRange("<=", 9007199254740992.0), {0, 2, 3});
  ExpectFinds(index, TestRange(">=", 9223372036854775808.0), {1});
  ExpectFinds(index, TestRange("<", kNotANumber), {});
  ExpectFinds(index, TestRange(">=", kNotANumber), {});
  ExpectFinds(index, TestRange(">", 1, "<", 1), {});
}

TEST(IntegerIndex, TakesTheNarrowestWidth) {
  auto bytes = [](const std::string& last) {
    return BuildIndex(TestPayloads({R"({"n": 1000})", R"({"n": )" + last + "}"}), "n",
                      PayloadIndexKind::kInteger)
        .size();
  };
  const size_t narrow = bytes("1255");
  EXPECT_EQ(bytes("1256"), narrow);  // 2 x 2 bytes, padded to the same 8
  EXPECT_EQ(bytes("70000"), narrow);
  EXPECT_EQ(bytes("-9223372036854775808"), narrow + 8);
}

TEST(PayloadIndex, FollowsPathsThroughArrays) {
  const TestSection section(TestPayloads({R"({"a": [{"b": "x"}, {"b": ["y", "z"]}, {"c": 1}, 5]})",
                                          R"({"a": {"b": "x"}})", R"({"a": [{"b": null}]})"}),
                            {{"a[].b", PayloadIndexKind::kKeyword}});
  const PayloadIndexReader& index = Only(section);
  ExpectFinds(index, MatchValue{"x"}, {0});
  ExpectFinds(index, MatchAny{{"y"}}, {0});
  EXPECT_EQ(RowsIn(index.Empty()), (Rows{1, 2}));
  EXPECT_EQ(RowsIn(index.Null()), (Rows{2}));
}

TEST(PayloadIndex, WorksOverNoRows) {
  for (PayloadIndexKind kind : {PayloadIndexKind::kKeyword, PayloadIndexKind::kInteger}) {
    const TestSection section({}, {{"a", kind}});
    ExpectFinds(Only(section), MatchExcept{}, {});
    ExpectFinds(Only(section), NumericRange{}, {});
    EXPECT_TRUE(Only(section).Empty().empty());
  }
}

TEST(PayloadIndexBuilder, StopsAtItsMemoryBound) {
  for (PayloadIndexKind kind : {PayloadIndexKind::kKeyword, PayloadIndexKind::kInteger}) {
    PayloadIndexBuilder builder({TestPath("k"), kind}, 10'000);
    Status status;
    for (int i = 0; i < 10'000 && status.ok(); ++i) {
      const std::string value =
          kind == PayloadIndexKind::kKeyword ? '"' + std::to_string(i) + '"' : std::to_string(i);
      const std::vector<Payload> payloads = TestPayloads({R"({"k": )" + value + "}"});
      status = builder.AddRow(payloads.front().root());
    }
    EXPECT_EQ(status.code(), ErrorCode::kResourceExhausted);
    EXPECT_NE(status.message().find("at most 10000"), std::string::npos) << status.ToString();
    EXPECT_GT(builder.rows(), 50u);
    EXPECT_LT(builder.rows(), 1000u);
  }
}

TEST(PayloadIndexSection, FindsIndexesByTheStepsOfTheirPath) {
  const TestSection section(Animals(), {{"kind", PayloadIndexKind::kKeyword},
                                        {"kind", PayloadIndexKind::kInteger},
                                        {"kind[]", PayloadIndexKind::kKeyword},
                                        {"legs[0]", PayloadIndexKind::kInteger}});
  EXPECT_EQ(section.section().indexes().size(), 4u);
  EXPECT_EQ(section.section().On(TestPath("\"kind\"")).size(), 2u);
  EXPECT_EQ(section.section().On(TestPath("kind[]")).size(), 1u);
  EXPECT_EQ(section.section().On(TestPath("legs[0]")).size(), 1u);
  EXPECT_TRUE(section.section().On(TestPath("legs[1]")).empty());
  EXPECT_TRUE(section.section().On(TestPath("legs")).empty());
}

TEST(PayloadIndexSection, RefusesTwoIndexesOfOneKindAndPath) {
  const std::vector<Payload> payloads = Animals();
  const std::vector<std::byte> index = BuildIndex(payloads, "kind", PayloadIndexKind::kKeyword);
  const std::vector<std::byte> twice = WritePayloadIndexes(8, std::vector{index, index});
  EXPECT_EQ(PayloadIndexSection::Open(twice, 8).status().code(), ErrorCode::kCorruption);
}

TEST(PayloadIndexSection, SkipsKindsOfNewerVersions) {
  const std::vector<Payload> payloads = Animals();
  std::vector<std::byte> newer = BuildIndex(payloads, "kind", PayloadIndexKind::kKeyword);
  newer[payload_index_format::kIndexKindOffset] = std::byte{77};
  const std::vector<std::byte> legs = BuildIndex(payloads, "legs", PayloadIndexKind::kInteger);
  const std::vector<std::byte> bytes = WritePayloadIndexes(8, std::vector{newer, legs});
  Result<PayloadIndexSection> section = PayloadIndexSection::Open(bytes, 8);
  ASSERT_TRUE(section.ok()) << section.status().ToString();
  ASSERT_EQ(section->indexes().size(), 1u);
  EXPECT_EQ(section->indexes()[0].path().text(), "legs");
}

TEST(PayloadIndexSection, RefusesNewerVersionsByName) {
  const std::vector<std::byte> index = BuildIndex(Animals(), "kind", PayloadIndexKind::kKeyword);
  std::vector<std::byte> bytes = WritePayloadIndexes(8, std::span(&index, 1));
  bytes[4] = std::byte{2};
  EXPECT_EQ(PayloadIndexSection::Open(bytes, 8).status().code(), ErrorCode::kUnsupported);
}

// Every byte by docs/format/payload_index.md: files written today must be read by later versions.
TEST(PayloadIndexFormat, KeepsItsBytes) {
  auto hex = [](const std::vector<std::byte>& bytes) {
    std::string text;
    for (size_t i = 0; i < bytes.size(); ++i) {
      static constexpr char kDigits[] = "0123456789abcdef";
      if (i % 8 == 0 && i > 0) text += ' ';
      text += kDigits[static_cast<uint8_t>(bytes[i]) >> 4];
      text += kDigits[static_cast<uint8_t>(bytes[i]) & 15];
    }
    return text;
  };
  const std::vector<Payload> payloads =
      TestPayloads({R"({"k": ["b", "a"]})", R"({"k": "b"})", R"({"k": 258})", "{}"});
  EXPECT_EQ(hex(BuildIndex(payloads, "k", PayloadIndexKind::kKeyword)),
            "414b504901000100 0400000001000000 0300000000000000 0200000000000000 "
            "0200000000000000 0300000001000000 0200000000000000 "
            "0200000000000000 0100000001000000 0000000000000000 0100000000000000 0100000000000000 "
            "6b00000000000000 "                                    // path
            "0200000003000000 0300000002000000 0200000000000000 "  // row sets
            "0000000000000000 0200000000000000 "                   // row 0 has 2 values
            "0100000002000000 0100000003000000 "                   // ends
            "0000000002000000 0300000000000000 "                   // postings
            "6162000000000000");                                   // values
  EXPECT_EQ(hex(BuildIndex(payloads, "k", PayloadIndexKind::kInteger)),
            "414b504901000201 0400000001000000 0100000000000000 0201000000000000 "
            "0000000000000000 0000000000000000 0100000000000000 "
            "0100000000000000 0100000001000000 0000000000000000 0200000000000000 0000000000000000 "
            "6b00000000000000 "                   // path
            "0200000003000000 0200000003000000 "  // row sets
            "0000000000000000 02000000");         // values, rows
  std::vector<std::byte> text =
      BuildIndex(TestPayloads({R"({"k": ["b c", "b"]})", R"({"k": "b"})"}), "k",
                 PayloadIndexKind::kText, true);
  std::fill_n(text.begin() + 52, 4, std::byte{0});  // the fingerprint, which libraries are part of
  EXPECT_EQ(hex(text),
            "414b504902000800 0200000001000000 0300000000000000 0200000000000000 "
            "0200000000000000 0300000001000000 0200000000000000 "
            "0000000001000000 0000000001000000 0000000000000000 0000000000000000 0000000000000000 "
            "0100000005000000 "                   // sequences
            "6b00000000000000 "                   // path
            "0000000000000000 0200000000000000 "  // row 0 has 2 values
            "0100000002000000 0200000003000000 0200000003000000 0000000000000000 "
            "6263000000000000 "                               // values
            "0100000002000000 0400000005000000 0102000101");  // ranks, ends, sequences
  std::vector<std::byte> ranked =
      BuildRankingIndex(TestPayloads({R"({"k": ["b c", "b"]})", R"({"k": "b"})"}), "k");
  std::fill_n(ranked.begin() + 52, 4, std::byte{0});
  std::string with_lengths = hex(text);
  with_lengths.replace(with_lengths.find("02000800"), 8, "03000800");
  EXPECT_EQ(hex(ranked), with_lengths + "000000 0300000001000000");  // lengths
}

}  // namespace
}  // namespace akidb::engine
