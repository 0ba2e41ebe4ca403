#include "embedding/tokenizer/token_texts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "embedding/tokenizer/small_bpe_fixture.h"
#include "embedding/tokenizer/tokenizer_fixture.h"

namespace akidb::embedding {
namespace {

using testing::HasSubstr;

std::vector<int32_t> Ids(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<int32_t> ids;
  EXPECT_TRUE(tokenizer.Encode(text, SIZE_MAX, ids));
  return ids;
}

std::string Decoded(const Tokenizer& tokenizer, const std::vector<int32_t>& ids,
                    bool skip_special = false) {
  Result<std::string> text = tokenizer.Decode(ids, skip_special);
  EXPECT_TRUE(text.ok()) << text.status().ToString();
  return text.ok() ? *text : "";
}

std::string Decode(TokenDecoder decoder, std::vector<TokenTexts::Token> tokens) {
  std::vector<int32_t> ids;
  for (const TokenTexts::Token& token : tokens) ids.push_back(token.id);
  Result<std::string> text =
      DecodeTokens(TokenTexts(std::move(tokens), {}), decoder, ids, /*skip_special=*/false);
  EXPECT_TRUE(text.ok()) << text.status().ToString();
  return text.ok() ? *text : "";
}

TEST(TokenTexts, NamesTokensAsTheFileSpellsThem) {
  auto pieces = SmallTokenizer().Load();
  EXPECT_EQ(pieces->TokenOf(4), "##aff");
  EXPECT_EQ(pieces->TokenOf(1), "[CLS]");
  auto bytes = SmallBpe().Load();
  EXPECT_EQ(bytes->TokenOf(258), "Ġlow");
  EXPECT_EQ(bytes->TokenOf(0), "Ā");
  EXPECT_EQ(bytes->TokenOf(263), "<|end|>");
}

TEST(TokenTexts, EveryTokenIsFoundAgainByItsText) {
  std::unique_ptr<Tokenizer> tokenizers[] = {SmallTokenizer().Load(), SmallBpe().Load()};
  for (const auto& tokenizer : tokenizers) {
    for (size_t id = 0; id < tokenizer->vocabulary_size(); ++id) {
      std::optional<std::string> text = tokenizer->TokenOf(static_cast<int32_t>(id));
      ASSERT_TRUE(text.has_value()) << id;
      EXPECT_EQ(tokenizer->IdOf(*text), static_cast<int32_t>(id)) << *text;
    }
  }
}

TEST(TokenTexts, AnIdOfNoTokenHasNoTextAndIsNotDecoded) {
  auto tokenizer = SmallBpe().Load();
  const auto beyond = static_cast<int32_t>(tokenizer->vocabulary_size());
  for (int32_t id : {-1, beyond, INT32_MAX, INT32_MIN}) {
    EXPECT_EQ(tokenizer->TokenOf(id), std::nullopt);
    Status status = tokenizer->Decode(std::vector<int32_t>{65, id}, false).status();
    EXPECT_EQ(status.code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(std::to_string(id) + " at place 1"));
  }
}

TEST(TokenTexts, FindsTokensBehindHolesInTheIds) {
  TokenTexts texts({{2, "two"}, {7, "seven"}, {1000000, "million"}}, {});
  EXPECT_EQ(texts.TextOf(2), "two");
  EXPECT_EQ(texts.TextOf(7), "seven");
  EXPECT_EQ(texts.TextOf(1000000), "million");
  for (int32_t id : {0, 1, 3, 6, 8, 999999, 1000001}) EXPECT_EQ(texts.TextOf(id), std::nullopt);
}

TEST(TokenTexts, DecodesBytesOfEveryLanguage) {
  auto tokenizer = SmallBpe().Load();
  const std::string text = "low, caf\xC3\xA9 \xE4\xB8\xAD\xE6\x96\x87\n\xF0\x9F\x98\x80<tool>";
  EXPECT_EQ(Decoded(*tokenizer, Ids(*tokenizer, text)), text);
}

TEST(TokenTexts, DecodesWhatIsLeftOfACharacterAsOneReplacement) {
  auto tokenizer = SmallBpe().Load();
  const std::string kFffd = "\xEF\xBF\xBD";
  EXPECT_EQ(Decoded(*tokenizer, {0xF0, 0x9F, 0x98, 'a'}), kFffd + "a");
  EXPECT_EQ(Decoded(*tokenizer, {0xE4, 0xB8}), kFffd);
  EXPECT_EQ(Decoded(*tokenizer, {0xE0, 0x80, 0x80}), kFffd + kFffd + kFffd);  // overlong
  EXPECT_EQ(Decoded(*tokenizer, {0xED, 0xA0, 0x80}), kFffd + kFffd + kFffd);  // a surrogate
  EXPECT_EQ(Decoded(*tokenizer, {0xF4, 0x90, 'a'}), kFffd + kFffd + "a");     // above U+10FFFF
  EXPECT_EQ(Decoded(*tokenizer, {0x80, 0xFF, 0xC1}), kFffd + kFffd + kFffd);
}

TEST(TokenTexts, LeavesSpecialTokensOutOnRequest) {
  auto tokenizer = SmallBpe().Load();
  EXPECT_EQ(Decoded(*tokenizer, {256, 263, 264}), "lo<|end|><tool>");
  EXPECT_EQ(Decoded(*tokenizer, {256, 263, 264}, /*skip_special=*/true), "lo<tool>");
}

TEST(TokenTexts, JoinsPiecesOfWordsAndCleansUp) {
  auto tokenizer = SmallTokenizer().Load();
  EXPECT_EQ(Decoded(*tokenizer, {1, 3, 4, 5, 6, 7, 11, 2}), "[CLS] unaffable pumps. [SEP]");
  EXPECT_EQ(Decoded(*tokenizer, {1, 3, 4, 5, 6, 7, 11, 2}, true), "unaffable pumps.");
  // What continues a word is whole where no word was begun.
  EXPECT_EQ(Decoded(*tokenizer, {4, 4}), "##affaff");
  EXPECT_EQ(Decoded(*tokenizer, {}), "");
}

TEST(TokenTexts, PutsASpaceForEachMark) {
  TokenDecoder decoder{TokenDecoder::Kind::kMetaspace, "▁"};
  decoder.begins_marked = true;
  EXPECT_EQ(Decode(decoder, {{0, "▁low"}, {1, "er"}, {2, "▁▁new"}}), "lower  new");
  decoder.begins_marked = false;
  EXPECT_EQ(Decode(decoder, {{0, "▁low"}, {1, "er"}}), " lower");
  EXPECT_EQ(Decode({}, {{0, "low"}, {1, "er"}}), "low er");
}

TEST(TokenTexts, ADecoderThatIsNotImplementedRefusesDecodingOnly) {
  SmallTokenizer file;
  std::string json = file.Json();
  const std::string decoder = R"("decoder":{"type":"WordPiece")";
  json.replace(json.find(decoder), decoder.size(), R"("decoder":{"type":"CTC")");
  Result<std::unique_ptr<Tokenizer>> tokenizer = LoadTokenizer(json);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status().ToString();
  EXPECT_EQ((*tokenizer)->TokenOf(6), "pump");
  Status status = (*tokenizer)->Decode(std::vector<int32_t>{6}, false).status();
  EXPECT_EQ(status.code(), ErrorCode::kUnsupported);
  EXPECT_THAT(std::string(status.message()), HasSubstr("CTC"));
}

}  // namespace
}  // namespace akidb::embedding
