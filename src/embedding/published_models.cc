#include "embedding/published_models.h"

#include <cmath>
#include <numeric>

#include "base/check.h"
#include "embedding/manifest.h"

namespace akidb::embedding {
namespace {

constexpr std::string_view kSearchInstruction =
    "Given a web search query, retrieve relevant passages that answer the query";
constexpr std::string_view kPassagesPrompt =
    "Represent this sentence for searching relevant passages: ";
constexpr int32_t kQwenEndOfText = 151643;  // <|endoftext|>
constexpr uint32_t kDecoderTokens = 2048;   // attention isn't fused in the usual exports

// Of the model cards of all three sizes.
PublishedExample QwenExample(std::vector<double> cosines) {
  return {{"What is the capital of China?", "Explain gravity"},
          {"The capital of China is Beijing.",
           "Gravity is a force that attracts two bodies towards each other. It gives weight to "
           "physical objects and is responsible for the movement of planets around the sun."},
          std::move(cosines)};
}

// Heads of queries, of keys and values, 128 wide each.
struct DecoderShape {
  uint32_t dims;
  uint32_t layers;
  uint32_t query_heads;
  uint32_t kv_heads;
};

PublishedModel Decoder(std::string_view id, std::string_view publication, DecoderShape shape) {
  PublishedModel model;
  model.id = id;
  model.publication = publication;
  model.licence = "Apache-2.0";
  model.dims = shape.dims;
  model.layers = shape.layers;
  model.query_heads = shape.query_heads;
  model.kv_heads = shape.kv_heads;
  model.head_dim = 128;
  model.rotates = true;
  model.window = 32'768;
  model.max_tokens = kDecoderTokens;
  model.pooling = Pooling::kLast;
  model.instruction = kSearchInstruction;
  model.end_token = kQwenEndOfText;
  model.converts = true;
  return model;
}

PublishedModel Qwen3(std::string_view id, std::string_view publication, DecoderShape shape,
                     std::vector<double> cosines) {
  PublishedModel model = Decoder(id, publication, shape);
  model.looks_back = true;
  model.query_prompt = "Instruct: {instruction}\nQuery:";
  for (uint32_t dims = 32; dims < shape.dims; dims *= 2) model.dims_offered.push_back(dims);
  model.example = QwenExample(std::move(cosines));
  return model;
}

PublishedModel GteQwen2(std::string_view id, std::string_view publication, DecoderShape shape) {
  PublishedModel model = Decoder(id, publication, shape);
  model.query_prompt = "Instruct: {instruction}\nQuery: ";
  return model;
}

PublishedModel MiniLm() {
  PublishedModel model;
  model.id = "all-minilm-l6-v2";
  model.publication = "sentence-transformers/all-MiniLM-L6-v2";
  model.licence = "Apache-2.0";
  model.dims = 384;
  model.layers = 6;
  model.query_heads = model.kv_heads = 12;
  model.window = model.max_tokens = 256;
  // Of the quickstart of Sentence Transformers.
  model.example = {{"The weather is lovely today."},
                   {"It's so sunny outside!", "He drove to the stadium."},
                   {0.6660, 0.1046}};
  return model;
}

PublishedModel BgeM3() {
  PublishedModel model;
  model.id = "bge-m3";
  model.publication = "BAAI/bge-m3";
  model.licence = "MIT";
  model.dims = 1024;
  model.layers = 24;
  model.query_heads = model.kv_heads = 16;
  model.window = model.max_tokens = 8'192;
  model.pooling = Pooling::kCls;
  model.example = {{"What is BGE M3?", "Defination of BM25"},
                   {"BGE M3 is an embedding model supporting dense retrieval, lexical matching and "
                    "multi-vector interaction.",
                    "BM25 is a bag-of-words retrieval function that ranks a set of documents based "
                    "on the query terms appearing in each document"},
                   {0.6265, 0.3477, 0.3499, 0.678}};
  return model;
}

PublishedModel ArcticM() {
  PublishedModel model;
  model.id = "snowflake-arctic-embed-m-v1.5";
  model.publication = "Snowflake/snowflake-arctic-embed-m-v1.5";
  model.licence = "Apache-2.0";
  model.dims = 768;
  model.dims_offered = {256};
  model.layers = model.query_heads = model.kv_heads = 12;
  model.window = model.max_tokens = 512;
  model.pooling = Pooling::kCls;
  model.query_prompt = kPassagesPrompt;
  return model;
}

PublishedModel BgeSmallEn() {
  PublishedModel model;
  model.id = "bge-small-en-v1.5";
  model.publication = "BAAI/bge-small-en-v1.5";
  model.licence = "MIT";
  model.dims = 384;
  model.layers = model.query_heads = model.kv_heads = 12;
  model.window = model.max_tokens = 512;
  model.pooling = Pooling::kCls;
  model.query_prompt = kPassagesPrompt;
  return model;
}

PublishedModel BgeSmallZh() {
  PublishedModel model;
  model.id = "bge-small-zh-v1.5";
  model.publication = "BAAI/bge-small-zh-v1.5";
  model.licence = "MIT";
  model.dims = 512;
  model.layers = 4;
  model.query_heads = model.kv_heads = 8;
  model.window = model.max_tokens = 512;
  model.pooling = Pooling::kCls;
  model.query_prompt = "为这个句子生成表示以用于检索相关文章：";
  return model;
}

// The small ones: e5-small-v2 and multilingual-e5-small differ in their tables of words.
PublishedModel E5Small(std::string_view id, std::string_view publication) {
  PublishedModel model;
  model.id = id;
  model.publication = publication;
  model.licence = "MIT";
  model.dims = 384;
  model.layers = model.query_heads = model.kv_heads = 12;
  model.window = model.max_tokens = 512;
  model.query_prompt = "query: ";
  model.document_prompt = "passage: ";
  return model;
}

std::vector<PublishedModel> MakeTable() {
  return {
      Qwen3("qwen3-embedding-0.6b", "Qwen/Qwen3-Embedding-0.6B", {1024, 28, 16, 8},
            {0.7646, 0.1414, 0.1355, 0.6000}),
      Qwen3("qwen3-embedding-4b", "Qwen/Qwen3-Embedding-4B", {2560, 36, 32, 8},
            {0.7534, 0.1147, 0.0320, 0.6258}),
      Qwen3("qwen3-embedding-8b", "Qwen/Qwen3-Embedding-8B", {4096, 36, 32, 8},
            {0.7493, 0.0751, 0.0880, 0.6318}),
      GteQwen2("gte-qwen2-1.5b-instruct", "Alibaba-NLP/gte-Qwen2-1.5B-instruct", {1536, 28, 12, 2}),
      GteQwen2("gte-qwen2-7b-instruct", "Alibaba-NLP/gte-Qwen2-7B-instruct", {3584, 28, 28, 4}),
      BgeM3(),
      ArcticM(),
      BgeSmallEn(),
      BgeSmallZh(),
      E5Small("e5-small-v2", "intfloat/e5-small-v2"),
      E5Small("multilingual-e5-small", "intfloat/multilingual-e5-small"),
      MiniLm(),
  };
}

Status Differs(const PublishedModel& model, std::string_view what, uint64_t found,
               uint64_t expected) {
  return UnsupportedError("the folder is of another model than " + std::string(model.id) + ": " +
                          std::string(what) + " is " + std::to_string(found) + " instead of " +
                          std::to_string(expected));
}

Status Contradicts(std::string_view graph_has, uint64_t found, std::string_view config_says,
                   uint64_t expected) {
  return UnsupportedError(
      "the graph is not the one that config.json describes: " + std::string(graph_has) + " are " +
      std::to_string(found) + ", " + std::string(config_says) + " is " + std::to_string(expected));
}

// How the graph tells one place of a text from another.
Status CheckPositions(const PublishedModel& model, const ModelFolderFacts& facts,
                      const OnnxGraphFacts& graph) {
  const std::string id(model.id);
  if (model.rotates && graph.position_rows) {
    return UnsupportedError("the folder is of another model than " + id +
                            ": the graph looks positions up in a table of " +
                            std::to_string(*graph.position_rows) + " rows, " + id + " rotates");
  }
  if (model.rotates) return OkStatus();
  if (graph.rotates && !graph.position_rows) {
    return UnsupportedError("the folder is of another model than " + id +
                            ": the graph rotates by positions, " + id +
                            " looks them up in a table");
  }
  if (graph.position_rows && facts.positions && *graph.position_rows != *facts.positions) {
    return Contradicts("the rows of its table of positions", *graph.position_rows,
                       "max_position_embeddings", *facts.positions);
  }
  return OkStatus();
}

double Cosine(std::span<const float> a, std::span<const float> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

}  // namespace

std::span<const PublishedModel> PublishedModels() {
  static const std::vector<PublishedModel> table = MakeTable();
  return table;
}

Result<const PublishedModel*> FindPublished(std::string_view name) {
  const std::string folded = FoldName(name);
  std::string known;
  for (const PublishedModel& model : PublishedModels()) {
    if (folded == model.id || folded == FoldName(model.publication)) return &model;
    known += (known.empty() ? "" : ", ") + std::string(model.id);
  }
  return NotFoundError("no description of a model `" + std::string(name) + "`; known are " + known);
}

Status CheckPublished(const PublishedModel& model, const ModelFolderFacts& facts) {
  if (facts.width && *facts.width != model.dims) {
    return Differs(model, "hidden_size", *facts.width, model.dims);
  }
  if (facts.layers && *facts.layers != model.layers) {
    return Differs(model, "num_hidden_layers", *facts.layers, model.layers);
  }
  if (facts.query_heads && *facts.query_heads != model.query_heads) {
    return Differs(model, "num_attention_heads", *facts.query_heads, model.query_heads);
  }
  if (facts.kv_heads && *facts.kv_heads != model.kv_heads) {
    return Differs(model, "num_key_value_heads", *facts.kv_heads, model.kv_heads);
  }
  if (facts.pooling && *facts.pooling != model.pooling) {
    return UnsupportedError("the folder is of another model than " + std::string(model.id) +
                            ": 1_Pooling/config.json says `" + std::string(NameOf(*facts.pooling)) +
                            "` instead of `" + std::string(NameOf(model.pooling)) + "`");
  }
  return OkStatus();
}

Status CheckPublished(const PublishedModel& model, const EmptyKv& kv) {
  if (kv.names.empty()) return OkStatus();
  if (!model.rotates) {
    return UnsupportedError("the graph takes keys and values of earlier tokens, which " +
                            std::string(model.id) + " has not");
  }
  const uint32_t head_dim = model.head_dim != 0 ? model.head_dim : model.dims / model.query_heads;
  if (kv.names.size() != size_t{2} * model.layers) {
    return Differs(model, "the number of the graph's layers", kv.names.size() / 2, model.layers);
  }
  if (kv.heads != model.kv_heads) {
    return Differs(model, "the graph's number of heads of keys", kv.heads, model.kv_heads);
  }
  if (kv.head_dim != head_dim) {
    return Differs(model, "the graph's width of a head", kv.head_dim, head_dim);
  }
  return OkStatus();
}

Status CheckPublished(const PublishedModel& model, const ModelFolderFacts& facts,
                      const OnnxGraphFacts& graph) {
  if (graph.token_width && *graph.token_width != model.dims) {
    return Differs(model, "the width of the graph's table of tokens", *graph.token_width,
                   model.dims);
  }
  if (graph.token_rows && facts.vocabulary && *graph.token_rows != *facts.vocabulary) {
    return Contradicts("the rows of its table of tokens", *graph.token_rows, "vocab_size",
                       *facts.vocabulary);
  }
  if (graph.layers && *graph.layers != model.layers) {
    return Differs(model, "the number of attentions in the graph", *graph.layers, model.layers);
  }
  if (graph.query_heads && *graph.query_heads != model.query_heads) {
    return Differs(model, "the graph's number of heads", *graph.query_heads, model.query_heads);
  }
  if (graph.kv_heads && *graph.kv_heads != model.kv_heads) {
    return Differs(model, "the graph's number of heads of keys", *graph.kv_heads, model.kv_heads);
  }
  return CheckPositions(model, facts, graph);
}

ExampleComparison CompareWithExample(const PublishedExample& example,
                                     std::span<const float> queries,
                                     std::span<const float> documents) {
  AKIDB_CHECK(example.cosines.size() == example.queries.size() * example.documents.size());
  const size_t width = documents.size() / example.documents.size();
  ExampleComparison worst;
  for (size_t i = 0; i < example.cosines.size(); ++i) {
    const size_t query = i / example.documents.size();
    const size_t document = i % example.documents.size();
    const double found =
        Cosine(queries.subspan(query * width, width), documents.subspan(document * width, width));
    const double error = std::abs(found - example.cosines[i]);
    if (i > 0 && error <= worst.error_max) continue;
    worst = {error, query, document, example.cosines[i], found};
    if (std::isnan(error)) break;
  }
  return worst;
}

}  // namespace akidb::embedding
