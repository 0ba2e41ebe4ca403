#include "embedding/tokenizer/normalizer_json.h"

#include <string>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "embedding/tokenizer/base64.h"
#include "embedding/tokenizer/composing_normalizer.h"
#include "embedding/tokenizer/normalizer_steps.h"
#include "embedding/tokenizer/precompiled_charsmap.h"
#include "embedding/tokenizer/tokenizer_json.h"

namespace akidb::embedding {
namespace {

using Normalizer = std::unique_ptr<TextNormalizer>;
using Steps = std::vector<Normalizer>;

constexpr std::string_view kRunsOfSpaces = " {2,}";

Result<Normalizer> ReadPrecompiled(const Component& step) {
  AKIDB_RETURN_IF_ERROR(step.AllowOnly({"type", "precompiled_charsmap"}));
  AKIDB_ASSIGN_OR_RETURN(std::string_view encoded, step.String("precompiled_charsmap"));
  std::optional<std::string> bytes = DecodeBase64(encoded);
  if (!bytes) return MalformedError(step.PathOf("precompiled_charsmap") + ": expected base64");
  auto map = PrecompiledCharsmap::Parse(*bytes);
  if (!map.ok()) return map.status().WithContext(step.PathOf("precompiled_charsmap"));
  return Normalizer(std::move(map).value());
}

Result<Normalizer> ReadReplace(const Component& step) {
  AKIDB_RETURN_IF_ERROR(step.AllowOnly({"type", "pattern", "content"}));
  AKIDB_ASSIGN_OR_RETURN(std::string_view content, step.String("content"));
  AKIDB_ASSIGN_OR_RETURN(Component pattern, step.Object("pattern"));
  AKIDB_RETURN_IF_ERROR(pattern.AllowOnly({"String", "Regex"}));
  if (pattern.Has("Regex")) {
    AKIDB_ASSIGN_OR_RETURN(std::string_view regex, pattern.String("Regex"));
    if (regex != kRunsOfSpaces || pattern.Has("String")) {
      return UnsupportedError(pattern.PathOf("Regex") + ": `" + std::string(regex) +
                              "` is not implemented; ` {2,}` is");
    }
    return Normalizer(std::make_unique<ReplaceRunsOfSpaces>(std::string(content)));
  }
  AKIDB_ASSIGN_OR_RETURN(std::string_view text, pattern.String("String"));
  if (text.empty()) return UnsupportedError(pattern.PathOf("String") + ": empty");
  return Normalizer(std::make_unique<ReplaceText>(std::string(text), std::string(content)));
}

Result<Normalizer> ReadStrip(const Component& step) {
  AKIDB_RETURN_IF_ERROR(step.AllowOnly({"type", "strip_left", "strip_right"}));
  AKIDB_ASSIGN_OR_RETURN(bool left, step.Bool("strip_left"));
  AKIDB_ASSIGN_OR_RETURN(bool right, step.Bool("strip_right"));
  return Normalizer(std::make_unique<StripWhitespace>(left, right));
}

Result<Normalizer> ReadPrepend(const Component& step) {
  AKIDB_RETURN_IF_ERROR(step.AllowOnly({"type", "prepend"}));
  AKIDB_ASSIGN_OR_RETURN(std::string_view content, step.String("prepend"));
  return Normalizer(std::make_unique<PrependText>(std::string(content)));
}

Result<Normalizer> ReadPlain(const Component& step, std::string_view type) {
  using Form = ComposingNormalizer::Form;
  using Kind = MapCharacters::Kind;
  Normalizer normalizer;
  if (type == "NFC") normalizer = std::make_unique<ComposingNormalizer>(Form::kNfc);
  if (type == "NFKC") normalizer = std::make_unique<ComposingNormalizer>(Form::kNfkc);
  if (type == "Nmt") normalizer = std::make_unique<MapCharacters>(Kind::kNmt);
  if (type == "Lowercase") normalizer = std::make_unique<MapCharacters>(Kind::kLowercase);
  if (normalizer == nullptr) return NotImplementedError(step, type);
  AKIDB_RETURN_IF_ERROR(step.AllowOnly({"type"}));
  return normalizer;
}

// Sequences inside sequences are what their members are. JSON is read to a bounded depth.
Status ReadSteps(const Component& step, Steps& steps) {
  AKIDB_ASSIGN_OR_RETURN(std::string_view type, step.String("type"));
  if (type == "Sequence") {
    AKIDB_RETURN_IF_ERROR(step.AllowOnly({"type", "normalizers"}));
    AKIDB_ASSIGN_OR_RETURN(auto members, step.Array("normalizers"));
    size_t index = 0;
    for (simdjson::dom::element element : members) {
      std::string path = step.PathOf("normalizers") + "[" + std::to_string(index++) + "]";
      AKIDB_ASSIGN_OR_RETURN(Component member, Component::Of(element, std::move(path)));
      AKIDB_RETURN_IF_ERROR(ReadSteps(member, steps));
    }
    return OkStatus();
  }
  Result<Normalizer> read = type == "Precompiled" ? ReadPrecompiled(step)
                            : type == "Replace"   ? ReadReplace(step)
                            : type == "Strip"     ? ReadStrip(step)
                            : type == "Prepend"   ? ReadPrepend(step)
                                                  : ReadPlain(step, type);
  if (!read.ok()) return read.status();
  steps.push_back(std::move(read).value());
  return OkStatus();
}

}  // namespace

Result<Normalizer> ReadNormalizer(const Component& root) {
  Steps steps;
  if (root.Has("normalizer")) {
    AKIDB_ASSIGN_OR_RETURN(Component normalizer, root.Object("normalizer"));
    AKIDB_RETURN_IF_ERROR(ReadSteps(normalizer, steps));
  }
  return Normalizer(std::make_unique<NormalizerSequence>(std::move(steps)));
}

}  // namespace akidb::embedding
