#include "api/rest/schema/vector_shapes.h"

#include "api/rest/schema/basic_shapes.h"
#include "api/rest/schema/text_shapes.h"

namespace akidb::rest {
namespace {

using Kind = Shape::Kind;

constexpr Shape kIndex = {.kind = Kind::kUint, .max = 4294967295.0};
constexpr Shape kIndices = {.kind = Kind::kArray,
                            .doc = "In any order, each once.",
                            .element = &kIndex,
                            .example = "[7, 42]"};
constexpr Shape kValues = {.kind = Kind::kArray,
                           .doc = "As many as indices.",
                           .element = &kRealNumber,
                           .example = "[0.5, 0.25]"};
constexpr Field kSparseFields[] = {{"indices", &kIndices, true}, {"values", &kValues, true}};

constexpr Shape kDocumentLanguage = {.kind = Kind::kString,
                                     .doc = "`none` for no stemmer and no stop words.",
                                     .example = R"("english")"};
constexpr Field kBm25Fields[] = {
    {"k", &kRealNumber, false, "How soon repeating a word stops to count: 1.2."},
    {"b", &kRealNumber, false, "How much the length counts: 0.75."},
    {"avg_len", &kRealNumber, false, "Tokens of an average text: 256."},
    {"tokenizer", &kTokenizer},
    {"language", &kDocumentLanguage},
    {"lowercase", &kFlag},
    {"ascii_folding", &kFlag},
    {"stopwords", &kStopWords},
    {"stemmer", &kStemmer},
    {"min_token_len", &kCount},
    {"max_token_len", &kCount},
};
constexpr Shape kBm25Options = {.kind = Kind::kObject,
                                .name = "Bm25Options",
                                .doc = "Of the model `qdrant/bm25`; of others there are none.",
                                .fields = kBm25Fields,
                                .closed = true,
                                .example = R"({"k": 1.2, "b": 0.75, "avg_len": 256})"};

constexpr Shape kModel = {.kind = Kind::kString,
                          .doc =
                              "Without it the one whose vectors are stored there, else the "
                              "default model. `qdrant/bm25` gives a sparse vector.",
                          .example = R"("qdrant/bm25")"};
constexpr Shape kDocumentText = {.kind = Kind::kString, .example = R"("the quick brown fox")"};
constexpr Field kDocumentFields[] = {
    {"text", &kDocumentText, true},
    {"model", &kModel},
    {"options", &kBm25Options},
};

constexpr const Shape* kVectorOptions[] = {&kDenseVector, &kMultiVector, &kSparseVector,
                                           &kDocument};
constexpr Shape kNamed = {
    .kind = Kind::kMap, .element = &kVector, .example = R"({"": [0.1, 0.2, 0.3, 0.4]})"};
constexpr const Shape* kVectorsOptions[] = {&kDenseVector, &kMultiVector, &kDocument, &kNamed};

constexpr Shape kColumn = {.kind = Kind::kArray,
                           .doc = "One a point.",
                           .element = &kVector,
                           .example = "[[0.1, 0.2, 0.3, 0.4]]"};
constexpr Shape kColumnsByName = {
    .kind = Kind::kMap, .element = &kColumn, .example = R"({"": [[0.1, 0.2, 0.3, 0.4]]})"};
constexpr const Shape* kColumnOptions[] = {&kColumn, &kColumnsByName};

constexpr const Shape* kStoredOptions[] = {&kDenseVector, &kMultiVector, &kSparseVector};
constexpr Shape kStoredVector = {
    .kind = Kind::kOneOf, .name = "StoredVector", .options = kStoredOptions};
constexpr Shape kStoredByName = {.kind = Kind::kMap, .element = &kStoredVector};
constexpr const Shape* kAllStoredOptions[] = {&kDenseVector, &kMultiVector, &kStoredByName};

}  // namespace

constinit const Shape kDenseVector = {.kind = Kind::kArray,
                                      .name = "DenseVector",
                                      .doc = "As many numbers as the vector's size.",
                                      .element = &kRealNumber,
                                      .example = "[0.1, 0.2, 0.3, 0.4]"};
constinit const Shape kMultiVector = {.kind = Kind::kArray,
                                      .name = "MultiVector",
                                      .doc = "Rows of equal length, one or more.",
                                      .element = &kDenseVector};
constinit const Shape kSparseVector = {
    .kind = Kind::kObject, .name = "SparseVector", .fields = kSparseFields, .closed = true};
constinit const Shape kDocument = {.kind = Kind::kObject,
                                   .name = "Document",
                                   .doc = "A text that is embedded here.",
                                   .fields = kDocumentFields,
                                   .example = R"({"text": "fox", "model": "qdrant/bm25"})"};
constinit const Shape kVector = {.kind = Kind::kOneOf, .name = "Vector", .options = kVectorOptions};
constinit const Shape kVectors = {.kind = Kind::kOneOf,
                                  .name = "Vectors",
                                  .doc = "The unnamed vector, or vectors by name.",
                                  .options = kVectorsOptions};
constinit const Shape kVectorColumns = {.kind = Kind::kOneOf, .options = kColumnOptions};
constinit const Shape kStoredVectors = {
    .kind = Kind::kOneOf, .name = "StoredVectors", .options = kAllStoredOptions};

}  // namespace akidb::rest
