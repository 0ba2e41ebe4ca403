#include "service/text_batch.h"

#include <algorithm>
#include <utility>

namespace akidb::service {

Status EmbeddingStatus(Status status) {
  switch (status.code()) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kNotFound:
      return InferenceError(std::string(status.message()));
    case ErrorCode::kCorruption:
    case ErrorCode::kIo:
      return UnavailableError(std::string(status.message()));
    default:
      return status;
  }
}

Result<size_t> TextBatch::FindBatch(const std::string& model) {
  for (size_t i = 0; i < batches_.size(); ++i) {
    if (batches_[i].requested_name == model) return i;
  }
  Result<embedding::ModelInfo> info = embedder_.FindModel(model);
  if (!info.ok()) return EmbeddingStatus(info.status());
  for (size_t i = 0; i < batches_.size(); ++i) {
    if (batches_[i].info.id == info->id) return i;
  }
  Batch batch;
  batch.requested_name = model;
  batch.info = std::move(info).value();
  batches_.push_back(std::move(batch));
  return batches_.size() - 1;
}

Result<TextBatch::Slot> TextBatch::Add(const TextInput& input) {
  AKIDB_ASSIGN_OR_RETURN(size_t index, FindBatch(input.model));
  Batch& batch = batches_[index];
  auto [it, is_new] = batch.index_of.try_emplace(input.text, batch.texts.size());
  if (is_new) batch.texts.push_back(input.text);
  return Slot{index, it->second};
}

Status TextBatch::Run(const RequestContext& context, embedding::InputType input_type) {
  for (Batch& batch : batches_) {
    embedding::EmbedRequest request;
    request.model = batch.info.id;
    request.texts = batch.texts;
    request.input_type = input_type;
    Result<embedding::EmbedResult> result = embedder_.Embed(context, request);
    if (!result.ok()) return EmbeddingStatus(result.status());
    batch.result = std::move(result).value();
    if (batch.result.vectors.size() != batch.texts.size() * batch.result.dims) {
      return InternalError("model " + batch.info.id + " returned " +
                           std::to_string(batch.result.vectors.size()) + " components for " +
                           std::to_string(batch.texts.size()) + " texts of " +
                           std::to_string(batch.result.dims) + " dimensions");
    }
  }
  return OkStatus();
}

std::span<const float> TextBatch::vector(Slot slot) const {
  return batches_[slot.model].result.vector(slot.text);
}

InferenceUsage TextBatch::Usage() const {
  InferenceUsage usage;
  for (const Batch& batch : batches_) {
    uint64_t tokens = 0;
    for (uint32_t count : batch.result.tokens) tokens += count;
    usage[batch.requested_name.empty() ? batch.info.id : batch.requested_name] += tokens;
  }
  return usage;
}

uint64_t TextBatch::truncated_texts() const {
  uint64_t count = 0;
  for (const Batch& batch : batches_) {
    count += static_cast<uint64_t>(
        std::count(batch.result.truncated.begin(), batch.result.truncated.end(), true));
  }
  return count;
}

}  // namespace akidb::service
