#include "embedding/tokenizer/wordpiece_tokenizer.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "embedding/tokenizer/bert_normalizer.h"
#include "embedding/tokenizer/tokenizer_fixture.h"

namespace akidb::embedding {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<int32_t> Ids(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<int32_t> ids;
  EXPECT_TRUE(tokenizer.Encode(text, SIZE_MAX, ids));
  return ids;
}

std::vector<int32_t> Ids(const SmallTokenizer& file, std::string_view text) {
  return Ids(*file.Load(), text);
}

TEST(WordPiece, TakesTheLongestTokenFirst) {
  std::unique_ptr<Tokenizer> tokenizer = SmallTokenizer().Load();
  EXPECT_THAT(Ids(*tokenizer, "unaffable"), ElementsAre(3, 4, 5));
  EXPECT_THAT(Ids(*tokenizer, "Unaffected pumps!"), ElementsAre(19, 6, 7, 10));
  EXPECT_THAT(Ids(*tokenizer, "unaffable words that follow it."),
              ElementsAre(3, 4, 5, 0, 0, 0, 0, 11));
  EXPECT_THAT(Ids(*tokenizer, ""), IsEmpty());
  EXPECT_THAT(Ids(*tokenizer, " \t\n\r\xC2\xA0\xE2\x80\xA8 "), IsEmpty());
}

TEST(WordPiece, FindsTokensOfMoreThanSixteenBytes) {
  std::unique_ptr<Tokenizer> tokenizer = SmallTokenizer().Load();
  EXPECT_THAT(Ids(*tokenizer, "INTERNATIONALIZATION"), ElementsAre(20));
  EXPECT_THAT(Ids(*tokenizer, "ainternationalizations a"), ElementsAre(8, 21, 7, 8));
  EXPECT_THAT(Ids(*tokenizer, "internationalizatiox"), ElementsAre(0));
}

TEST(WordPiece, MakesAWholeWordUnknownWhenARestHasNoToken) {
  std::unique_ptr<Tokenizer> tokenizer = SmallTokenizer().Load();
  EXPECT_THAT(Ids(*tokenizer, "pumpx pump"), ElementsAre(0, 6));
  EXPECT_THAT(Ids(*tokenizer, "a?a"), ElementsAre(8, 0, 8));
}

TEST(WordPiece, CountsCharactersOfAWordAfterNormalising) {
  std::unique_ptr<Tokenizer> tokenizer = SmallTokenizer().Load();
  EXPECT_EQ(Ids(*tokenizer, std::string(100, 'a')).size(), 100u);
  EXPECT_THAT(Ids(*tokenizer, std::string(101, 'a')), ElementsAre(0));
  std::string accented;
  for (int i = 0; i < 100; ++i) accented += "a\xCC\x81";
  EXPECT_EQ(Ids(*tokenizer, accented).size(), 100u);
  EXPECT_THAT(Ids(*tokenizer, accented + "a!"), ElementsAre(0, 10));
}

TEST(WordPiece, CleansSpacesAndStrips) {
  std::unique_ptr<Tokenizer> tokenizer = SmallTokenizer().Load();
  EXPECT_THAT(Ids(*tokenizer,
                  "CAF\xC3\x89 cafe\xCC\x81 ca\xE2\x80\x8B"
                  "fe"),
              ElementsAre(15, 15, 15));
  EXPECT_THAT(Ids(*tokenizer, "a中文a"), ElementsAre(8, 16, 17, 8));
  EXPECT_THAT(Ids(*tokenizer,
                  "a\xE2\x89\xA0"
                  "a"),
              ElementsAre(8, 18, 8));  // U+2260 holds a '='
  EXPECT_THAT(Ids(*tokenizer, std::string_view("pu\0mp", 5)), ElementsAre(6));
}

TEST(WordPiece, HonoursEachOptionOfTheNormalizer) {
  SmallTokenizer file;
  file.normalizer = R"({"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,)"
                    R"("strip_accents":false,"lowercase":true})";
  EXPECT_THAT(Ids(file, "É \xC4\xB0 e"), ElementsAre(24, 25, 0));  // U+0130: two characters
  file.normalizer = R"({"type":"BertNormalizer","clean_text":false,"handle_chinese_chars":false,)"
                    R"("strip_accents":true,"lowercase":false})";
  EXPECT_THAT(Ids(file, "Pump pump 中文 pu\x01mp cafe\xCC\x81"), ElementsAre(0, 6, 0, 0, 15));
  file.normalizer = "null";
  EXPECT_THAT(Ids(file, "Pump pump\tcafe\xCC\x81 é e\xCC\x81"), ElementsAre(0, 6, 0, 24, 0));
}

