// A small byte-level BPE tokenizer.json, part by part, for tests that change one part.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "embedding/tokenizer/code_points.h"
#include "embedding/tokenizer/tokenizer.h"

namespace akidb::embedding {

// Ids 0..255 are the bytes, then come `merges`, then the added tokens: <|end|>, and <tool>, which
// is not special.
struct SmallBpe {
  std::string normalizer = R"({"type":"NFC"})";
  std::string split =
      R"({"type":"Split","pattern":{"Regex":"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+)"
      R"(|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},)"
      R"("behavior":"Isolated","invert":false})";
  std::string byte_level =
      R"({"type":"ByteLevel","add_prefix_space":false,"trim_offsets":false,"use_regex":false})";
  std::string pre_tokenizer;  // empty: the two above
  std::string post_processor = R"({"type":"ByteLevel","add_prefix_space":false})";
  std::string options = R"("dropout":null,"unk_token":null,"continuing_subword_prefix":"",)"
                        R"("end_of_word_suffix":"","fuse_unk":false,"byte_fallback":false)";
  std::vector<std::string> merges = {"l o", "lo w", "Ġ low", "e r", "a a", "aa aa", "Ã ©"};
  std::string more_vocabulary;  // ,"token":id

  // As vocabularies spell a byte, escaped for JSON.
  static std::string Spelled(unsigned byte) {
    bool printable = (byte > 32 && byte < 127) || (byte > 0xA0 && byte != 0xAD);
    if (byte == '"' || byte == '\\') return std::string("\\") + static_cast<char>(byte);
    std::string spelled;
    char32_t others = byte <= 32 ? byte : byte <= 0xA0 ? byte - 127 + 33 : 67;
    AppendUtf8(printable ? byte : 0x100 + others, spelled);
    return spelled;
  }

  static std::string Joined(std::string merge) {
    merge.erase(merge.find(' '), 1);
    return merge;
  }

  std::string Json() const {
    std::string vocabulary;
    for (unsigned byte = 0; byte < 256; ++byte) {
      vocabulary += (byte == 0 ? "\"" : ",\"") + Spelled(byte) + "\":" + std::to_string(byte);
    }
    std::string pairs;
    size_t id = 256;
    for (const std::string& merge : merges) {
      vocabulary += ",\"" + Joined(merge) + "\":" + std::to_string(id++);
      pairs += (pairs.empty() ? "\"" : ",\"") + merge + "\"";
    }
    id += more_vocabulary.empty() ? 0 : 1;
    auto added = [](size_t token_id, const std::string& content, const char* special) {
      return R"({"id":)" + std::to_string(token_id) + R"(,"content":")" + content +
             R"(","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,)" +
             R"("special":)" + special + "}";
    };
    return R"({"version":"1.0","truncation":null,"padding":null,"added_tokens":[)" +
           added(id, "<|end|>", "true") + "," + added(id + 1, "<tool>", "false") +
           R"(],"normalizer":)" + normalizer + R"(,"pre_tokenizer":)" +
           (pre_tokenizer.empty()
                ? R"({"type":"Sequence","pretokenizers":[)" + split + "," + byte_level + "]}"
                : pre_tokenizer) +
           R"(,"post_processor":)" + post_processor +
           R"(,"decoder":{"type":"ByteLevel"},"model":{"type":"BPE",)" + options + R"(,"vocab":{)" +
           vocabulary + more_vocabulary + R"(},"merges":[)" + pairs + "]}}";
  }

  std::unique_ptr<Tokenizer> Load(TokenizerOptions how = {}) const {
    Result<std::unique_ptr<Tokenizer>> tokenizer = LoadTokenizer(Json(), how);
    EXPECT_TRUE(tokenizer.ok()) << tokenizer.status().ToString();
    return tokenizer.ok() ? std::move(tokenizer).value() : nullptr;
  }
};

}  // namespace akidb::embedding
