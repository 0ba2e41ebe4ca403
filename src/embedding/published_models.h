// Models that are known by name and come in no package: what their publishers say of them, so that
// a folder which somebody has fetched is imported as it was meant (`akidb models import --model`),
// held against the publisher's own figures. docs/models has a page for each family, with sources.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "embedding/model_folder_json.h"
#include "embedding/onnx_graph_facts.h"
#include "embedding/pooling.h"
#include "embedding/session.h"

namespace akidb::embedding {

// A publisher's example: cosines of its queries with its documents, row by row.
struct PublishedExample {
  std::vector<std::string> queries;
  std::vector<std::string> documents;
  std::vector<double> cosines;  // queries x documents; none: the publisher shows none
};

struct PublishedModel {
  std::string_view id;
  std::string_view publication;  // "Qwen/Qwen3-Embedding-0.6B"; an alias of `id`, in lower case
  std::string_view licence;      // SPDX
  uint32_t dims = 0;
  std::vector<uint32_t> dims_offered;  // shorter ones it was trained for (MRL), ascending
  uint32_t layers = 0;
  uint32_t query_heads = 0;
  uint32_t kv_heads = 0;    // of keys and values
  uint32_t head_dim = 0;    // 0: dims / query_heads
  bool rotates = false;     // positions enter by rotation; else by a table of them
  bool looks_back = false;  // a token sees those before it only
  uint32_t window = 0;      // tokens that it was made for
  uint32_t max_tokens = 0;  // that an import takes unless told; less where attention costs much
  Pooling pooling = Pooling::kMean;
  std::string_view query_prompt;
  std::string_view document_prompt;
  std::string_view instruction;      // the default, where a prompt holds {instruction}
  std::optional<int32_t> end_token;  // that must stand last, where the tokenizer may add none
  bool converts = false;             // `akidb models convert` makes it
  PublishedExample example;
};

std::span<const PublishedModel> PublishedModels();

// By id or publication, any case. kNotFound names those that exist.
Result<const PublishedModel*> FindPublished(std::string_view name);

// kUnsupported with both figures where the folder is of another model.
Status CheckPublished(const PublishedModel& model, const ModelFolderFacts& facts);
// Likewise for keys and values that the graph takes, if it takes any.
Status CheckPublished(const PublishedModel& model, const EmptyKv& kv);
// Likewise for what the graph shows, which counts where config.json beside it says otherwise.
Status CheckPublished(const PublishedModel& model, const ModelFolderFacts& facts,
                      const OnnxGraphFacts& graph);

// How far cosines may be from the example's: rounding of 16 bits below the first, 8 and 4 bits
// below the second; beyond it another model, or another way of embedding.
inline constexpr double kExampleRounding = 0.01;
inline constexpr double kExampleErrorMax = 0.06;

struct ExampleComparison {
  double error_max = 0;  // greatest difference from a published cosine
  size_t query = 0;      // where
  size_t document = 0;
  double expected = 0;
  double found = 0;
};
// `queries` and `documents`: unit vectors of the example's texts, one after the other.
// One that isn't a number is worse than any.
ExampleComparison CompareWithExample(const PublishedExample& example,
                                     std::span<const float> queries,
                                     std::span<const float> documents);

}  // namespace akidb::embedding
