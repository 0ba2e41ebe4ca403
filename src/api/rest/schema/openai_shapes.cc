#include "api/rest/schema/openai_shapes.h"

#include "api/rest/schema/basic_shapes.h"

namespace akidb::rest {
namespace {

using Kind = Shape::Kind;

constexpr Shape kInputs = {.kind = Kind::kArray, .element = &kText, .items_min = 1};
constexpr const Shape* kInputOptions[] = {&kText, &kInputs};
constexpr Shape kInput = {
    .kind = Kind::kOneOf, .doc = "A text, or at most 2048 of them.", .options = kInputOptions};
constexpr Shape kTokenId = {.kind = Kind::kUint, .max = 2147483647, .example = "101"};
constexpr Shape kIdsOfText = {.kind = Kind::kArray, .element = &kTokenId, .items_min = 1};
constexpr Shape kIdsOfTexts = {.kind = Kind::kArray, .element = &kIdsOfText, .items_min = 1};
constexpr const Shape* kEmbeddedOptions[] = {&kText, &kInputs, &kIdsOfText, &kIdsOfTexts};
constexpr Shape kEmbedded = {.kind = Kind::kOneOf,
                             .doc =
                                 "A text, the ids of its tokens without special ones, or at most "
                                 "2048 of either.",
                             .options = kEmbeddedOptions};
constexpr Shape kModelName = {.kind = Kind::kString, .example = R"("all-minilm-l6-v2")"};
constexpr Shape kEncoding = {.kind = Kind::kChoice, .choices = "float|base64"};
constexpr Shape kInputType = {.kind = Kind::kChoice, .choices = "query|document"};
constexpr Shape kTruncate = {.kind = Kind::kChoice, .choices = "none|start|end"};
constexpr Shape kDimensions = {.kind = Kind::kUint, .min = 1, .max = 65536, .example = "384"};
constexpr Field kEmbeddingsFields[] = {
    {"input", &kEmbedded, true},  {"model", &kModelName},      {"encoding_format", &kEncoding},
    {"dimensions", &kDimensions}, {"input_type", &kInputType}, {"instruction", &kText},
    {"truncate", &kTruncate},
};

constexpr Shape kNumbers = {.kind = Kind::kArray, .element = &kRealNumber};
constexpr const Shape* kEmbeddingOptions[] = {&kNumbers, &kText};
constexpr Shape kEmbedding = {
    .kind = Kind::kOneOf, .doc = "Base64: of little-endian float32.", .options = kEmbeddingOptions};
constexpr Shape kEmbeddingTag = {.kind = Kind::kChoice, .choices = "embedding"};
constexpr Field kDatumFields[] = {
    {"object", &kEmbeddingTag, true}, {"index", &kCount, true}, {"embedding", &kEmbedding, true}};
constexpr Shape kDatum = {.kind = Kind::kObject, .fields = kDatumFields};
constexpr Shape kData = {.kind = Kind::kArray, .element = &kDatum};
constexpr Field kUsageFields[] = {{"prompt_tokens", &kCount, true},
                                  {"total_tokens", &kCount, true},
                                  {"truncated_texts", &kCount}};
constexpr Shape kUsage = {.kind = Kind::kObject, .fields = kUsageFields};
constexpr Shape kListTag = {.kind = Kind::kChoice, .choices = "list"};
constexpr Field kEmbeddingsAnswerFields[] = {{"object", &kListTag, true},
                                             {"data", &kData, true},
                                             {"model", &kText, true},
                                             {"usage", &kUsage, true}};

constexpr Shape kAddSpecials = {
    .kind = Kind::kBool,
    .doc =
        "The sequence that the model is run on, with prompt and special tokens: the default. "
        "false: the text's own tokens."};
constexpr Shape kCut = {.kind = Kind::kChoice,
                        .doc = "As embedding would cut; by default nothing is cut.",
                        .choices = "none|start|end"};
constexpr Field kTokenizeFields[] = {
    {"input", &kInput, true},    {"model", &kModelName},  {"add_special_tokens", &kAddSpecials},
    {"input_type", &kInputType}, {"instruction", &kText}, {"truncate", &kCut},
};
constexpr Shape kTokensTag = {.kind = Kind::kChoice, .choices = "tokens"};
constexpr Shape kIds = {.kind = Kind::kArray, .element = &kCount};
constexpr Shape kTokenTexts = {.kind = Kind::kArray,
                               .doc = "One for each id, as the tokenizer's file spells it.",
                               .element = &kText};
constexpr Field kTokensFields[] = {{"object", &kTokensTag, true}, {"index", &kCount, true},
                                   {"ids", &kIds, true},          {"tokens", &kTokenTexts, true},
                                   {"count", &kCount, true},      {"truncated", &kFlag, true}};
constexpr Shape kTokens = {.kind = Kind::kObject, .fields = kTokensFields};
constexpr Shape kTokensOfTexts = {.kind = Kind::kArray, .element = &kTokens};
constexpr Field kTokenizeAnswerFields[] = {{"object", &kListTag, true},
                                           {"data", &kTokensOfTexts, true},
                                           {"model", &kText, true},
                                           {"max_tokens", &kCount, true},
                                           {"usage", &kUsage, true}};
constexpr Shape kGivenIds = {.kind = Kind::kArray,
                             .doc = "At most 300000.",
                             .element = &kTokenId,
                             .example = "[101, 7592, 102]"};
constexpr Field kDetokenizeFields[] = {
    {"ids", &kGivenIds, true}, {"model", &kModelName}, {"skip_special_tokens", &kFlag}};
constexpr Field kDetokenizeAnswerFields[] = {{"model", &kText, true}, {"text", &kText, true}};

constexpr Shape kModelTag = {.kind = Kind::kChoice, .choices = "model"};
constexpr Shape kLoadState = {
    .kind = Kind::kChoice,
    .doc = "`installed`: loaded at its first use. `draining`: unloaded when its requests end.",
    .choices = "absent|installed|loading|ready|failed|draining"};
constexpr Shape kLoadPhase = {
    .kind = Kind::kChoice,
    .doc = "For room, for checksums, for the session, for the texts that prove it.",
    .choices = "waiting|verifying|building|proving"};
constexpr Field kLoadingFields[] = {{"phase", &kLoadPhase, true},
                                    {"verified_bytes", &kCount, true},
                                    {"bytes", &kCount, true},
                                    {"seconds", &kRealNumber, true}};
constexpr Shape kLoading = {.kind = Kind::kObject,
                            .doc = "While it is loaded: how much of the graph's file is verified.",
                            .fields = kLoadingFields};
constexpr Shape kMemoryBytes = {.kind = Kind::kUint,
                                .doc = "What it counts for of `models_bytes_max`."};
constexpr Shape kRequests = {.kind = Kind::kUint, .doc = "That use it now."};
constexpr Shape kLinkState = {
    .kind = Kind::kChoice,
    .doc =
        "`waiting`: not needed so far, or its process ended while nobody asked; the next request "
        "has it made. `building`: being made, another serves meanwhile. `open`: it failed, and is "
        "tried again. `refused`: it can't run here, or is lost.",
    .choices = "waiting|building|ready|open|refused"};
constexpr Shape kNodes = {
    .kind = Kind::kMap,
    .doc =
        "How many of the graph's nodes each provider of the library was given in this session; "
        "missing where the library doesn't tell.",
    .element = &kCount};
constexpr Field kProviderFields[] = {{"provider", &kText, true},         {"variant", &kText},
                                     {"state", &kLinkState, true},       {"serves", &kFlag, true},
                                     {"failures", &kCount, true},        {"reason", &kText},
                                     {"retry_in_seconds", &kRealNumber}, {"nodes", &kNodes}};
constexpr Shape kProvider = {
    .kind = Kind::kObject, .name = "ModelProvider", .fields = kProviderFields};
constexpr Shape kModelProviders = {
    .kind = Kind::kArray,
    .doc = "While it is loaded: what it may run on, the preferred one first.",
    .element = &kProvider};
constexpr Shape kDegraded = {.kind = Kind::kBool,
                             .doc = "Another provider serves, or none, because one failed."};
constexpr Shape kFailedAgo = {
    .kind = Kind::kNumber,
    .doc = "Since its last load failed, while none has succeeded; missing where nobody tried."};
constexpr Field kOwnFields[] = {{"aliases", &kTexts, true},
                                {"dimensions", &kCount, true},
                                {"max_tokens", &kCount, true},
                                {"state", &kLoadState, true},
                                {"state_reason", &kText},
                                {"failed_seconds_ago", &kFailedAgo},
                                {"loading", &kLoading},
                                {"requests", &kRequests, true},
                                {"memory_bytes", &kMemoryBytes, true},
                                {"pinned", &kFlag, true},
                                {"default", &kFlag, true},
                                {"providers", &kModelProviders},
                                {"degraded", &kDegraded}};
constexpr Shape kOwn = {.kind = Kind::kObject, .name = "ModelState", .fields = kOwnFields};
constexpr Field kModelFields[] = {{"id", &kText, true},
                                  {"object", &kModelTag, true},
                                  {"created", &kCount, true},
                                  {"owned_by", &kText, true},
                                  {"akidb", &kOwn, true}};
constexpr Shape kModels = {.kind = Kind::kArray, .element = &kModelInfo};
constexpr Field kModelsFields[] = {{"object", &kListTag, true}, {"data", &kModels, true}};

constexpr Field kErrorOfFields[] = {
    {"message", &kText, true}, {"type", &kText, true}, {"param", &kText}, {"code", &kText}};
constexpr Shape kErrorOf = {.kind = Kind::kObject, .fields = kErrorOfFields};
constexpr Field kErrorFields[] = {{"error", &kErrorOf, true}};

}  // namespace

constinit const Shape kEmbeddingsBody = {
    .kind = Kind::kObject, .name = "EmbeddingsRequest", .fields = kEmbeddingsFields};
constinit const Shape kEmbeddingsAnswer = {
    .kind = Kind::kObject, .name = "Embeddings", .fields = kEmbeddingsAnswerFields};
constinit const Shape kTokenizeBody = {
    .kind = Kind::kObject, .name = "TokenizeRequest", .fields = kTokenizeFields};
constinit const Shape kTokenizeAnswer = {
    .kind = Kind::kObject, .name = "Tokens", .fields = kTokenizeAnswerFields};
constinit const Shape kDetokenizeBody = {
    .kind = Kind::kObject, .name = "DetokenizeRequest", .fields = kDetokenizeFields};
constinit const Shape kDetokenizeAnswer = {
    .kind = Kind::kObject, .name = "DetokenizedText", .fields = kDetokenizeAnswerFields};
constinit const Shape kModelsAnswer = {
    .kind = Kind::kObject, .name = "Models", .fields = kModelsFields};
constinit const Shape kModelInfo = {.kind = Kind::kObject, .name = "Model", .fields = kModelFields};
constinit const Shape kOpenAiError = {
    .kind = Kind::kObject, .name = "OpenAiError", .fields = kErrorFields};

}  // namespace akidb::rest
