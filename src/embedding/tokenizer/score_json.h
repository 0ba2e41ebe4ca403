// The scores of a Unigram model, as the reference reads them.
//
// It reads decimals in two roundings: all digits as an integer, which is then multiplied or divided
// by a power of ten. A last bit that differs decides between ways through a word that are equally
// good, so it has to be read the same way here.
#pragma once

#include <string_view>
#include <vector>

#include "base/status.h"

namespace akidb::embedding {

// `number` is a JSON number.
double ReadScore(std::string_view number);

// Of model.vocab in the text of a tokenizer.json that is well-formed JSON, in its order. What is no
// [token, score] has some score: its reader refuses it.
Result<std::vector<double>> ReadScores(std::string_view json);

}  // namespace akidb::embedding
