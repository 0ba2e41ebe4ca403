// A manifest as JSON, in the form of docs/models/manifest.md.
#pragma once

#include <cstddef>
#include <string>

#include "embedding/manifest.h"

namespace akidb::embedding {

// Names of the inputs for keys and for values; no layers: there are none.
struct KvPatterns {
  std::string first;
  std::string second;
  size_t layers = 0;
};

// ParseManifest reads the same manifest out of it. Without sources: of files that are
// in the folder already.
std::string WriteManifest(const Manifest& manifest, const KvPatterns& kv);

}  // namespace akidb::embedding
