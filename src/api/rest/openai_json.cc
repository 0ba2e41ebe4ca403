#include "api/rest/openai_json.h"

#include "api/rest/input_json.h"
#include "types/collection_config.h"

namespace akidb::rest {
namespace {

Status CheckCount(const FieldPath& path, size_t count) {
  if (count == 0) return RangeError(path, "must hold at least one text");
  if (count <= kEmbeddingInputsMax) return OkStatus();
  return RangeError(path, "holds " + std::to_string(count) + " inputs, at most " +
                              std::to_string(kEmbeddingInputsMax) + " are allowed");
}

Status ReadTexts(JsonElement value, const FieldPath& path, std::vector<std::string>& out) {
  std::string_view text;
  simdjson::dom::array array;
  if (!value.get(text)) {
    out.emplace_back(text);
    return OkStatus();
  }
  if (value.get(array)) return TypeError(path, "a string or an array of strings", value);
  AKIDB_RETURN_IF_ERROR(CheckCount(path, array.size()));
  return ReadStrings(value, path, out);
}

// Of all lists of a request `left` are still allowed.
Status ReadIds(JsonElement value, const FieldPath& path, size_t& left, std::vector<int32_t>& out) {
  return ForEachElement(
      value, path, "an array of ids", [&](JsonElement element, const FieldPath& at) {
        uint64_t id = 0;
        AKIDB_RETURN_IF_ERROR(ReadUint(element, at, id));
        if (left == 0) {
          return TooLargeError(path.ToString() + ": at most " +
                               std::to_string(service::kTokenizedIdsMax) + " ids are taken");
        }
        if (id > INT32_MAX) return RangeError(at, "belongs to no token");
        --left;
        out.push_back(static_cast<int32_t>(id));
        return OkStatus();
      });
}

// A text, texts, the ids of one, or lists of ids.
Status ReadInput(JsonElement value, const FieldPath& path, EmbeddingsRequest& request) {
  simdjson::dom::array array;
  size_t left = service::kTokenizedIdsMax;
  const bool holds_any = !value.get(array) && array.size() > 0;
  if (holds_any && (*array.begin()).is_number()) {
    return ReadIds(value, path, left, request.ids.emplace_back());
  }
  if (!holds_any || !(*array.begin()).is_array()) return ReadTexts(value, path, request.texts);
  AKIDB_RETURN_IF_ERROR(CheckCount(path, array.size()));
  return ForEachElement(value, path, "an array", [&](JsonElement ids, const FieldPath& at) {
    return ReadIds(ids, at, left, request.ids.emplace_back());
  });
}

// Sets `out` to the value that belongs to the string's place in `names`.
template <typename T, size_t kCount>
Status ReadChoice(JsonElement value, const FieldPath& path,
                  const std::pair<std::string_view, T> (&names)[kCount], T& out) {
  std::string_view chosen;
  AKIDB_RETURN_IF_ERROR(ReadString(value, path, chosen));
  std::string expected;
  for (const auto& [name, meaning] : names) {
    if (name == chosen) {
      out = meaning;
      return OkStatus();
    }
    expected.append(expected.empty() ? "`" : ", `").append(name).append("`");
  }
  return FieldError(path, "expected one of " + expected + ", got `" + std::string(chosen) + "`");
}

constexpr std::pair<std::string_view, bool> kEncodings[] = {{"float", false}, {"base64", true}};
constexpr std::pair<std::string_view, service::InputType> kInputTypes[] = {
    {"query", service::InputType::kQuery}, {"document", service::InputType::kDocument}};
constexpr std::pair<std::string_view, service::Truncate> kTruncates[] = {
    {"none", service::Truncate::kNone},
    {"start", service::Truncate::kStart},
    {"end", service::Truncate::kEnd}};

Status ReadMember(std::string_view key, JsonElement value, const FieldPath& path,
                  EmbeddingsRequest& request) {
  std::string_view text;
  if (key == "input") return ReadInput(value, path, request);
  if (IsNull(value)) return OkStatus();
  if (key == "encoding_format") return ReadChoice(value, path, kEncodings, request.base64);
  if (key == "input_type") return ReadChoice(value, path, kInputTypes, request.input_type);
  if (key == "truncate") return ReadChoice(value, path, kTruncates, request.truncate);
  if (key == "model") {
    AKIDB_RETURN_IF_ERROR(ReadString(value, path, text));
    request.model = text;
  } else if (key == "instruction") {
    AKIDB_RETURN_IF_ERROR(ReadString(value, path, text));
    request.instruction = std::string(text);
  } else if (key == "dimensions") {
    size_t dims = 0;
    AKIDB_RETURN_IF_ERROR(ReadSize(value, path, 1, dims));
    if (dims > kDimMax) {
      return RangeError(path, "must be from 1 to " + std::to_string(kDimMax));
    }
    request.dims = static_cast<uint32_t>(dims);
  }
  return OkStatus();
}

Status ReadTokenizeMember(std::string_view key, JsonElement value, const FieldPath& path,
                          TokenizeInput& request) {
  std::string_view text;
  if (key == "input") return ReadTexts(value, path, request.texts);
  if (IsNull(value)) return OkStatus();
  if (key == "add_special_tokens") return ReadBool(value, path, request.add_special_tokens);
  if (key == "input_type") return ReadChoice(value, path, kInputTypes, request.input_type);
  if (key == "truncate") return ReadChoice(value, path, kTruncates, request.truncate.emplace());
  if (key == "model") {
    AKIDB_RETURN_IF_ERROR(ReadString(value, path, text));
    request.model = text;
  } else if (key == "instruction") {
    AKIDB_RETURN_IF_ERROR(ReadString(value, path, text));
    request.instruction = std::string(text);
  }
  return OkStatus();
}

}  // namespace

Result<EmbeddingsRequest> DecodeEmbeddings(std::string_view text) {
  JsonBody body;
  AKIDB_RETURN_IF_ERROR(body.Parse(text));
  FieldPath root;
  EmbeddingsRequest request;
  Status read = ForEachMember(body.root(), root, "a JSON object",
                              [&](std::string_view key, JsonElement value, const FieldPath& at) {
                                return ReadMember(key, value, at, request);
                              });
  AKIDB_RETURN_IF_ERROR(read);
  if (request.texts.empty() && request.ids.empty()) return MissingField(root, "input");
  return request;
}

Result<TokenizeInput> DecodeTokenize(std::string_view text) {
  JsonBody body;
  AKIDB_RETURN_IF_ERROR(body.Parse(text));
  FieldPath root;
  TokenizeInput request;
  Status read = ForEachMember(body.root(), root, "a JSON object",
                              [&](std::string_view key, JsonElement value, const FieldPath& at) {
                                return ReadTokenizeMember(key, value, at, request);
                              });
  AKIDB_RETURN_IF_ERROR(read);
  if (request.texts.empty()) return MissingField(root, "input");
  return request;
}

Result<DetokenizeInput> DecodeDetokenize(std::string_view text) {
  JsonBody body;
  AKIDB_RETURN_IF_ERROR(body.Parse(text));
  FieldPath root;
  DetokenizeInput request;
  bool has_ids = false;
  size_t left = service::kTokenizedIdsMax;
  auto read_member = [&](std::string_view key, JsonElement value, const FieldPath& at) -> Status {
    if (key == "ids") {
      has_ids = true;
      return ReadIds(value, at, left, request.ids);
    }
    if (IsNull(value)) return OkStatus();
    if (key == "skip_special_tokens") return ReadBool(value, at, request.skip_special_tokens);
    if (key != "model") return OkStatus();
    std::string_view model;
    AKIDB_RETURN_IF_ERROR(ReadString(value, at, model));
    request.model = model;
    return OkStatus();
  };
  AKIDB_RETURN_IF_ERROR(ForEachMember(body.root(), root, "a JSON object", read_member));
  if (!has_ids) return MissingField(root, "ids");
  return request;
}

}  // namespace akidb::rest
