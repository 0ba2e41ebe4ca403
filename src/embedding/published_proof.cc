#include "embedding/published_proof.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <span>

namespace akidb::embedding {
namespace {

// Vectors that are nearer, for their length, are the same but for rounding.
constexpr double kSameError = 1e-4;

// Of two vectors, for the length of the first.
double Distance(std::span<const float> a, std::span<const float> b) {
  double apart = 0;
  double length = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    apart += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
    length += double{a[i]} * a[i];
  }
  return std::sqrt(apart / std::max(length, 1e-30));
}

Result<std::vector<float>> EmbedAll(Pipeline& pipeline, const std::vector<std::string>& texts,
                                    InputType type) {
  EmbedRequest request;
  request.texts = texts;
  request.input_type = type;
  AKIDB_ASSIGN_OR_RETURN(EmbedResult result, pipeline.Embed(RequestContext(), request));
  return std::move(result.vectors);
}

Status CheckOrder(const PublishedRun& run) {
  AKIDB_ASSIGN_OR_RETURN(std::vector<float> vectors,
                         EmbedAll(run.pipeline, {"the dog bites the man", "the man bites the dog"},
                                  InputType::kDocument));
  const std::span<const float> all(vectors);
  const size_t width = all.size() / 2;
  if (!(Distance(all.first(width), all.last(width)) <= kSameError)) return OkStatus();
  return UnsupportedError(
      "the graph gives one vector for the same words in any order: it uses no positions, " +
      std::string(run.model.id) + " does");
}

// The first token's state changes with the last one, or doesn't.
Status CheckAttention(const PublishedRun& run) {
  if (run.model.looks_back) return OkStatus();
  const std::string id(run.model.id);
  if (run.is_pooled) {
    run.notes.push_back(
        "the graph pools by itself: nothing shows whether its tokens see those "
        "behind them, as those of " +
        id + " do");
    return OkStatus();
  }
  std::array<std::vector<float>, 2> states;
  for (size_t i = 0; i < states.size(); ++i) {
    const std::string text = i == 0 ? "it rains in the north" : "it rains in the south";
    AKIDB_RETURN_IF_ERROR(EmbedAll(run.pipeline, {text}, InputType::kDocument).status());
    MutexLock lock(run.seen.mutex);
    states[i] = run.seen.first_token;
  }
  if (!(Distance(states[0], states[1]) <= kSameError)) return OkStatus();
  return UnsupportedError("the graph's tokens don't see those behind them, those of " + id +
                          " do: it was exported with another model's attention");
}

Status CompareExample(const PublishedRun& run) {
  const PublishedExample& example = run.model.example;
  if (example.cosines.empty()) {
    run.notes.push_back("the publisher of " + std::string(run.model.id) +
                        " shows no figures that vectors could be compared with");
    return OkStatus();
  }
  AKIDB_ASSIGN_OR_RETURN(std::vector<float> queries,
                         EmbedAll(run.pipeline, example.queries, InputType::kQuery));
  AKIDB_ASSIGN_OR_RETURN(std::vector<float> documents,
                         EmbedAll(run.pipeline, example.documents, InputType::kDocument));
  const ExampleComparison worst = CompareWithExample(example, queries, documents);
  std::array<char, 160> figures;
  std::snprintf(figures.data(), figures.size(),
                "cosine of query %zu and document %zu: %.4f, the publisher's %.4f", worst.query + 1,
                worst.document + 1, worst.found, worst.expected);
  if (!(worst.error_max <= kExampleErrorMax)) {
    return UnsupportedError("vectors are not those of " + std::string(run.model.id) + ": in its " +
                            "publisher's example, " + figures.data());
  }
  const bool rounded = worst.error_max > kExampleRounding;
  run.notes.push_back(std::string("the publisher's example is met") +
                      (rounded ? ", as far as weights of few bits meet it" : "") + "; worst " +
                      figures.data());
  return OkStatus();
}

}  // namespace

Status ProvePublished(const PublishedRun& run) {
  AKIDB_RETURN_IF_ERROR(CheckAttention(run));
  AKIDB_RETURN_IF_ERROR(CheckOrder(run));
  return CompareExample(run);
}

}  // namespace akidb::embedding
