#include "embedding/golden_proof.h"

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "embedding/session_run.h"

namespace akidb::embedding {
namespace {

Status Compare(const GoldenText& golden, std::span<const float> vector) {
  const double cosine = HeadCosine(vector, golden.head);
  // Negated, so that a NaN fails too.
  if (cosine >= golden.min_cosine) return OkStatus();
  return CorruptionError("it has a cosine of " + std::to_string(cosine) +
                         " to its reference, at least " + std::to_string(golden.min_cosine) +
                         " is needed: the model, its tokenizer or the runtime is not the one "
                         "that the manifest describes");
}

using Sequences = std::vector<std::vector<int32_t>>;

// `sequences`, of the texts from `begin` on, in one run.
Status ProveTexts(const TextEncoder& encoder, Session& session, const Sequences& sequences,
                  size_t begin) {
  const Manifest& manifest = encoder.manifest();
  const std::span<const GoldenText> golden(manifest.golden);
  const size_t count = sequences.size();
  std::vector<float> vectors(count * manifest.dims);
  std::vector<BatchItem> items;
  for (size_t i = 0; i < count; ++i) {
    items.push_back({sequences[i], std::span(vectors).subspan(i * manifest.dims, manifest.dims)});
  }
  RunControl control;
  const std::string name = "golden text " + std::to_string(begin);
  Status run = RunSequences(session, manifest.pooling, items, control);
  if (!run.ok()) return run.WithContext(count == 1 ? name : "the golden texts in one batch");
  for (size_t i = 0; i < count; ++i) {
    const Status right = Compare(golden[begin + i], items[i].vector);
    if (right.ok()) continue;
    return right.WithContext(count == 1 ? name
                                        : "golden text " + std::to_string(i) + " in a batch");
  }
  return OkStatus();
}

}  // namespace

Result<std::vector<std::vector<int32_t>>> EncodeGoldenTexts(const TextEncoder& encoder) {
  Sequences sequences;
  for (const GoldenText& golden : encoder.manifest().golden) {
    AKIDB_ASSIGN_OR_RETURN(TextEncoder::Prompt prompt,
                           encoder.MakePrompt(golden.input_type, std::nullopt));
    AKIDB_ASSIGN_OR_RETURN(TextEncoder::Sequence sequence,
                           encoder.Encode(prompt, std::span(&golden.text, 1), 0, Truncate::kEnd));
    sequences.push_back(std::move(sequence.ids));
  }
  return sequences;
}

Status ProveByGoldenTexts(const TextEncoder& encoder, Session& session) {
  AKIDB_ASSIGN_OR_RETURN(const Sequences sequences, EncodeGoldenTexts(encoder));
  for (size_t i = 0; i < sequences.size(); ++i) {
    AKIDB_RETURN_IF_ERROR(ProveTexts(encoder, session, {sequences[i]}, i));
  }
  if (encoder.manifest().one_text_a_run || sequences.size() < 2) return OkStatus();
  return ProveTexts(encoder, session, sequences, 0);
}

}  // namespace akidb::embedding
