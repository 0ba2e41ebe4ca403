// How texts are cut into tokens: for indexes over texts and for BM25.
#pragma once

#include "api/rest/schema/shape.h"

namespace akidb::rest {

extern const Shape kTokenizer;
extern const Shape kTokenLength;
extern const Shape kStopWords;
extern const Shape kStemmer;

}  // namespace akidb::rest
