#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "embedding/tokenizer/tokenizer.h"

namespace akidb::embedding {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Ids 0 <unk>, 1 <s>, 2 ▁, 3 ▁low, 4 er, 5 l, 6 o, 7 w, 8 ▁new, 9 <mask>.
struct SmallUnigram {
  std::string normalizer = R"({"type":"Replace","pattern":{"Regex":" {2,}"},"content":" "})";
  std::string pre_tokenizer = R"({"type":"Metaspace","replacement":"▁","prepend_scheme":"always"})";
  std::string unk_id = "0";
  std::string byte_fallback = "false";
  std::string vocabulary =
      R"(["<unk>",0],["<s>",0.0],["▁",-2.5],["▁low",-3],["er",-4],["l",-6],["o",-6],["w",-6],)"
      R"(["▁new",-7],["<mask>",0])";

  std::string added_tokens = Special(1, "<s>", "false") + "," + Special(9, "<mask>", "true");

  static std::string Special(int id, const std::string& content, const char* lstrip) {
    return R"({"id":)" + std::to_string(id) + R"(,"content":")" + content +
           R"(","single_word":false,"lstrip":)" + lstrip +
           R"(,"rstrip":false,"normalized":false,"special":true})";
  }

  std::string Json() const {
    return R"({"version":"1.0","truncation":null,"padding":null,"added_tokens":[)" + added_tokens +
           R"(],"normalizer":)" + normalizer + R"(,"pre_tokenizer":)" + pre_tokenizer +
           R"(,"post_processor":null,"decoder":null,"model":{"type":"Unigram","unk_id":)" + unk_id +
           R"(,"vocab":[)" + vocabulary + R"(],"byte_fallback":)" + byte_fallback + "}}";
  }

  std::unique_ptr<Tokenizer> Load(TokenizerOptions how = {}) const {
    Result<std::unique_ptr<Tokenizer>> tokenizer = LoadTokenizer(Json(), how);
    EXPECT_TRUE(tokenizer.ok()) << tokenizer.status().ToString();
    return tokenizer.ok() ? std::move(tokenizer).value() : nullptr;
  }
};

std::vector<int32_t> Ids(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<int32_t> ids;
  EXPECT_TRUE(tokenizer.Encode(text, SIZE_MAX, ids));
  return ids;
}

void ExpectRefused(const SmallUnigram& file, ErrorCode code, const std::string& message) {
  Status status = LoadTokenizer(file.Json()).status();
  EXPECT_EQ(status.code(), code) << status.ToString();
  EXPECT_THAT(std::string(status.message()), HasSubstr(message));
}

TEST(Unigram, MarksWordsBySpaces) {
  auto tokenizer = SmallUnigram().Load();
  EXPECT_THAT(Ids(*tokenizer, "low new"), ElementsAre(3, 8));
  EXPECT_THAT(Ids(*tokenizer, " lower"), ElementsAre(3, 4));
  EXPECT_THAT(Ids(*tokenizer, "low   new "), ElementsAre(3, 8, 2));
  EXPECT_THAT(Ids(*tokenizer, "▁low▁new"), ElementsAre(3, 8));
  EXPECT_THAT(Ids(*tokenizer, "中文 low"), ElementsAre(2, 0, 3));
  EXPECT_THAT(Ids(*tokenizer, ""), IsEmpty());
  EXPECT_EQ(tokenizer->vocabulary_size(), 10u);
  EXPECT_EQ(tokenizer->IdOf("▁new"), 8);
  EXPECT_EQ(tokenizer->IdOf(" new"), std::nullopt);
}

TEST(Unigram, PrependsAsTheSchemeSays) {
  SmallUnigram file;
  EXPECT_THAT(Ids(*file.Load(), "low<s>low"), ElementsAre(3, 1, 3));
  file.pre_tokenizer = R"({"type":"Metaspace","replacement":"▁","prepend_scheme":"first"})";
  EXPECT_THAT(Ids(*file.Load(), "low<s>low"), ElementsAre(3, 1, 5, 6, 7));
  EXPECT_THAT(Ids(*file.Load(), "<s>low"), ElementsAre(1, 5, 6, 7));
  file.pre_tokenizer = R"({"type":"Metaspace","replacement":"▁","prepend_scheme":"never"})";
  EXPECT_THAT(Ids(*file.Load(), "low low"), ElementsAre(5, 6, 7, 3));
  file.pre_tokenizer = R"({"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"},)"
                       R"({"type":"Metaspace","replacement":"▁","add_prefix_space":true}]})";
  EXPECT_THAT(Ids(*file.Load(), " low\n\tnew\u3000▁low "), ElementsAre(3, 8, 3));
}

TEST(Unigram, StripsBeforeATokenThatAsksForIt) {
  EXPECT_THAT(Ids(*SmallUnigram().Load(), "low   <mask> low"), ElementsAre(3, 9, 3));
}

TEST(Unigram, GivesNoSpecialTokenToPlainText) {
  auto tokenizer = SmallUnigram().Load({SpecialsInText::kPlain});
  EXPECT_THAT(Ids(*tokenizer, "low<s>"), ElementsAre(3, 0));
  EXPECT_THAT(Ids(*tokenizer, "<mask>"), ElementsAre(2, 0));
}

