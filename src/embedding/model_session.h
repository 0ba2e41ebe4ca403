// From the files of a graph to a session: checks what they are, and has the library make it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "embedding/load_progress.h"
#include "embedding/manifest.h"
#include "embedding/onnx_runtime.h"
#include "embedding/session.h"
#include "env/file_system.h"

namespace akidb::embedding {

// Plain values: what a session is made of, wherever it is made.
struct SessionRequest {
  std::string model_id;  // for messages
  std::string folder;
  ModelFile graph;
  std::vector<ModelFile> external;
  bool can_pull = false;  // messages tell to pull what is missing
  SessionSpec spec;
};

// The whole file, mapped, once its size and checksum are those promised. What is checked here is
// what is used afterwards: the file isn't opened again. kInvalidArgument: it is missing;
// kCorruption: other size, other checksum; kIo. `progress` may be null.
struct PlacedFile {
  const std::string& model_id;
  const std::string& folder;
  const ModelFile& file;
  bool can_pull = false;
};
Result<std::unique_ptr<env::MappedFile>> MapVerified(env::FileSystem& fs, const PlacedFile& placed,
                                                     LoadProgress* progress);

// Errors of MapVerified and OnnxRuntime::CreateSession.
Result<std::unique_ptr<Session>> OpenSession(env::FileSystem& fs, OnnxRuntime& runtime,
                                             const SessionRequest& request, LoadProgress* progress);

// What to do about a file that isn't there.
Status NotInstalled(const PlacedFile& placed);

}  // namespace akidb::embedding
