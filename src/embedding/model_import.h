// A manifest for a model's folder, out of what its files prove: the graph's inputs and outputs, the
// tokenizer, and what publishers write beside them. What they don't prove has to be said; nothing
// is guessed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "embedding/manifest.h"
#include "embedding/onnx_runtime.h"
#include "embedding/pooling.h"
#include "embedding/published_models.h"
#include "env/file_system.h"

namespace akidb::embedding {

// What a user says; it counts more than what files say.
struct ImportRequest {
  std::string folder;
  const PublishedModel* published = nullptr;  // which model it is, where it is one of these
  std::string id;                             // empty: the folder's name
  std::string revision;                       // empty: of the graph's checksum
  std::string licence;
  std::string graph;   // path inside the folder; empty: the only .onnx file
  std::string output;  // empty: the only output
  std::optional<Pooling> pooling;
  std::optional<uint32_t> max_tokens;
  std::optional<std::string> query_prompt;
  std::optional<std::string> document_prompt;
  std::optional<std::vector<int32_t>> append_ids;
  std::vector<uint32_t> dims_offered;
  std::optional<Dequantization> dequantization;
};

struct ImportedModel {
  Manifest manifest;
  std::string json;                // of manifest.json
  std::vector<std::string> notes;  // for the user: what was taken from where, and what is left out
};

// Runs the model: its golden texts are those that it made here, alone and in a batch, so they seal
// what was imported and don't prove that it is what its publishers meant. The example of a
// described model does: cosines too far from its own refuse the folder. kUnsupported (what the
// files don't prove, and which option says it; another model than the described one), kMalformed,
// kNotFound, kCorruption, kIo.
Result<ImportedModel> ImportModel(env::FileSystem& fs, std::shared_ptr<OnnxRuntime> runtime,
                                  const ImportRequest& request);

}  // namespace akidb::embedding