TEST(Unigram, StopsAtTheCutAndAppends) {
  auto tokenizer = SmallUnigram().Load();
  std::vector<int32_t> ids = {7};
  EXPECT_FALSE(tokenizer->Encode("low new low", 2, ids));
  EXPECT_THAT(ids, ElementsAre(7, 3, 8));
  ids.clear();
  EXPECT_FALSE(tokenizer->Encode("lower", 1, ids));
  EXPECT_TRUE(tokenizer->Encode("", 0, ids));
  EXPECT_THAT(ids, ElementsAre(3));
}

TEST(Unigram, ReadsWindowsAsOneText) {
  auto tokenizer = SmallUnigram().Load();
  std::string text;
  std::vector<int32_t> expected;
  for (int i = 0; i < 5000; ++i) {
    text += i % 3 == 0 ? "lower  " : "new ";
    expected.push_back(i % 3 == 0 ? 3 : 8);
    if (i % 3 == 0) expected.push_back(4);
  }
  expected.push_back(2);
  EXPECT_EQ(Ids(*tokenizer, text), expected);
}

// Ids 0 <unk>, 1 ▁, 2 a, 3 aaa, and the added token 4, found in what the normaliser leaves.
SmallUnigram LongWords() {
  SmallUnigram file;
  file.vocabulary = R"(["<unk>",0],["▁",-2],["a",-2],["aaa",-1])";
  file.added_tokens = R"({"id":4,"content":"zz","single_word":false,"lstrip":false,"rstrip":false,)"
                      R"("normalized":true,"special":false})";
  return file;
}

TEST(Unigram, CutsNoWordAtTheEndOfAWindow) {
  SmallUnigram file = LongWords();
  for (const char* normalizer :
       {R"({"type":"Replace","pattern":{"Regex":" {2,}"},"content":" "})", "null"}) {
    file.normalizer = normalizer;
    for (const char* added : {file.added_tokens.c_str(), ""}) {
      SmallUnigram variant = file;
      variant.added_tokens = added;
      auto tokenizer = variant.Load();
      for (size_t tokens : {600, 700, 2000, 20000}) {
        std::vector<int32_t> expected(tokens + 1, 3);
        expected[0] = 1;
        EXPECT_EQ(Ids(*tokenizer, std::string(3 * tokens, 'a')), expected) << normalizer << tokens;
      }
    }
  }
}

TEST(Unigram, TakesMegabytesOfOneThing) {
  auto tokenizer = SmallUnigram().Load();
  for (std::string unit : {"l", " ", "\n", "\u0301", "中", "\xFF", "<", "▁", "<mas", " <mask>"}) {
    std::string text;
    while (text.size() < (size_t{1} << 20)) text += unit;
    EXPECT_FALSE(Ids(*tokenizer, text).empty()) << unit;
  }
}

TEST(LoadUnigram, NamesWhatIsNotImplemented) {
  SmallUnigram file;
  file.pre_tokenizer = "null";
  ExpectRefused(file, ErrorCode::kUnsupported, "tokenizer.pre_tokenizer: none");
  file.pre_tokenizer = R"({"type":"Whitespace"})";
  ExpectRefused(file, ErrorCode::kUnsupported, "tokenizer.pre_tokenizer: `Whitespace` for Unigram");
  file.pre_tokenizer = R"({"type":"Sequence","pretokenizers":[{"type":"Digits"}]})";
  ExpectRefused(file, ErrorCode::kUnsupported, "a sequence of `Digits`");
  file.pre_tokenizer = R"({"type":"Metaspace","replacement":"▁","split":false})";
  ExpectRefused(file, ErrorCode::kUnsupported, "tokenizer.pre_tokenizer.split");
  file.pre_tokenizer = R"({"type":"Metaspace","replacement":"ab"})";
  ExpectRefused(file, ErrorCode::kUnsupported, "tokenizer.pre_tokenizer.replacement");
  file.pre_tokenizer = R"({"type":"Metaspace","replacement":"▁","prepend_scheme":"last"})";
  ExpectRefused(file, ErrorCode::kUnsupported, "prepend_scheme: `last`");
  file = {};
  file.byte_fallback = "true";
  ExpectRefused(file, ErrorCode::kUnsupported, "tokenizer.model.byte_fallback");
  file = {};
  file.unk_id = "null";
  ExpectRefused(file, ErrorCode::kUnsupported, "tokenizer.model.unk_id");
}

TEST(LoadUnigram, RefusesWhatIsBroken) {
  SmallUnigram file;
  file.unk_id = "10";
  ExpectRefused(file, ErrorCode::kMalformed, "tokenizer.model.unk_id: 10 of 10 tokens");
  file = {};
  file.vocabulary += R"(,["er",-1])";
  ExpectRefused(file, ErrorCode::kMalformed, "tokenizer.model.vocab[10]: `er` occurs twice");
  for (const char* entry : {R"("er")", R"(["x"])", R"(["x","y"])", R"([1,2])", R"(["x",1,2])"}) {
    file = {};
    file.vocabulary += std::string(",") + entry;
    ExpectRefused(file, ErrorCode::kMalformed,
                  "tokenizer.model.vocab[10]: expected [token, score]");
  }
  file = {};
  file.pre_tokenizer = R"({"type":"Metaspace","replacement":"▁","add_prefix_space":false})";
  ExpectRefused(file, ErrorCode::kMalformed, "add_prefix_space");
}

}  // namespace
}  // namespace akidb::embedding
