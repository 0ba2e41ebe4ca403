#include <algorithm>
#include <cstring>
#include <span>

#include "api/rest/api_call.h"
#include "api/rest/openai_json.h"

namespace akidb::rest {
namespace {

// RFC 4648, section 4.
std::string Base64(std::span<const std::byte> bytes) {
  static constexpr char kAlphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    size_t count = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j) {
      group = group << 8 | (j < count ? static_cast<uint32_t>(bytes[i + j]) : 0);
    }
    for (size_t j = 0; j < 4; ++j) {
      out.push_back(j <= count ? kAlphabet[group >> (18 - 6 * j) & 63] : '=');
    }
  }
  return out;
}

void WriteEmbedding(size_t index, std::span<const float> vector, bool base64, JsonWriter& json) {
  json.BeginObject();
  json.Key("object");
  json.String("embedding");
  json.Key("index");
  json.Uint(index);
  json.Key("embedding");
  if (base64) {
    json.String(Base64(std::as_bytes(vector)));
  } else {
    json.Floats(vector);
  }
  json.EndObject();
}

void WriteUsage(uint64_t tokens, uint64_t truncated, JsonWriter& json) {
  json.Key("usage");
  json.BeginObject();
  json.Key("prompt_tokens");
  json.Uint(tokens);
  json.Key("total_tokens");
  json.Uint(tokens);
  if (truncated > 0) {
    json.Key("truncated_texts");
    json.Uint(truncated);
  }
  json.EndObject();
}

void WriteTokens(size_t index, const service::TokenizedText& text, JsonWriter& json) {
  json.BeginObject();
  json.Key("object");
  json.String("tokens");
  json.Key("index");
  json.Uint(index);
  json.Key("ids");
  json.BeginArray();
  for (int32_t id : text.ids) json.Uint(static_cast<uint64_t>(id));
  json.EndArray();
  json.Key("tokens");
  json.BeginArray();
  for (const std::string& token : text.tokens) json.String(token);
  json.EndArray();
  json.Key("count");
  json.Uint(text.ids.size());
  json.Key("truncated");
  json.Bool(text.truncated);
  json.EndObject();
}

}  // namespace

Result<std::string> CreateEmbeddings(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(EmbeddingsRequest decoded, DecodeEmbeddings(call.body));
  service::EmbedRequest request;
  request.model = decoded.model;
  request.texts = decoded.texts;
  request.ids = decoded.ids;
  request.input_type = decoded.input_type;
  request.truncate = decoded.truncate;
  request.instruction = decoded.instruction;
  request.dims = decoded.dims;
  AKIDB_ASSIGN_OR_RETURN(service::EmbedResult result, call.service.Embed(call.context, request));
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  json.Key("object");
  json.String("list");
  json.Key("data");
  json.BeginArray();
  for (size_t i = 0; i < result.tokens.size(); ++i) {
    WriteEmbedding(i, result.vector(i), decoded.base64, json);
  }
  json.EndArray();
  json.Key("model");
  json.String(result.model);
  uint64_t tokens = 0;
  for (uint32_t count : result.tokens) tokens += count;
  const auto truncated = std::count(result.truncated.begin(), result.truncated.end(), true);
  WriteUsage(tokens, static_cast<uint64_t>(truncated), json);
  json.EndObject();
  return body;
}

Result<std::string> Tokenize(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(TokenizeInput decoded, DecodeTokenize(call.body));
  service::TokenizeRequest request;
  request.model = decoded.model;
  request.texts = decoded.texts;
  request.add_special_tokens = decoded.add_special_tokens;
  request.input_type = decoded.input_type;
  request.truncate = decoded.truncate;
  request.instruction = decoded.instruction;
  AKIDB_ASSIGN_OR_RETURN(service::TokenizeResult result,
                         call.service.Tokenize(call.context, request));
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  json.Key("object");
  json.String("list");
  json.Key("data");
  json.BeginArray();
  uint64_t tokens = 0;
  uint64_t truncated = 0;
  for (size_t i = 0; i < result.texts.size(); ++i) {
    WriteTokens(i, result.texts[i], json);
    tokens += result.texts[i].ids.size();
    truncated += result.texts[i].truncated;
  }
  json.EndArray();
  json.Key("model");
  json.String(result.model);
  json.Key("max_tokens");
  json.Uint(result.max_tokens);
  WriteUsage(tokens, truncated, json);
  json.EndObject();
  return body;
}

Result<std::string> Detokenize(const ApiCall& call) {
  AKIDB_ASSIGN_OR_RETURN(DetokenizeInput decoded, DecodeDetokenize(call.body));
  service::DetokenizeRequest request;
  request.model = decoded.model;
  request.ids = decoded.ids;
  request.skip_special_tokens = decoded.skip_special_tokens;
  AKIDB_ASSIGN_OR_RETURN(service::DetokenizeResult result,
                         call.service.Detokenize(call.context, request));
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  json.Key("model");
  json.String(result.model);
  json.Key("text");
  json.String(result.text);
  json.EndObject();
  return body;
}

}  // namespace akidb::rest
