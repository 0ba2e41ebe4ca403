// Vectors, and texts in their place.
#pragma once

#include "api/rest/schema/shape.h"

namespace akidb::rest {

extern const Shape kDenseVector;
extern const Shape kMultiVector;
extern const Shape kSparseVector;
extern const Shape kDocument;
// One vector, of any kind, or a text.
extern const Shape kVector;
// All vectors of a point: one, or several by name.
extern const Shape kVectors;
// Columns of vectors, for a batch.
extern const Shape kVectorColumns;
// What is given back: without texts.
extern const Shape kStoredVectors;

}  // namespace akidb::rest
