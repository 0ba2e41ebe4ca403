#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "embedding/tokenizer/small_bpe_fixture.h"

namespace akidb::embedding {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

void ExpectRefused(const SmallBpe& file, ErrorCode code, const std::string& message) {
  Result<std::unique_ptr<Tokenizer>> tokenizer = LoadTokenizer(file.Json());
  ASSERT_FALSE(tokenizer.ok()) << file.Json();
  EXPECT_EQ(tokenizer.status().code(), code) << tokenizer.status().ToString();
  EXPECT_THAT(std::string(tokenizer.status().message()), HasSubstr(message));
}

void ExpectUnsupported(const SmallBpe& file, const std::string& message) {
  ExpectRefused(file, ErrorCode::kUnsupported, message);
}

TEST(LoadByteLevelBpe, ReadsTheEndTokenOfASequence) {
  SmallBpe file;
  file.post_processor =
      R"({"type":"Sequence","processors":[{"type":"ByteLevel","trim_offsets":false},)"
      R"({"type":"TemplateProcessing","single":[{"Sequence":{"id":"A","type_id":0}},)"
      R"({"SpecialToken":{"id":"<|end|>","type_id":0}}],"pair":[],"special_tokens":)"
      R"({"<|end|>":{"id":"<|end|>","ids":[263],"tokens":["<|end|>"]}}}]})";
  EXPECT_THAT(file.Load()->suffix_ids(), ElementsAre(263));
  file.post_processor = R"({"type":"Sequence","processors":[{"type":"Sequence","processors":[]}]})";
  ExpectUnsupported(file, "tokenizer.post_processor.processors");
}

TEST(LoadByteLevelBpe, ReadsByteLevelWithItsOwnPattern) {
  SmallBpe file;
  file.pre_tokenizer = R"({"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true})";
  std::vector<int32_t> ids;
  EXPECT_TRUE(file.Load()->Encode("12 ", SIZE_MAX, ids));
  EXPECT_THAT(ids, ElementsAre('1', '2', ' '));
}

TEST(LoadByteLevelBpe, NamesThePartThatIsNotImplemented) {
  SmallBpe file;
  file.normalizer = R"({"type":"NFKC"})";
  ExpectUnsupported(file, "tokenizer.normalizer: `NFKC` for BPE");
  file = {};
  file.pre_tokenizer = R"({"type":"Whitespace"})";
  ExpectUnsupported(file, "tokenizer.pre_tokenizer: `Whitespace` for BPE");
  file.pre_tokenizer = "null";
  ExpectUnsupported(file, "tokenizer.pre_tokenizer: none");
  file.pre_tokenizer = R"({"type":"Sequence","pretokenizers":[{"type":"Digits"}]})";
  ExpectUnsupported(file, "a sequence of `Digits`");
  file.pre_tokenizer = R"({"type":"ByteLevel","add_prefix_space":true,"use_regex":true})";
  ExpectUnsupported(file, "tokenizer.pre_tokenizer.add_prefix_space");
  file.pre_tokenizer = R"({"type":"ByteLevel","add_prefix_space":false,"use_regex":false})";
  ExpectUnsupported(file, "tokenizer.pre_tokenizer.use_regex");
  file = {};
  file.byte_level = R"({"type":"ByteLevel","add_prefix_space":false,"use_regex":true})";
  ExpectUnsupported(file, "use_regex: true");
}

TEST(LoadByteLevelBpe, NamesTheOptionThatIsNotImplemented) {
  SmallBpe file;
  file.split.replace(file.split.find("p{N}|"), 5, "p{Nd}|");
  ExpectUnsupported(file, "pattern.Regex");
  file = {};
  file.split.replace(file.split.find("Isolated"), 8, "Removed");
  ExpectUnsupported(file, "behavior: `Removed`");
  file = {};
  file.split.replace(file.split.find("false"), 5, "true");
  ExpectUnsupported(file, "invert");
  file = {};
  file.options.replace(file.options.find("null"), 4, "0.1");
  ExpectUnsupported(file, "tokenizer.model.dropout");
  file = {};
  file.options.replace(file.options.find("\"\""), 2, "\"##\"");
  ExpectUnsupported(file, "tokenizer.model.continuing_subword_prefix: `##`");
  file = {};
  file.options += R"(,"cache":1)";
  ExpectUnsupported(file, "tokenizer.model.cache");
}

TEST(LoadByteLevelBpe, RefusesMergesThatMakeNoSense) {
  for (std::string merge : {"lo", "l o w", " lo"}) {
    SmallBpe file;
    std::string json = file.Json();
    json.replace(json.rfind("\"lo w\""), 6, "\"" + merge + "\"");
    Result<std::unique_ptr<Tokenizer>> tokenizer = LoadTokenizer(json);
    ASSERT_FALSE(tokenizer.ok()) << merge;
    EXPECT_EQ(tokenizer.status().code(), ErrorCode::kMalformed);
    EXPECT_THAT(std::string(tokenizer.status().message()), HasSubstr("tokenizer.model.merges[1]"));
  }
  SmallBpe file;
  std::string json = file.Json();
  json.replace(json.rfind("\"lo w\""), 6, "[\"l\",\"o\"]");
  EXPECT_THAT(LoadTokenizer(json).status().ToString(), HasSubstr("same pair as in merges[0]"));
  json = file.Json();
  json.replace(json.rfind("\"lo w\""), 6, "[\"x\",\"y\"]");
  EXPECT_THAT(LoadTokenizer(json).status().ToString(), HasSubstr("`xy` is not in the vocabulary"));
}

TEST(LoadByteLevelBpe, RefusesAVocabularyWithoutAByte) {
  std::string json = SmallBpe().Json();
  json.replace(json.find("\"!\":33"), 6, "\"!!\":33");
  EXPECT_THAT(LoadTokenizer(json).status().ToString(), HasSubstr("byte 33 has no token"));
}

}  // namespace
}  // namespace akidb::embedding
