#include "api/rest/schema/index_shapes.h"

#include "api/rest/schema/basic_shapes.h"
#include "api/rest/schema/option_shapes.h"
#include "api/rest/schema/text_shapes.h"

namespace akidb::rest {
namespace {

using Kind = Shape::Kind;

constexpr Shape kUnserved = {.kind = Kind::kNull, .doc = "Anything but null is refused."};
constexpr Shape kScoringType = {.kind = Kind::kChoice, .choices = "bm25"};
constexpr Field kScoringFields[] = {{"type", &kScoringType, true}};
constexpr Shape kScoringParams = {
    .kind = Kind::kObject, .name = "TextScoringParams", .fields = kScoringFields, .closed = true};
constexpr const Shape* kScoringOptions[] = {&kFlag, &kScoringParams};
constexpr Shape kScoring = {.kind = Kind::kOneOf, .options = kScoringOptions};
constexpr std::array<Field, 4> kEveryIndex = {{
    {"on_disk", &kFlag},
    {"memory", &kMemoryPlace},
    {"enable_hnsw", &kFlag},
    {"nested", &kUnserved},
}};

constexpr Shape kKeyword = {.kind = Kind::kChoice, .choices = "keyword"};
constexpr Shape kInteger = {.kind = Kind::kChoice, .choices = "integer"};
constexpr Shape kFloat = {.kind = Kind::kChoice, .choices = "float"};
constexpr Shape kGeo = {.kind = Kind::kChoice, .choices = "geo"};
constexpr Shape kTextKind = {.kind = Kind::kChoice, .choices = "text"};
constexpr Shape kBool = {.kind = Kind::kChoice, .choices = "bool"};
constexpr Shape kDatetime = {.kind = Kind::kChoice, .choices = "datetime"};
constexpr Shape kUuid = {.kind = Kind::kChoice, .choices = "uuid"};

constexpr std::array<Field, 3> kOfKeyword = {
    {{"type", &kKeyword, true}, {"is_tenant", &kFlag}, {"prefix", &kFlag}}};
constexpr std::array<Field, 4> kOfInteger = {
    {{"type", &kInteger, true},
     {"lookup", &kFlag, false, "Not false together with `range`."},
     {"range", &kFlag, false, "Not false together with `lookup`."},
     {"is_principal", &kFlag}}};
constexpr std::array<Field, 2> kOfFloat = {{{"type", &kFloat, true}, {"is_principal", &kFlag}}};
constexpr std::array<Field, 2> kOfDatetime = {
    {{"type", &kDatetime, true}, {"is_principal", &kFlag}}};
constexpr std::array<Field, 2> kOfUuid = {{{"type", &kUuid, true}, {"is_tenant", &kFlag}}};
constexpr std::array<Field, 1> kOfGeo = {{{"type", &kGeo, true}}};
constexpr std::array<Field, 1> kOfBool = {{{"type", &kBool, true}}};
constexpr std::array<Field, 10> kOfText = {{
    {"type", &kTextKind, true},
    {"tokenizer", &kTokenizer},
    {"min_token_len", &kTokenLength},
    {"max_token_len", &kTokenLength},
    {"lowercase", &kFlag},
    {"ascii_folding", &kFlag},
    {"phrase_matching", &kFlag, false, "Keeps the places of words, for `match.phrase`."},
    {"stopwords", &kStopWords},
    {"stemmer", &kStemmer},
    {"scoring", &kScoring, false, "Lets queries rank points by their texts."},
}};

constexpr auto kKeywordFields = JoinFields(kOfKeyword, kEveryIndex);
constexpr auto kIntegerFields = JoinFields(kOfInteger, kEveryIndex);
constexpr auto kFloatFields = JoinFields(kOfFloat, kEveryIndex);
constexpr auto kDatetimeFields = JoinFields(kOfDatetime, kEveryIndex);
constexpr auto kUuidFields = JoinFields(kOfUuid, kEveryIndex);
constexpr auto kGeoFields = JoinFields(kOfGeo, kEveryIndex);
constexpr auto kBoolFields = JoinFields(kOfBool, kEveryIndex);
constexpr auto kTextFields = JoinFields(kOfText, kEveryIndex);

constexpr Shape kKeywordIndex = {
    .kind = Kind::kObject, .name = "KeywordIndexParams", .fields = kKeywordFields};
constexpr Shape kIntegerIndex = {
    .kind = Kind::kObject, .name = "IntegerIndexParams", .fields = kIntegerFields};
constexpr Shape kFloatIndex = {
    .kind = Kind::kObject, .name = "FloatIndexParams", .fields = kFloatFields};
constexpr Shape kGeoIndex = {.kind = Kind::kObject, .name = "GeoIndexParams", .fields = kGeoFields};
constexpr Shape kTextIndex = {
    .kind = Kind::kObject, .name = "TextIndexParams", .fields = kTextFields};
constexpr Shape kBoolIndex = {
    .kind = Kind::kObject, .name = "BoolIndexParams", .fields = kBoolFields};
constexpr Shape kDatetimeIndex = {
    .kind = Kind::kObject, .name = "DatetimeIndexParams", .fields = kDatetimeFields};
constexpr Shape kUuidIndex = {
    .kind = Kind::kObject, .name = "UuidIndexParams", .fields = kUuidFields};

constexpr IndexParams kParams[] = {
    {"keyword", &kKeywordIndex},   {"integer", &kIntegerIndex}, {"float", &kFloatIndex},
    {"geo", &kGeoIndex},           {"text", &kTextIndex},       {"bool", &kBoolIndex},
    {"datetime", &kDatetimeIndex}, {"uuid", &kUuidIndex},
};

constexpr Shape kKind = {.kind = Kind::kChoice,
                         .choices = "keyword|integer|float|geo|text|bool|datetime|uuid"};
constexpr const Shape* kSchemaOptions[] = {&kKind,       &kKeywordIndex,  &kIntegerIndex,
                                           &kFloatIndex, &kGeoIndex,      &kTextIndex,
                                           &kBoolIndex,  &kDatetimeIndex, &kUuidIndex};
constexpr Shape kFieldSchema = {.kind = Kind::kOneOf,
                                .name = "PayloadFieldSchema",
                                .doc = "What the field holds, alone or with parameters.",
                                .options = kSchemaOptions};
constexpr Shape kIndexedField = {.kind = Kind::kString, .example = R"("indexed")"};
constexpr Field kCreateFields[] = {{"field_name", &kIndexedField, true},
                                   {"field_schema", &kFieldSchema, true}};

}  // namespace

std::span<const IndexParams> PayloadIndexParams() { return kParams; }

constinit const Shape kCreateIndexBody = {
    .kind = Kind::kObject, .name = "CreateIndex", .fields = kCreateFields};

}  // namespace akidb::rest
