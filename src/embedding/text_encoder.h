// A text to the ids that a model is run on: prompt, window, special tokens. Runs no model, so it is
// to be had without ONNX Runtime.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/request_context.h"
#include "base/status.h"
#include "embedding/embedder.h"
#include "embedding/manifest.h"
#include "embedding/tokenizer/tokenizer.h"

namespace akidb::embedding {

// Immutable, thread-safe.
class TextEncoder {
 public:
  // The window has room for text: max_tokens is more than the special tokens are.
  TextEncoder(Manifest manifest, std::unique_ptr<Tokenizer> tokenizer)
      : manifest_(std::move(manifest)), tokenizer_(std::move(tokenizer)) {}

  struct Prompt {
    std::string text;
    std::vector<int32_t> ids;  // that it makes by itself
  };
  // kInvalidArgument: the model takes no instruction, or it leaves too little room for the text.
  Result<Prompt> MakePrompt(InputType input_type,
                            const std::optional<std::string>& instruction) const;

  struct Sequence {
    std::vector<int32_t> ids;
    bool truncated = false;
  };
  // Text `index` with its prompt and the special tokens around it, within the window. kTooLarge
  // (Truncate::kNone), kInvalidArgument (nothing to run on).
  Result<Sequence> Encode(const Prompt& prompt, std::span<const std::string> texts, size_t index,
                          Truncate truncate) const;

  // The same for a text that comes as ids, behind those of the prompt. kInvalidArgument, too: an id
  // that no token has.
  Result<Sequence> EncodeIds(const Prompt& prompt, std::span<const std::vector<int32_t>> texts,
                             size_t index, Truncate truncate) const;

  // Errors as Embedder::Tokenize, without those of loading.
  Result<TokenizeResult> Tokenize(const RequestContext& context,
                                  const TokenizeRequest& request) const;

  Result<DetokenizeResult> Detokenize(const DetokenizeRequest& request) const;

  const Manifest& manifest() const { return manifest_; }

 private:
  // Tokens of the window that prompt and text may fill.
  size_t Room() const;
  // At most `ids_max` ids of prompt and text, cut as `truncate` says.
  Sequence Cut(const Prompt& prompt, const std::string& text, size_t ids_max,
               Truncate truncate) const;
  std::vector<int32_t> AddSpecials(std::vector<int32_t> ids) const;
  Status TooLong(size_t index) const;
  // kTooLarge beyond `ids_max`, too.
  Result<Sequence> EncodeFor(const TokenizeRequest& request, const Prompt& prompt, size_t index,
                             size_t ids_max) const;

  const Manifest manifest_;
  const std::unique_ptr<Tokenizer> tokenizer_;
};

}  // namespace akidb::embedding
