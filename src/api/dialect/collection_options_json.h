// What the creation of a collection and its change have in common. Only *_json.cc files include
// this.
#pragma once

#include "api/dialect/input_json.h"
#include "base/json_writer.h"
#include "types/collection_config.h"

namespace akidb::dialect {

// Keys of CollectionConfig::echoed_json: what the client said of single vectors, by their names.
inline constexpr char kVectorOptions[] = "vector_options";
inline constexpr char kSparseVectorOptions[] = "sparse_vector_options";

// Of one dense vector. What clients may say of it beyond size and distance goes into `options`, as
// one object.
Status ReadVectorParams(JsonElement value, const FieldPath& path, VectorConfig& out,
                        JsonWriter& options);

// Our own options travel in metadata.akidb, which clients pass through.
Status ReadMetadata(JsonElement value, const FieldPath& path, CollectionConfig& out);
// Which prefixes of vectors stand for them, once all vectors are known: a list for the unnamed
// vector, or an object of lists by name.
Status CheckMatryoshka(JsonElement metadata, const FieldPath& path, const CollectionConfig& config);

}  // namespace akidb::dialect
