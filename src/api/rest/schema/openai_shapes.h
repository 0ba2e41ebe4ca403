// Bodies in OpenAI's form.
#pragma once

#include "api/rest/schema/shape.h"

namespace akidb::rest {

extern const Shape kEmbeddingsBody;
extern const Shape kEmbeddingsAnswer;
extern const Shape kTokenizeBody;
extern const Shape kTokenizeAnswer;
extern const Shape kDetokenizeBody;
extern const Shape kDetokenizeAnswer;
extern const Shape kModelsAnswer;
extern const Shape kModelInfo;
extern const Shape kOpenAiError;

}  // namespace akidb::rest
