// Normalisers of a tokenizer.json, for families that take any of them.
#pragma once

#include <memory>

#include "base/status.h"
#include "embedding/tokenizer/component_json.h"
#include "embedding/tokenizer/text_normalizer.h"

namespace akidb::embedding {

// `root` is the whole file. null, Sequence, Precompiled, NFC, NFKC, Nmt, Lowercase, Replace (of a
// literal text, or of the expression " {2,}"), Strip and Prepend.
Result<std::unique_ptr<TextNormalizer>> ReadNormalizer(const Component& root);

}  // namespace akidb::embedding
