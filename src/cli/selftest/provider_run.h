// Holds a model's vectors on each execution provider against one another.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/request_context.h"
#include "cli/selftest/figures.h"
#include "embedding/embedder.h"
#include "embedding/manifest.h"

namespace akidb::cli {

// An embedder that may use this provider alone, and waits for its engines.
using EmbedderOn = std::function<std::unique_ptr<embedding::Embedder>(embedding::Provider)>;

// Of every provider, on its first graph that `found` doesn't refuse: its own session embeds the
// golden texts. Refused graphs are told with their reasons; what stands behind one that works is
// left out. `found` is what the model told of its providers when it was loaded.
std::vector<ProviderFigures> CompareProviders(const RequestContext& context,
                                              const embedding::Manifest& manifest,
                                              const std::vector<embedding::ProviderState>& found,
                                              const EmbedderOn& make);

}  // namespace akidb::cli
