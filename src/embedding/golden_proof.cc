#include "embedding/golden_proof.h"

#include <string>
#include <vector>

#include "embedding/session_run.h"

namespace akidb::embedding {
namespace {

Status ProveText(const TextEncoder& encoder, Session& session, const GoldenText& golden) {
  const Manifest& manifest = encoder.manifest();
  AKIDB_ASSIGN_OR_RETURN(TextEncoder::Prompt prompt,
                         encoder.MakePrompt(golden.input_type, std::nullopt));
  AKIDB_ASSIGN_OR_RETURN(TextEncoder::Sequence sequence,
                         encoder.Encode(prompt, std::span(&golden.text, 1), 0, Truncate::kEnd));
  std::vector<float> vector(manifest.dims);
  const BatchItem item{sequence.ids, vector};
  RunControl control;
  AKIDB_RETURN_IF_ERROR(RunSequences(session, manifest.pooling, std::span(&item, 1), control));
  const double cosine = HeadCosine(vector, golden.head);
  // Negated, so that a NaN fails too.
  if (!(cosine >= golden.min_cosine)) {
    return CorruptionError("it has a cosine of " + std::to_string(cosine) +
                           " to its reference, at least " + std::to_string(golden.min_cosine) +
                           " is needed: the model, its tokenizer or the runtime is not the one "
                           "that the manifest describes");
  }
  return OkStatus();
}

}  // namespace

Status ProveByGoldenTexts(const TextEncoder& encoder, Session& session) {
  const std::vector<GoldenText>& golden = encoder.manifest().golden;
  for (size_t i = 0; i < golden.size(); ++i) {
    if (Status proved = ProveText(encoder, session, golden[i]); !proved.ok()) {
      return proved.WithContext("golden text " + std::to_string(i));
    }
  }
  return OkStatus();
}

}  // namespace akidb::embedding
