#include "api/rest/schema/text_shapes.h"

#include "api/rest/schema/basic_shapes.h"

namespace akidb::rest {
namespace {

using Kind = Shape::Kind;

constexpr Shape kWord = {.kind = Kind::kString, .example = R"("the")"};
constexpr Shape kWords = {.kind = Kind::kArray, .element = &kWord};
constexpr Shape kLanguage = {.kind = Kind::kString,
                             .doc = "By its English name or its ISO 639-1 code.",
                             .example = R"("english")"};
constexpr Shape kLanguages = {.kind = Kind::kArray, .element = &kLanguage};
constexpr Field kStopWordFields[] = {{"languages", &kLanguages}, {"custom", &kWords}};
constexpr Shape kStopWordLists = {.kind = Kind::kObject, .fields = kStopWordFields, .closed = true};
constexpr const Shape* kStopWordOptions[] = {&kLanguage, &kStopWordLists};
constexpr Shape kSnowball = {.kind = Kind::kChoice, .choices = "snowball"};
constexpr Shape kNone = {.kind = Kind::kChoice, .choices = "none"};
constexpr Field kSnowballFields[] = {{"type", &kSnowball, true}, {"language", &kLanguage, true}};
constexpr Field kNoStemmerFields[] = {{"type", &kNone, true}};
constexpr Shape kSnowballStemmer = {.kind = Kind::kObject, .fields = kSnowballFields};
constexpr Shape kNoStemmer = {.kind = Kind::kObject, .fields = kNoStemmerFields};
constexpr const Shape* kStemmers[] = {&kSnowballStemmer, &kNoStemmer};

}  // namespace

constinit const Shape kTokenizer = {.kind = Kind::kChoice,
                                    .choices = "word|whitespace|prefix|multilingual"};
constinit const Shape kTokenLength = {.kind = Kind::kUint, .max = 4294967295.0};
constinit const Shape kStopWords = {
    .kind = Kind::kOneOf, .name = "StopWords", .options = kStopWordOptions};
constinit const Shape kStemmer = {.kind = Kind::kOneOf, .name = "Stemmer", .options = kStemmers};

}  // namespace akidb::rest
