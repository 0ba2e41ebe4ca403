// Which graph of a model runs on which provider, and with what options: from a manifest, the
// machine and the settings to what sessions are made of. Starts nothing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "embedding/gpu_facts.h"
#include "embedding/manifest_folder.h"
#include "embedding/model_session.h"
#include "env/file_system.h"

namespace akidb::embedding {

struct ProviderSettings {
  std::vector<Provider> providers = {Provider::kCpu};  // in the order of preference
  uint64_t gpu_memory_bytes = 0;                       // that a session may take there; 0: all
  std::string engine_cache;  // folder for TensorRT's engines; empty: none is kept
  std::string runtime_version;
  GpuFacts gpu;
  int threads = 1;  // inside one run on the processor
};

struct PlannedSession {
  SessionRequest request;
  std::string variant;  // its name; empty: the manifest's own graph
  size_t items_max = 0;
  std::string engine_folder;  // to be there before the session is made; empty: none
  bool slow = false;          // its engine has to be built first
};

// For each provider the variants that fit, then the model's own graph; one for TensorRT. A variant
// that needs a newer GPU, or whose files aren't there, is passed over.
std::vector<PlannedSession> PlanSessions(env::FileSystem& fs, const InstalledModel& model,
                                         const ProviderSettings& settings);

// Deletes the folder of a session's engines, its timing cache included. False: it was empty, or
// not there.
Result<bool> DeleteEngines(env::FileSystem& fs, const std::string& folder);

// Of everything that an engine depends on; a folder's name.
std::string EngineKey(const ProviderSettings& settings, const SessionRequest& request);

// "8.9" against "8.7", number by number. False where one of them isn't such a version.
bool IsAtLeast(const std::string& compute_capability, const std::string& wanted);

}  // namespace akidb::embedding
