// The bodies of POST /v1/embeddings, as OpenAI defines it, with the additions input_type,
// instruction and truncate, and of what goes with it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "service/service.h"

namespace akidb::rest {

struct EmbeddingsRequest {
  std::string model;  // empty: the default model
  std::vector<std::string> texts;
  std::vector<std::vector<int32_t>> ids;  // in place of texts
  service::InputType input_type = service::InputType::kDocument;
  service::Truncate truncate = service::Truncate::kEnd;
  std::optional<std::string> instruction;
  uint32_t dims = 0;    // 0: the model's own
  bool base64 = false;  // vectors as base64 of little-endian float32
};

inline constexpr size_t kEmbeddingInputsMax = service::kEmbedTextsMax;

// kMalformed, kValidation; kTooLarge: more ids than service takes.
Result<EmbeddingsRequest> DecodeEmbeddings(std::string_view body);

// The same, but for what belongs to vectors.
struct TokenizeInput {
  std::string model;
  std::vector<std::string> texts;
  bool add_special_tokens = true;
  service::InputType input_type = service::InputType::kDocument;
  std::optional<service::Truncate> truncate;
  std::optional<std::string> instruction;
};
Result<TokenizeInput> DecodeTokenize(std::string_view body);

struct DetokenizeInput {
  std::string model;
  std::vector<int32_t> ids;
  bool skip_special_tokens = true;
};
// kTooLarge: more ids than service takes.
Result<DetokenizeInput> DecodeDetokenize(std::string_view body);

}  // namespace akidb::rest
