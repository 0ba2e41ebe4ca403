#include "embedding/session_run.h"

#include <algorithm>

namespace akidb::embedding {
namespace {

// items x the longest length, padded on the right.
TokenBatch MakeBatch(std::span<const BatchItem> items) {
  TokenBatch batch;
  batch.items = items.size();
  for (const BatchItem& item : items) batch.tokens = std::max(batch.tokens, item.ids.size());
  batch.ids.resize(batch.items * batch.tokens);
  batch.mask.resize(batch.ids.size());
  for (size_t i = 0; i < items.size(); ++i) {
    const auto row = static_cast<ptrdiff_t>(i * batch.tokens);
    std::copy(items[i].ids.begin(), items[i].ids.end(), batch.ids.begin() + row);
    std::fill_n(batch.mask.begin() + row, items[i].ids.size(), 1);
    batch.lengths.push_back(static_cast<uint32_t>(items[i].ids.size()));
  }
  return batch;
}

}  // namespace

Status RunSequences(Session& session, Pooling pooling, std::span<const BatchItem> items,
                    RunControl& control) {
  const TokenBatch batch = MakeBatch(items);
  return session.Run(batch, control, [&](const HiddenStates& states) {
    for (size_t i = 0; i < items.size(); ++i) {
      Pool({states, batch.lengths, states.pooled ? Pooling::kNone : pooling}, i, items[i].vector);
      AKIDB_RETURN_IF_ERROR(Normalize(items[i].vector));
    }
    return OkStatus();
  });
}

}  // namespace akidb::embedding
