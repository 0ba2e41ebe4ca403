// From files of a model's folder to a pipeline that has proved itself.
#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "embedding/manifest.h"
#include "embedding/onnx_runtime.h"
#include "embedding/pipeline.h"
#include "env/file_system.h"

namespace akidb::embedding {

struct InstalledModel {
  std::string folder;
  Manifest manifest;
};

// Where files of the model are missing: a sentence that says what to do; empty when all are there.
// Only looks at names.
std::string MissingFiles(env::FileSystem& fs, const InstalledModel& model);

// Checks size and SHA-256 of each file, makes tokenizer and session, embeds the golden texts.
// kInvalidArgument (a file is missing), kCorruption (truncated, other checksum, not what the
// manifest describes), kIo; kUnsupported and kMalformed of the tokenizer become kCorruption.
Result<std::unique_ptr<Pipeline>> LoadModel(env::FileSystem& fs, const InstalledModel& model,
                                            OnnxRuntime& runtime, const PipelineOptions& options);

}  // namespace akidb::embedding
