#include "types/text/bm25.h"

#include <gtest/gtest.h>

namespace akidb {
namespace {

Bm25 English() {
  Bm25Options options;
  options.text = *TextOptionsOfLanguage("english");
  return *Bm25::Create(options);
}

TEST(Bm25, TokensHaveTheHashOfTheirBytes) {
  // MurmurHash3_x86_32, seed 0: known values of texts of every length modulo 4.
  EXPECT_EQ(Bm25Index(""), 0u);
  EXPECT_EQ(Bm25Index("test"), 0u - 0xba6bd213u);
  EXPECT_EQ(Bm25Index("Hello, world!"), 0u - 0xc0363e43u);
  EXPECT_EQ(Bm25Index("The quick brown fox jumps over the lazy dog"), 0x2e4ff723u);
}

TEST(Bm25, DocumentsAreWeighedByRepetitionAndLength) {
  const DenseVector vector = English().OfDocument("The dogs and the dog, a cat");
  // Two stems are left, one of them twice; three tokens.
  ASSERT_EQ(vector.size(), 2u);
  const size_t dog = (*vector.indices)[0] == Bm25Index("dog") ? 0 : 1;
  ASSERT_EQ((*vector.indices)[dog], Bm25Index("dog"));
  ASSERT_EQ((*vector.indices)[1 - dog], Bm25Index("cat"));
  const double length = 0.25 + 0.75 * 3 / 256;
  EXPECT_FLOAT_EQ(vector[dog], static_cast<float>(2 * 2.2 / (2 + 1.2 * length)));
  EXPECT_FLOAT_EQ(vector[1 - dog], static_cast<float>(2.2 / (1 + 1.2 * length)));
}

TEST(Bm25, QueriesHaveOneForEachWord) {
  const DenseVector vector = English().OfQuery("dogs dog cat THE");
  EXPECT_EQ(vector.size(), 2u);
  for (float value : vector) EXPECT_EQ(value, 1.0f);
  EXPECT_EQ(English().OfQuery("the").size(), 0u);
  EXPECT_TRUE(English().OfQuery("the").indices.has_value());
}

TEST(Bm25, BeginningsAreOfDocumentsOnly) {
  Bm25Options options;
  options.text.tokenizer = TextTokenizer::kPrefix;
  options.text.token_len_min = 2;
  options.text.token_len_max = 3;
  const Result<Bm25> model = Bm25::Create(options);
  ASSERT_TRUE(model.ok());
  EXPECT_EQ(model->OfDocument("fast").size(), 2u);  // "fa", "fas"
  const DenseVector query = model->OfQuery("fast");
  ASSERT_EQ(query.size(), 1u);
  EXPECT_EQ(query.indices->front(), Bm25Index("fas"));
}

TEST(Bm25, KnowsItsNamesAndRefusesWhatIsNone) {
  EXPECT_TRUE(IsBm25Model("Qdrant/bm25"));
  EXPECT_TRUE(IsBm25Model("BM25"));
  EXPECT_FALSE(IsBm25Model("qdrant/bm42"));
  EXPECT_FALSE(TextOptionsOfLanguage("klingon").ok());
  Bm25Options options;
  options.avg_len = 0;
  EXPECT_EQ(Bm25::Create(options).status().code(), ErrorCode::kInvalidArgument);
  options.avg_len = 10;
  options.b = 1.5;
  EXPECT_EQ(Bm25::Create(options).status().code(), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace akidb
