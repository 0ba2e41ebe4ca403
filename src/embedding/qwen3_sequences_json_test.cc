// What a Qwen3 model is run on, with its published tokenizer: the reference's ids, row by row, and
// the end token that the manifest appends. tests/tokenizer/fetch.sh gets the tokenizer.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>
#include <simdjson.h>

#include "embedding/text_encoder.h"

namespace akidb::embedding {
namespace {

namespace fs = std::filesystem;

constexpr int32_t kEnd = 151643;  // <|endoftext|>
constexpr size_t kWindow = 12;

fs::path PathFrom(const char* variable, const char* otherwise, const char* file) {
  const char* value = std::getenv(variable);
  return fs::path(value != nullptr && *value != '\0' ? value : otherwise) / file;
}

struct Row {
  std::string text;
  std::vector<int32_t> ids;
};

// Those whose ids are listed: not of the longest texts.
std::vector<Row> ReadRows(const fs::path& path) {
  std::vector<Row> rows;
  std::ifstream lines(path);
  simdjson::dom::parser parser;
  for (std::string line; std::getline(lines, line);) {
    simdjson::dom::element row = parser.parse(line);
    simdjson::dom::array ids;
    if (row["ids"].get(ids) != simdjson::SUCCESS) continue;
    Row& read = rows.emplace_back();
    read.text = std::string_view(row["text"]);
    for (int64_t id : ids) read.ids.push_back(static_cast<int32_t>(id));
  }
  return rows;
}

class Qwen3Sequences : public testing::Test {
 protected:
  void SetUp() override {
    const fs::path file =
        PathFrom("AKIDB_TOKENIZERS_DIR", AKIDB_TEST_TOKENIZERS_DIR, "qwen3/tokenizer.json");
    const fs::path golden =
        PathFrom("AKIDB_GOLDEN_DIR", AKIDB_TEST_GOLDEN_DIR, "golden_qwen3.jsonl");
    if (!fs::exists(file)) GTEST_SKIP() << file << " is missing";
    if (!fs::exists(golden)) GTEST_SKIP() << golden << " is missing";
    std::ifstream stream(file, std::ios::binary);
    json_.assign(std::istreambuf_iterator<char>(stream), {});
    rows_ = ReadRows(golden);
    ASSERT_GT(rows_.size(), 1000u);
    manifest_.id = "qwen3";
    manifest_.append_ids = {kEnd};
    manifest_.max_tokens = kWindow;
    manifest_.query_prompt = "Instruct: {instruction}\nQuery:";
    manifest_.default_instruction = "find";
  }

  void Load() {
    Result<std::unique_ptr<Tokenizer>> tokenizer =
        LoadTokenizer(json_, manifest_.tokenizer_options);
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.status().ToString();
    encoder_.emplace(manifest_, std::move(tokenizer).value());
  }

  std::vector<int32_t> Sequence(const std::string& text) {
    RequestContext context;
    request_.texts = std::span(&text, 1);
    Result<TokenizeResult> result = encoder_->Tokenize(context, request_);
    EXPECT_TRUE(result.ok()) << result.status().ToString();
    return result.ok() ? result->texts[0].ids : std::vector<int32_t>();
  }

  std::string json_;
  std::vector<Row> rows_;
  Manifest manifest_;
  std::optional<TextEncoder> encoder_;
  TokenizeRequest request_;
};

TEST_F(Qwen3Sequences, EndWithTheEndToken) {
  Load();
  for (const Row& row : rows_) {
    std::vector<int32_t> expected = row.ids;
    expected.push_back(kEnd);
    EXPECT_EQ(Sequence(row.text), expected) << row.text;
  }
}

TEST_F(Qwen3Sequences, EndWithTheEndTokenWhereverTheTextIsCut) {
  Load();
  for (const Row& row : rows_) {
    const auto room = static_cast<ptrdiff_t>(std::min(row.ids.size(), kWindow - 1));
    std::vector<int32_t> beginning(row.ids.begin(), row.ids.begin() + room);
    std::vector<int32_t> end(row.ids.end() - room, row.ids.end());
    beginning.push_back(kEnd);
    end.push_back(kEnd);
    request_.truncate = Truncate::kEnd;
    EXPECT_EQ(Sequence(row.text), beginning) << row.text;
    request_.truncate = Truncate::kStart;
    EXPECT_EQ(Sequence(row.text), end) << row.text;
  }
}

TEST_F(Qwen3Sequences, KeepThePromptWhereverTheTextIsCut) {
  manifest_.max_tokens = 2 * kWindow;
  Load();
  const std::vector<int32_t> prompt = [&] {
    request_.input_type = InputType::kQuery;
    std::vector<int32_t> ids = Sequence("");
    ids.pop_back();
    return ids;
  }();
  ASSERT_FALSE(prompt.empty());
  for (Truncate truncate : {Truncate::kEnd, Truncate::kStart}) {
    request_.truncate = truncate;
    for (const Row& row : rows_) {
      // Its first token may grow together with the prompt's last.
      const std::vector<int32_t> ids = Sequence(row.text);
      EXPECT_LE(ids.size(), manifest_.max_tokens);
      EXPECT_TRUE(std::equal(prompt.begin(), prompt.end() - 1, ids.begin())) << row.text;
      EXPECT_EQ(ids.back(), kEnd);
    }
  }
}

TEST_F(Qwen3Sequences, HoldNoOtherEndTokenWhereTextIsPlain) {
  manifest_.tokenizer_options.specials_in_text = SpecialsInText::kPlain;
  Load();
  size_t spelt_out = 0;
  for (const Row& row : rows_) {
    spelt_out += std::count(row.ids.begin(), row.ids.end(), kEnd) > 0;
    const std::vector<int32_t> ids = Sequence(row.text);
    EXPECT_EQ(std::count(ids.begin(), ids.end(), kEnd), 1) << row.text;
  }
  EXPECT_GT(spelt_out, 2u);
}

TEST_F(Qwen3Sequences, BecomeTheTextAgain) {
  Load();
  Result<std::unique_ptr<Tokenizer>> tokenizer = LoadTokenizer(json_);
  ASSERT_TRUE(tokenizer.ok());
  size_t same = 0;
  for (const Row& row : rows_) {
    Result<std::string> text = (*tokenizer)->Decode(row.ids, /*skip_special=*/false);
    ASSERT_TRUE(text.ok()) << text.status().ToString();
    same += *text == row.text;
    // Decoded again it stays what it is: only composing characters (NFC) has changed it.
    std::vector<int32_t> again;
    ASSERT_TRUE((*tokenizer)->Encode(*text, SIZE_MAX, again));
    EXPECT_EQ(again, row.ids) << row.text;
  }
  EXPECT_GT(same, rows_.size() * 9 / 10);
}

}  // namespace
}  // namespace akidb::embedding