TEST(WordPiece, ReadsInvalidUtf8AsReplacementCharacters) {
  std::unique_ptr<Tokenizer> tokenizer = SmallTokenizer().Load();
  EXPECT_THAT(Ids(*tokenizer, "pu\xFFmp \xE4\xB8 a\xC0\x80 \xED\xA0\x80! \xF0\x9F"),
              ElementsAre(6, 8, 10));
  SmallTokenizer file;
  file.normalizer = "null";
  EXPECT_THAT(Ids(file, "\xFF pump"), ElementsAre(0, 6));
}

TEST(WordPiece, StopsAtTheCut) {
  std::unique_ptr<Tokenizer> tokenizer = SmallTokenizer().Load();
  auto encode = [&](std::string_view text, size_t ids_max, bool whole) {
    std::vector<int32_t> ids = {77};
    EXPECT_EQ(tokenizer->Encode(text, ids_max, ids), whole) << text << " " << ids_max;
    return ids;
  };
  EXPECT_THAT(encode("a a a", 2, false), ElementsAre(77, 8, 8));
  EXPECT_THAT(encode("a a   ", 2, true), ElementsAre(77, 8, 8));
  EXPECT_THAT(encode("a unaffable", 2, false), ElementsAre(77, 8, 3));
  EXPECT_THAT(encode("a unaffablex", 2, true), ElementsAre(77, 8, 0));
  EXPECT_THAT(encode("a!", 1, false), ElementsAre(77, 8));
  EXPECT_THAT(encode("a[SEP]", 1, false), ElementsAre(77, 8));
  EXPECT_THAT(encode("a", 0, false), ElementsAre(77));
  EXPECT_THAT(encode(" \xE2\x80\x8B", 0, true), ElementsAre(77));
}

TEST(AddedTokens, AreFoundInTheRawText) {
  std::unique_ptr<Tokenizer> tokenizer = SmallTokenizer().Load();
  EXPECT_THAT(Ids(*tokenizer, "a[SEP]a"), ElementsAre(8, 2, 8));
  EXPECT_THAT(Ids(*tokenizer, "[[SEP]]"), ElementsAre(12, 2, 13));
  EXPECT_THAT(Ids(*tokenizer, "[sep] [SE"), ElementsAre(12, 14, 13, 12, 0));
}

TEST(AddedTokens, MayBeginWithALetterAndTakeTheLongest) {
  SmallTokenizer file;
  file.Add("PU", 26, false, false);
  file.Add("PUMPS", 27, false, false);
  EXPECT_THAT(Ids(file, "PUMP pump aPUMPS PUPU"), ElementsAre(26, 0, 6, 8, 27, 26, 26));
}

TEST(AddedTokens, OfSingleWordsHideWhatTheyCoverWhenRefused) {
  SmallTokenizer file;
  file.Add("[a]", 26, true, false);
  file.Add("]a", 27, false, false);
  EXPECT_THAT(Ids(file, "[a] a"), ElementsAre(26, 8));
  EXPECT_THAT(Ids(file, "a[a] a"), ElementsAre(8, 12, 8, 13, 8));
  EXPECT_THAT(Ids(file, "é[a]a"), ElementsAre(0, 12, 8, 13, 8));  // inside the refused match
  EXPECT_THAT(Ids(file, "a]a"), ElementsAre(8, 27));
  // U+1E5D4, a letter that ICU 72 doesn't know yet, joins the token to a word.
  EXPECT_THAT(Ids(file, "[a]\xF0\x9E\x97\x94"), ElementsAre(12, 8, 13, 0));
}

TEST(AddedTokens, AreFoundInTheNormalizedText) {
  SmallTokenizer file;
  file.Add("Ca\xCC\x81r", 26, true, true);
  EXPECT_THAT(Ids(file, "CÁR a car[SEP]cár cars a"), ElementsAre(26, 8, 26, 2, 26, 0, 8));
  std::unique_ptr<Tokenizer> tokenizer = file.Load();
  std::vector<int32_t> ids;
  EXPECT_FALSE(tokenizer->Encode("a car[SEP] a", 2, ids));
  EXPECT_THAT(ids, ElementsAre(8, 26));
}

TEST(WordPiece, IsLinearOnHostileText) {
  std::unique_ptr<Tokenizer> tokenizer = SmallTokenizer().Load();
  constexpr size_t kCount = 1 << 20;
  for (std::string_view unit : {"a", " ", "\n", "\xCC\x81", "中", "[", "[SEP", "\xFF",
                                "\xE3\x80\xAE", "unaff ", "\xF0\x9D\x85\x98"}) {
    std::string text;
    while (text.size() < kCount) text += unit;
    std::vector<int32_t> ids;
    EXPECT_TRUE(tokenizer->Encode(text, SIZE_MAX, ids));
    EXPECT_LE(ids.size(), text.size());
  }
  std::string long_words(kCount, 'a');
  for (size_t i = 100; i < kCount; i += 101) long_words[i] = ' ';
  EXPECT_THAT(Ids(*tokenizer, std::string(kCount, 'a')), ElementsAre(0));
  EXPECT_GT(Ids(*tokenizer, long_words).size(), kCount / 2);
}

