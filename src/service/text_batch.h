// The texts of one request, gathered per model and embedded together, identical ones once.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/request_context.h"
#include "base/status.h"
#include "embedding/embedder.h"
#include "service/service.h"
#include "types/query.h"

namespace akidb::service {

// What the embedder refuses, as the service reports it: bad input becomes kInference, a damaged
// model kUnavailable. Everything else stays.
Status EmbeddingStatus(Status status);

// Not thread-safe; lives within one request.
class TextBatch {
 public:
  // Where a text's vector will be.
  struct Slot {
    size_t model = 0;
    size_t text = 0;
  };

  explicit TextBatch(embedding::Embedder& embedder) : embedder_(embedder) {}

  // `input.text` must outlive the batch. kInference: no such model.
  Result<Slot> Add(const TextInput& input);
  const embedding::ModelInfo& model(Slot slot) const { return batches_[slot.model].info; }

  // Runs every model once over its texts. Call once, before vector().
  Status Run(const RequestContext& context, embedding::InputType input_type);

  // dims() of the slot's model, unit length. Valid as long as the batch.
  std::span<const float> vector(Slot slot) const;
  bool empty() const { return batches_.empty(); }
  // Tokens per model, by the name that the client used first.
  InferenceUsage Usage() const;
  uint64_t truncated_texts() const;

 private:
  struct Batch {
    std::string requested_name;  // as sent; may be empty
    embedding::ModelInfo info;
    std::vector<std::string> texts;
    std::unordered_map<std::string_view, size_t> index_of;
    embedding::EmbedResult result;
  };
  Result<size_t> FindBatch(const std::string& model);

  embedding::Embedder& embedder_;
  std::vector<Batch> batches_;
};

}  // namespace akidb::service
