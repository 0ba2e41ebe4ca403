// A small tokenizer.json, part by part, for tests that change one part.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "embedding/tokenizer/tokenizer.h"

namespace akidb::embedding {

struct SmallTokenizer {
  std::string version = R"("1.0")";
  std::string added_tokens =
      R"([{"id":0,"content":"[UNK]","single_word":false,"lstrip":false,"rstrip":false,)"
      R"("normalized":false,"special":true},)"
      R"({"id":1,"content":"[CLS]","single_word":false,"lstrip":false,"rstrip":false,)"
      R"("normalized":false,"special":true},)"
      R"({"id":2,"content":"[SEP]","single_word":false,"lstrip":false,"rstrip":false,)"
      R"("normalized":false,"special":true}])";
  std::string normalizer =
      R"({"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,)"
      R"("strip_accents":null,"lowercase":true})";
  std::string pre_tokenizer = R"({"type":"BertPreTokenizer"})";
  std::string post_processor =
      R"({"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"[CLS]","type_id":0}},)"
      R"({"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"id":"[SEP]","type_id":0}}],)"
      R"("pair":[],"special_tokens":{"[CLS]":{"id":"[CLS]","ids":[1],"tokens":["[CLS]"]},)"
      R"("[SEP]":{"id":"[SEP]","ids":[2],"tokens":["[SEP]"]}}})";
  std::string model_type = "WordPiece";
  std::string unk_token = R"("[UNK]")";
  std::string continuing_prefix = R"("##")";
  std::string word_chars_max = "100";
  // Ids 0.. in this order.
  std::vector<std::string> vocabulary = {"[UNK]",
                                         "[CLS]",
                                         "[SEP]",
                                         "un",
                                         "##aff",
                                         "##able",
                                         "pump",
                                         "##s",
                                         "a",
                                         "##a",
                                         "!",
                                         ".",
                                         "[",
                                         "]",
                                         "sep",
                                         "cafe",
                                         "中",
                                         "文",
                                         "=",
                                         "unaffected",
                                         "internationalization",
                                         "##internationalization",
                                         "i",
                                         "ß",
                                         "é",
                                         "i̇"};
  std::string more;  // fields at the end of the file, with a leading comma

  std::string Json() const {
    std::string vocab;
    for (size_t i = 0; i < vocabulary.size(); ++i) {
      vocab += (i == 0 ? "" : ",") + ("\"" + vocabulary[i] + "\":") + std::to_string(i);
    }
    return R"({"version":)" + version + R"(,"truncation":{"max_length":3},"padding":null)" +
           R"(,"added_tokens":)" + added_tokens + R"(,"normalizer":)" + normalizer +
           R"(,"pre_tokenizer":)" + pre_tokenizer + R"(,"post_processor":)" + post_processor +
           R"(,"decoder":{"type":"WordPiece","prefix":"##","cleanup":true},"model":{"type":")" +
           model_type + R"(","unk_token":)" + unk_token + R"(,"continuing_subword_prefix":)" +
           continuing_prefix + R"(,"max_input_chars_per_word":)" + word_chars_max +
           R"(,"vocab":{)" + vocab + "}}" + more + "}";
  }

  std::unique_ptr<Tokenizer> Load() const {
    Result<std::unique_ptr<Tokenizer>> tokenizer = LoadTokenizer(Json());
    EXPECT_TRUE(tokenizer.ok()) << tokenizer.status().ToString();
    return tokenizer.ok() ? std::move(tokenizer).value() : nullptr;
  }

  // An added token that the vocabulary lacks; the caller gives it the next id. `flags` overrides.
  void Add(std::string_view content, size_t id, bool single_word, bool normalized) {
    added_tokens.pop_back();
    added_tokens += R"(,{"id":)" + std::to_string(id) + R"(,"content":")" + std::string(content) +
                    R"(","single_word":)" + (single_word ? "true" : "false") +
                    R"(,"lstrip":true,"rstrip":true,"normalized":)" +
                    (normalized ? "true" : "false") + R"(,"special":false}])";
  }
};

}  // namespace akidb::embedding