uint64_t TestSeed() {
  const char* given = std::getenv("AKIDB_TEST_SEED");
  uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::cout << "AKIDB_TEST_SEED=" << seed << "\n";
  return seed;
}

std::string RandomText(std::mt19937_64& random) {
  static const std::vector<std::string> kUnits = {"a",
                                                  "pump",
                                                  "PUMPS",
                                                  "un",
                                                  "aff",
                                                  "able",
                                                  " ",
                                                  "  ",
                                                  "!",
                                                  ".",
                                                  "[",
                                                  "[SEP]",
                                                  "中",
                                                  "é",
                                                  "e\xCC\x81",
                                                  "\xE3\x80\xAE",
                                                  "\xF0\x9D\x85\xA5",
                                                  "\xF0\x9D\x85\xAD",
                                                  "\xF0\x9D\x85\x98",
                                                  "\xCD\x8F",
                                                  "\xFF",
                                                  "\xE2\x80\x8B",
                                                  "\xEF\xA4\x80",
                                                  "\xE2\x89\xA0",
                                                  "가",
                                                  "internationalization"};
  std::string text;
  for (size_t i = random() % 12; i > 0; --i) text += kUnits[random() % kUnits.size()];
  return text;
}

// Normalising whole and reading plainly must give what the one pass gives: canonical ordering,
// words cut eight bytes at a time and the text's end are where they could part.
TEST(WordPiece, ReadsInOnePassWhatNormalisingFirstGives) {
  std::mt19937_64 random(TestSeed());
  SmallTokenizer file;
  for (const char* unit :
       {"〮", "##〮", "𝅘", "##𝅘", "##𝅥", "𝅥", "𝅭", "##𝅭", "##e", "e", "##un", "##pump"}) {
    file.vocabulary.push_back(unit);
  }
  file.added_tokens = "[]";
  file.post_processor = "null";
  std::unique_ptr<Tokenizer> one_pass = file.Load();
  SmallTokenizer plain_file = file;
  plain_file.normalizer = "null";
  std::unique_ptr<Tokenizer> plain = plain_file.Load();
  CharTable chars(BertNormalizerOptions{});
  for (int i = 0; i < 20000; ++i) {
    std::string text = RandomText(random);
    ASSERT_EQ(Ids(*one_pass, text), Ids(*plain, chars.Normalize(text))) << text;
    std::vector<int32_t> whole = Ids(*one_pass, text);
    std::vector<int32_t> cut;
    size_t ids_max = random() % 6;
    ASSERT_EQ(one_pass->Encode(text, ids_max, cut), whole.size() <= ids_max) << text;
    whole.resize(std::min(whole.size(), ids_max));
    ASSERT_EQ(cut, whole) << text;
  }
}

TEST(WordPiece, IsReadByManyThreads) {
  std::unique_ptr<Tokenizer> tokenizer = SmallTokenizer().Load();
  std::string text;
  for (int i = 0; i < 200; ++i) text += "pump é 中 가 𝅘 ſ Ω ";
  std::vector<std::vector<int32_t>> results(4);
  std::vector<std::thread> threads;
  for (auto& ids : results) {
    threads.emplace_back([&] { tokenizer->Encode(text, SIZE_MAX, ids); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(results, Each(results[0]));
}

TEST(CharTable, OrdersMarksByClassAndNotAcrossAStarter) {
  CharTable chars(BertNormalizerOptions{});
  // U+1D165 has class 216, U+1D16D 226, U+302E 224; all stay. U+034F is a mark of class 0.
  EXPECT_EQ(chars.Normalize("a𝅥〮𝅭"), "a𝅥〮𝅭");
  EXPECT_EQ(chars.Normalize("a𝅭\xCD\x8F𝅥"), "a𝅥𝅭");
  EXPECT_EQ(chars.Normalize("a𝅭\xCC\x81\xE2\x80\x8B𝅥"), "a𝅥𝅭");
}

TEST(CharTable, IsIdempotent) {
  CharTable chars(BertNormalizerOptions{});
  for (char32_t c = 1; c < 0x110000; ++c) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;  // surrogates: no text has them
    const NormalizedChar& once = chars.Lookup(c);
    if (once.kind != CharKind::kWord || once.chars != 1) continue;
    std::string text(once.utf8.data(), once.size);
    ASSERT_EQ(chars.Normalize(text), text) << static_cast<uint32_t>(c);
  }
}

}  // namespace
}  // namespace akidb::embedding
