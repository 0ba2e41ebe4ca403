// Texts of the model that needs none: BM25.
#pragma once

#include <string_view>

#include "base/status.h"
#include "types/point.h"

namespace akidb::dialect {

enum class TextRole : uint8_t { kDocument, kQuery };

// `text` as a sparse vector. `options_json` is an object, or empty for none. kInference: a language
// that there is none of, numbers out of their range; kMalformed: other options.
Result<DenseVector> Bm25Vector(std::string_view text, std::string_view options_json, TextRole role);

}  // namespace akidb::dialect
