#include "cli/selftest/provider_run.h"

#include <algorithm>
#include <set>
#include <span>
#include <string>
#include <utility>

namespace akidb::cli {
namespace {

using Vectors = std::vector<std::vector<float>>;

// The golden texts' vectors, and what they are to the manifest's heads.
Result<Vectors> EmbedGolden(const RequestContext& context, const embedding::Manifest& manifest,
                            embedding::Embedder& embedder, ProviderFigures& figures) {
  Vectors vectors;
  for (const embedding::GoldenText& golden : manifest.golden) {
    embedding::EmbedRequest request;
    request.model = manifest.id;
    request.texts = std::span(&golden.text, 1);
    request.input_type = golden.input_type;
    AKIDB_ASSIGN_OR_RETURN(embedding::EmbedResult result, embedder.Embed(context, request));
    figures.golden.push_back(
        {embedding::HeadCosine(result.vector(0), golden.head), golden.min_cosine});
    vectors.push_back(std::move(result.vectors));
  }
  return vectors;
}

double LowestCosine(const Vectors& some, const Vectors& others) {
  double lowest = 1;
  for (size_t i = 0; i < std::min(some.size(), others.size()); ++i) {
    lowest = std::min(lowest, embedding::HeadCosine(some[i], others[i]));
  }
  return lowest;
}

}  // namespace

std::vector<ProviderFigures> CompareProviders(const RequestContext& context,
                                              const embedding::Manifest& manifest,
                                              const std::vector<embedding::ProviderState>& found,
                                              const EmbedderOn& make) {
  std::vector<ProviderFigures> all;
  std::vector<Vectors> vectors;
  std::set<embedding::Provider> done;
  for (const embedding::ProviderState& state : found) {
    // Alone, a provider runs its first graph that works; what stands behind that isn't reached.
    const bool refused = state.state == embedding::LinkState::kRefused;
    if (done.contains(state.provider)) continue;
    if (!refused) done.insert(state.provider);
    ProviderFigures& figures = all.emplace_back();
    vectors.emplace_back();
    figures.provider = NamesOf(state.provider).runtime;
    figures.variant = state.variant;
    figures.problem = state.reason;
    if (refused) continue;
    Result<Vectors> embedded = EmbedGolden(context, manifest, *make(state.provider), figures);
    figures.problem = embedded.ok() ? "" : embedded.status().message();
    if (embedded.ok()) vectors.back() = std::move(embedded).value();
  }
  const auto last = std::find_if(vectors.rbegin(), vectors.rend(),
                                 [](const Vectors& one) { return !one.empty(); });
  for (size_t i = 0; last != vectors.rend() && i < all.size(); ++i) {
    const bool compares = !vectors[i].empty() && &vectors[i] != &*last;
    if (compares) all[i].cosine_to_last = LowestCosine(vectors[i], *last);
  }
  return all;
}

}  // namespace akidb::cli
