// What stands beside a graph in the folder of a published model: the files that Sentence
// Transformers and Transformers write. Nothing of it is needed to serve; all of it helps to
// describe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "embedding/pooling.h"
#include "env/file_system.h"

namespace akidb::embedding {

struct ModelFolderFacts {
  std::optional<Pooling> pooling;       // 1_Pooling/config.json
  std::optional<uint32_t> width;        // config.json: hidden_size
  std::optional<uint32_t> layers;       // num_hidden_layers
  std::optional<uint32_t> query_heads;  // num_attention_heads
  std::optional<uint32_t> kv_heads;     // num_key_value_heads
  std::optional<uint32_t> vocabulary;   // vocab_size
  std::optional<uint32_t> positions;    // max_position_embeddings
  std::optional<uint32_t> max_tokens;   // the least of what the files say
  std::optional<std::string> query_prompt;
  std::optional<std::string> document_prompt;
  std::string licence;             // README.md: SPDX, as its publishers spell it; empty: not said
  std::vector<std::string> notes;  // what was read and left out, as sentences
};

// kMalformed (a file that isn't what its name says), kUnsupported with the reason (the model does
// what AkiDB doesn't), kIo. Files that aren't there say nothing.
Result<ModelFolderFacts> ReadModelFolder(env::FileSystem& fs, const std::string& folder);

}  // namespace akidb::embedding
