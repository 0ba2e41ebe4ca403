// From files of a model's folder to a pipeline that has proved itself.
#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "embedding/load_progress.h"
#include "embedding/manifest_folder.h"
#include "embedding/onnx_runtime.h"
#include "embedding/pipeline.h"
#include "embedding/text_encoder.h"
#include "env/file_system.h"

namespace akidb::embedding {

// Where files of the model are missing: a sentence that says what to do; empty when all are there.
// Only looks at names.
std::string MissingFiles(env::FileSystem& fs, const InstalledModel& model);

// Checks size and SHA-256 of the tokenizer's file and reads it. kInvalidArgument (it is missing),
// kCorruption (truncated, other checksum, not what the manifest describes), kIo; kUnsupported and
// kMalformed of the tokenizer become kCorruption.
Result<std::shared_ptr<const TextEncoder>> LoadTextEncoder(env::FileSystem& fs,
                                                           const InstalledModel& model);

// A model whose tokenizer is there.
struct ModelParts {
  std::string folder;
  std::shared_ptr<const TextEncoder> encoder;
  LoadProgress* progress = nullptr;  // null: nobody asks
};

// Likewise of the graph's file, of which it makes a session, and embeds the golden texts.
Result<std::unique_ptr<Pipeline>> LoadModel(env::FileSystem& fs, const ModelParts& parts,
                                            OnnxRuntime& runtime, const PipelineOptions& options);

}  // namespace akidb::embedding
