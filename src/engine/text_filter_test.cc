// Conditions on texts under an index: the same answer in the head, in segments that were written
// before the index, and in those that have it.
#include "engine/indexed_collection_fixture.h"
#include "types/text/words.h"

namespace akidb::engine {
namespace {

using Mode = MatchText::Mode;

class TextFilterTest : public IndexedCollectionFixture {
 protected:
  TextFilterTest() : IndexedCollectionFixture(60) {}

  std::string PayloadOf(uint64_t id) const override {
    if (id % 5 == 0) return R"({"t":["Running dogs)" + std::to_string(id % 3) + R"(","jumped"]})";
    return R"({"t":"the dogs)" + std::to_string(id % 3) + R"( were jumping"})";
  }
  void PutIndex(const std::string& params) {
    ASSERT_TRUE(
        collection_->PutPayloadIndex(context_, "t", {PayloadFieldKind::kText, params}).ok());
  }
  static Filter Texts(Mode mode, const std::string& text) {
    MatchText match{mode, WordsOf(text)};
    match.text = text;
    auto inner = std::make_shared<Filter>();
    inner->must.push_back(FieldCondition{*PayloadPath::Parse("t"), std::move(match)});
    Filter filter;
    filter.should.push_back(std::shared_ptr<const Filter>(std::move(inner)));
    return filter;
  }
  uint64_t Count(Mode mode, const std::string& text) {
    const Filter filter = Texts(mode, text);
    return collection_->Count(context_, &filter).value();
  }
  // Of 600 points.
  void ExpectEnglish() {
    EXPECT_EQ(Count(Mode::kAll, "The jump"), 600u);
    EXPECT_EQ(Count(Mode::kAll, "the were"), 0u) << "stop words alone";
    EXPECT_EQ(Count(Mode::kAll, "runs jumping"), 120u) << "of all values";
    EXPECT_EQ(Count(Mode::kAny, "runs dogs1"), 120u + 160u);
    EXPECT_EQ(Count(Mode::kPhrase, "dogs1 jumps"), 160u);
    EXPECT_EQ(Count(Mode::kPhrase, "jumps dogs1"), 0u);
  }
  // A phrase is cut as texts are: of its words the last alone may go on in the text.
  void ExpectPrefixPhrases() {
    EXPECT_EQ(Count(Mode::kPhrase, "the dog"), 480u);
    EXPECT_EQ(Count(Mode::kPhrase, "dogs1 were jum"), 160u);
    EXPECT_EQ(Count(Mode::kPhrase, "th dogs1"), 0u);
    EXPECT_EQ(Count(Mode::kPhrase, "the were"), 0u);
  }
};

TEST_F(TextFilterTest, SegmentsAreWrittenAnewForTheOrderOfTokens) {
  Create();
  Store(0, 600);
  Settle();
  PutIndex(R"({"stemmer":{"type":"snowball","language":"english"}})");
  ASSERT_TRUE(collection_->Merge().ok());
  const uint64_t merged = collection_->stats().merged_rows;
  EXPECT_EQ(Count(Mode::kPhrase, "dogs1 were jumps"), 160u);
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_EQ(collection_->stats().merged_rows, merged);
  PutIndex(R"({"stemmer":{"type":"snowball","language":"english"},"phrase_matching":true})");
  EXPECT_EQ(Count(Mode::kPhrase, "dogs1 were jumps"), 160u);
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_EQ(collection_->stats().merged_rows, merged + 600);
  EXPECT_EQ(Count(Mode::kPhrase, "dogs1 were jumps"), 160u);
  EXPECT_EQ(Count(Mode::kPhrase, "dogs1 jumps"), 0u);
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_EQ(collection_->stats().merged_rows, merged + 600);
  // Without them again there is nothing to do.
  PutIndex(R"({"stemmer":{"type":"snowball","language":"english"}})");
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_EQ(collection_->stats().merged_rows, merged + 600);
}

TEST_F(TextFilterTest, TheIndexsOptionsDecideWhereverARowIs) {
  Create();
  Store(0, 300);
  Settle();
  Store(300, 300);  // in the head
  EXPECT_EQ(Count(Mode::kAll, "jumps"), 0u);
  EXPECT_EQ(Count(Mode::kAll, "the"), 480u);
  PutIndex(R"({"stopwords":"english","stemmer":{"type":"snowball","language":"english"}})");
  ExpectEnglish();
  ASSERT_TRUE(collection_->Merge().ok());
  ExpectEnglish();
  Settle();
  ExpectEnglish();
  Reopen();
  ExpectEnglish();
  // Segments have the tokens of other options until they are merged.
  PutIndex(R"({"tokenizer":"prefix"})");
  EXPECT_EQ(Count(Mode::kAll, "jum dogs"), 600u);
  ExpectPrefixPhrases();
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_EQ(Count(Mode::kAll, "jum dogs"), 600u);
  ExpectPrefixPhrases();
  PutIndex(R"({"tokenizer":"prefix","phrase_matching":true})");
  ASSERT_TRUE(collection_->Merge().ok());
  ExpectPrefixPhrases();
  ASSERT_TRUE(collection_->DeleteByFilter(context_, Texts(Mode::kAll, "runn")).ok());
  EXPECT_EQ(Count(Mode::kAny, "r j"), 480u);
  ASSERT_TRUE(collection_->DropPayloadIndex(context_, "t").ok());
  EXPECT_EQ(Count(Mode::kAll, "jum"), 0u);
}

TEST_F(TextFilterTest, OptionsThatNothingIsKnownForAreRefused) {
  Create();
  for (const char* params :
       {R"({"stopwords":"klingon"})", R"({"stemmer":{"type":"snowball","language":"tlh"}})",
        R"({"min_token_len":3,"max_token_len":2})", R"({"tokenizer":"best"})"}) {
    EXPECT_FALSE(
        collection_->PutPayloadIndex(context_, "t", {PayloadFieldKind::kText, params}).ok())
        << params;
  }
  EXPECT_TRUE(collection_->PayloadIndexes(context_)->empty());
}

}  // namespace
}  // namespace akidb::engine
