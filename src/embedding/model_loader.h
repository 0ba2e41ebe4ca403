// From files of a model's folder to a pipeline that has proved itself.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/log.h"
#include "base/status.h"
#include "embedding/isolated_session.h"
#include "embedding/load_progress.h"
#include "embedding/manifest_folder.h"
#include "embedding/model_session.h"
#include "embedding/onnx_runtime.h"
#include "embedding/pipeline.h"
#include "embedding/provider_plan.h"
#include "embedding/text_encoder.h"
#include "env/file_system.h"

namespace akidb::embedding {

// Whether the files of the model are there. kInvalidArgument: one is missing, the message says what
// to do; kUnavailable: this process can't look. Only looks at names.
Status FindFiles(env::FileSystem& fs, const InstalledModel& model);

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

// Makes a session of files, here or elsewhere. Errors as OpenSession. Called by several threads.
using SessionMaker =
    std::function<Result<std::unique_ptr<Session>>(const SessionRequest&, LoadProgress*)>;

struct LoadOptions {
  SessionMaker make_session;
  PipelineOptions pipeline;  // batch_tokens 0: what suits the provider that serves
  ProviderSettings providers;
  std::chrono::milliseconds run_timeout{};  // of one run; 0: none
  bool isolated = false;                    // a provider that is lost takes no other along
  bool wait_for_engines = false;            // the preferred provider serves from the start
};

// A chain of sessions that have embedded the golden texts, and what is around it. kCorruption, too,
// where the tokenizer has ids for which the graph has no row. What is referred to outlives the
// pipeline.
Result<std::unique_ptr<Pipeline>> LoadModel(env::FileSystem& fs, Logger& log,
                                            const ModelParts& parts, const LoadOptions& options);

// Sessions of this process.
SessionMaker MakeSessionsHere(env::FileSystem& fs, std::shared_ptr<OnnxRuntime> runtime);
// Each in a process of its own.
SessionMaker MakeIsolatedSessions(IsolationOptions options);

}  // namespace akidb::embedding
