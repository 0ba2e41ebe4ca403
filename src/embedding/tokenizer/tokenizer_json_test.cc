#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "embedding/tokenizer/tokenizer_fixture.h"

namespace akidb::embedding {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

void ExpectRefused(const std::string& json, ErrorCode code, const std::string& message) {
  Result<std::unique_ptr<Tokenizer>> tokenizer = LoadTokenizer(json);
  ASSERT_FALSE(tokenizer.ok()) << json;
  EXPECT_EQ(tokenizer.status().code(), code) << tokenizer.status().ToString();
  EXPECT_THAT(std::string(tokenizer.status().message()), HasSubstr(message));
}

void ExpectUnsupported(const SmallTokenizer& file, const std::string& message) {
  ExpectRefused(file.Json(), ErrorCode::kUnsupported, message);
}

void ExpectMalformed(const SmallTokenizer& file, const std::string& message) {
  ExpectRefused(file.Json(), ErrorCode::kMalformed, message);
}

TEST(LoadTokenizer, ReadsTheIdsAroundAText) {
  SmallTokenizer file;
  std::unique_ptr<Tokenizer> tokenizer = file.Load();
  ASSERT_NE(tokenizer, nullptr);
  EXPECT_THAT(tokenizer->prefix_ids(), ElementsAre(1));
  EXPECT_THAT(tokenizer->suffix_ids(), ElementsAre(2));
  EXPECT_EQ(tokenizer->vocabulary_size(), file.vocabulary.size());
  EXPECT_EQ(tokenizer->IdOf("##able"), 5);
  EXPECT_EQ(tokenizer->IdOf("internationalization"), 20);
  EXPECT_EQ(tokenizer->IdOf("internationalisation"), std::nullopt);
  EXPECT_EQ(tokenizer->IdOf(""), std::nullopt);
}

TEST(LoadTokenizer, ReadsBertProcessingAndNone) {
  SmallTokenizer file;
  file.post_processor = R"({"type":"BertProcessing","sep":["[SEP]",2],"cls":["[CLS]",1]})";
  EXPECT_THAT(file.Load()->suffix_ids(), ElementsAre(2));
  file.post_processor = "null";
  EXPECT_THAT(file.Load()->prefix_ids(), IsEmpty());
}

TEST(LoadTokenizer, NamesTheComponentThatIsNotImplemented) {
  SmallTokenizer file;
  file.model_type = "WordLevel";
  ExpectUnsupported(file, "tokenizer.model: `WordLevel`");
  file = {};
  file.normalizer = R"({"type":"Sequence","normalizers":[]})";
  ExpectUnsupported(file, "tokenizer.normalizer: `Sequence`");
  file = {};
  file.pre_tokenizer = R"({"type":"Whitespace"})";
  ExpectUnsupported(file, "tokenizer.pre_tokenizer: `Whitespace`");
  file.pre_tokenizer = "null";
  ExpectUnsupported(file, "tokenizer.pre_tokenizer: none");
  file = {};
  file.post_processor = R"({"type":"RobertaProcessing"})";
  ExpectUnsupported(file, "`RobertaProcessing`");
  file = {};
  file.version = R"("2.0")";
  ExpectUnsupported(file, "tokenizer.version: `2.0`");
}

TEST(LoadTokenizer, NamesTheOptionThatIsNotImplemented) {
  SmallTokenizer file;
  file.more = R"(,"dropout":0.1)";
  ExpectUnsupported(file, "tokenizer.dropout");
  file = {};
  file.normalizer.insert(1, R"("fold_width":true,)");
  ExpectUnsupported(file, "tokenizer.normalizer.fold_width");
  file = {};
  file.pre_tokenizer = R"({"type":"BertPreTokenizer","keep":1})";
  ExpectUnsupported(file, "tokenizer.pre_tokenizer.keep");
  file = {};
  file.unk_token += R"(,"max_word_pieces":3)";
  ExpectUnsupported(file, "tokenizer.model.max_word_pieces");
  file = {};
  file.word_chars_max = "257";
  ExpectUnsupported(file, "tokenizer.model.max_input_chars_per_word: 257");
  file = {};
  file.added_tokens.insert(2, R"("regex":true,)");
  ExpectUnsupported(file, "added_tokens[0].regex");
  file = {};
  file.Add(" x", file.vocabulary.size(), false, false);
  ExpectUnsupported(file, "added_tokens[3].content");
  file = {};
  file.Add("\xCC\x81", file.vocabulary.size(), false, true);  // an accent: nothing when normalised
  ExpectUnsupported(file, "when normalised");
}

TEST(LoadTokenizer, RefusesTemplatesForMoreThanOneText) {
  SmallTokenizer file;
  file.post_processor.replace(file.post_processor.find("\"A\""), 3, "\"B\"");
  ExpectUnsupported(file, "tokenizer.post_processor.single");
  file = {};
  file.post_processor.replace(file.post_processor.find("\"type_id\":0"), 11, "\"type_id\":1");
  ExpectUnsupported(file, "type_id");
}

TEST(LoadTokenizer, RefusesEveryTruncation) {
  std::string json = SmallTokenizer().Json();
  for (size_t size = 0; size < json.size(); ++size) {
    Result<std::unique_ptr<Tokenizer>> tokenizer = LoadTokenizer(json.substr(0, size));
    ASSERT_FALSE(tokenizer.ok()) << size;
    EXPECT_EQ(tokenizer.status().code(), ErrorCode::kMalformed) << size;
  }
}

TEST(LoadTokenizer, RefusesDeepNesting) {
  ExpectRefused(std::string(100, '[') + std::string(100, ']'), ErrorCode::kMalformed, "");
}

TEST(LoadTokenizer, RefusesWrongTypes) {
  ExpectRefused("[]", ErrorCode::kMalformed, "tokenizer: expected an object");
  ExpectRefused("{}", ErrorCode::kMalformed, "tokenizer.version: missing");
  SmallTokenizer file;
  file.added_tokens = "{}";
  ExpectMalformed(file, "tokenizer.added_tokens: expected an array");
  file.added_tokens = "[7]";
  ExpectMalformed(file, "added_tokens[0]: expected an object");
  file = {};
  file.normalizer.replace(file.normalizer.find("true"), 4, "1");
  ExpectMalformed(file, "tokenizer.normalizer.clean_text: expected a boolean");
  file = {};
  file.continuing_prefix = "null";
  ExpectMalformed(file, "tokenizer.model.continuing_subword_prefix: expected a string");
  file = {};
  file.word_chars_max = "-1";
  ExpectMalformed(file, "tokenizer.model.max_input_chars_per_word: expected an integer");
}

TEST(LoadTokenizer, RefusesIdsThatAreNone) {
  for (const char* id : {"-1", "2147483648", "18446744073709551616", "1.5", "\"1\"", "null"}) {
    std::string json = SmallTokenizer().Json();
    json.replace(json.find("\"un\":3"), 6, "\"un\":" + std::string(id));
    ExpectRefused(json, ErrorCode::kMalformed, "");
  }
}

TEST(LoadTokenizer, RefusesDuplicates) {
  std::string json = SmallTokenizer().Json();
  std::string same_id = json;
  same_id.replace(same_id.find("\"un\":3"), 6, "\"un\":4");
  ExpectRefused(same_id, ErrorCode::kMalformed, "id 4 belongs to another token");
  std::string same_token = json;
  same_token.replace(same_token.find("\"un\":3"), 6, "\"un\":3,\"un\":999");
  ExpectRefused(same_token, ErrorCode::kMalformed, "tokenizer.model.vocab.un: given twice");
  SmallTokenizer file;
  file.Add("[SEP]", 2, false, false);
  ExpectMalformed(file, "`[SEP]` occurs twice");
  file = {};
  file.more = R"(,"model":{})";
  ExpectMalformed(file, "tokenizer.model: given twice");
}

TEST(LoadTokenizer, RefusesTokensThatDisagreeWithTheVocabulary) {
  SmallTokenizer file;
  file.unk_token = R"("[GONE]")";
  ExpectMalformed(file, "`[GONE]` is not in the vocabulary");
  file = {};
  file.Add("[NEW]", 500, false, false);
  ExpectMalformed(file, "`[NEW]` has 500, but the vocabulary makes it 26");
  file = {};
  file.post_processor = R"({"type":"BertProcessing","sep":["[SEP]",3],"cls":["[CLS]",1]})";
  ExpectMalformed(file, "`[SEP]` is 2, not 3");
  file.post_processor = R"({"type":"BertProcessing","sep":["[END]",3],"cls":["[CLS]",1]})";
  ExpectMalformed(file, "`[END]` is no token");
  file = {};
  file.post_processor.replace(file.post_processor.find("\"ids\":[1]"), 9, "\"ids\":[7]");
  ExpectMalformed(file, "`[CLS]` is 1, not 7");
}

}  // namespace
}  // namespace akidb::embedding
