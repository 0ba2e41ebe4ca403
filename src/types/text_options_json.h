// The parameters of a text index as clients give them.
#pragma once

#include <string_view>

#include "base/status.h"
#include "types/text_options.h"

namespace akidb {

// `params`: a JSON object of tokenizer, lowercase, ascii_folding, stopwords, stemmer, min_token_len
// and max_token_len; other members are left alone. Empty: the defaults. kMalformed, naming the
// member, for values of another form.
Result<TextOptions> TextOptionsFromJson(std::string_view params);
// Whether `phrase_matching` is asked for; other forms of it are refused where they are given.
bool WantsPhrases(std::string_view params);
// Whether texts are to be ranked: `scoring` is true or an object.
bool WantsRanking(std::string_view params);

}  // namespace akidb
