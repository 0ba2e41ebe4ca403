// Ids of the reference implementation, row by row, with a real model's tokenizer.json.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <simdjson.h>

#include "base/sha256.h"
#include "embedding/tokenizer/tokenizer.h"

namespace akidb::embedding {
namespace {

namespace fs = std::filesystem;

fs::path FolderFrom(const char* variable, const char* otherwise) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0' ? value : otherwise;
}

std::string ReadFile(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream content;
  content << stream.rdbuf();
  return std::move(content).str();
}

std::string Sha256OfIds(const std::vector<int32_t>& ids) {
  std::string joined;
  for (int32_t id : ids) joined += (joined.empty() ? "" : ",") + std::to_string(id);
  return Sha256Hex(std::as_bytes(std::span(joined)));
}

std::vector<int32_t> EncodeWithSpecials(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<int32_t> ids(tokenizer.prefix_ids().begin(), tokenizer.prefix_ids().end());
  EXPECT_TRUE(tokenizer.Encode(text, SIZE_MAX, ids));
  ids.insert(ids.end(), tokenizer.suffix_ids().begin(), tokenizer.suffix_ids().end());
  return ids;
}

std::string TextOf(simdjson::dom::element row) {
  std::string_view text;
  if (row["text"].get(text) == simdjson::SUCCESS) return std::string(text);
  std::string repeated;
  std::string_view unit = row["repeat"];
  for (uint64_t i = 0; i < uint64_t(row["times"]); ++i) repeated += unit;
  return repeated;
}

void CompareRow(const Tokenizer& tokenizer, simdjson::dom::element row) {
  std::vector<int32_t> ids = EncodeWithSpecials(tokenizer, TextOf(row));
  simdjson::dom::array listed;
  if (row["ids"].get(listed) == simdjson::SUCCESS) {
    std::vector<int32_t> expected;
    for (int64_t id : listed) expected.push_back(static_cast<int32_t>(id));
    EXPECT_EQ(ids, expected) << simdjson::minify(row);
    return;
  }
  EXPECT_EQ(ids.size(), uint64_t(row["ids_count"]));
  EXPECT_EQ(Sha256OfIds(ids), std::string_view(row["ids_sha256"]));
}

void CompareRows(const fs::path& rows_file, const fs::path& tokenizer_file,
                 size_t vocabulary_size) {
  fs::path golden = FolderFrom("AKIDB_GOLDEN_DIR", AKIDB_GOLDEN_DIR_DEFAULT);
  if (!fs::exists(golden)) GTEST_SKIP() << "no golden ids: folder " << golden << " is missing";
  if (!fs::exists(tokenizer_file)) GTEST_SKIP() << tokenizer_file << " is missing";
  Result<std::unique_ptr<Tokenizer>> tokenizer = LoadTokenizer(ReadFile(tokenizer_file));
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status().ToString();
  EXPECT_EQ(tokenizer.value()->vocabulary_size(), vocabulary_size);

  std::ifstream lines(golden / rows_file);
  simdjson::dom::parser parser;
  size_t rows = 0;
  for (std::string line; std::getline(lines, line); ++rows) {
    simdjson::dom::element row;
    ASSERT_EQ(parser.parse(line).get(row), simdjson::SUCCESS) << line;
    CompareRow(**tokenizer, row);
  }
  EXPECT_EQ(rows, 1270u);
}

// The model comes by `akidb models pull`.
TEST(GoldenIds, OfWordPieceEqualTheReferenceInEveryRow) {
  CompareRows("golden_bert_uncased.jsonl",
              FolderFrom("AKIDB_MODELS_DIR", AKIDB_MODELS_DIR_DEFAULT) / "all-minilm-l6-v2" /
                  "tokenizer.json",
              30522);
}

// The file comes by tests/tokenizer/fetch.sh.
TEST(GoldenIds, OfQwen3EqualTheReferenceInEveryRow) {
  CompareRows(
      "golden_qwen3.jsonl",
      FolderFrom("AKIDB_TOKENIZERS_DIR", AKIDB_TOKENIZERS_DIR_DEFAULT) / "qwen3" / "tokenizer.json",
      151669);
}

}  // namespace
}  // namespace akidb::embedding
