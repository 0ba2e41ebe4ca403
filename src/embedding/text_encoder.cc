#include "embedding/text_encoder.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace akidb::embedding {
namespace {

constexpr std::string_view kInstruction = "{instruction}";

void ReplaceInstruction(std::string& prompt, std::string_view instruction) {
  if (size_t at = prompt.find(kInstruction); at != std::string::npos) {
    prompt.replace(at, kInstruction.size(), instruction);
  }
}

Status NoTokens(size_t index) {
  return InvalidArgumentError("text " + std::to_string(index) + " has no tokens");
}

}  // namespace

size_t TextEncoder::Room() const {
  return manifest_.max_tokens - tokenizer_->prefix_ids().size() - tokenizer_->suffix_ids().size() -
         manifest_.append_ids.size();
}

Result<TextEncoder::Prompt> TextEncoder::MakePrompt(
    InputType input_type, const std::optional<std::string>& instruction) const {
  Prompt prompt;
  prompt.text =
      input_type == InputType::kQuery ? manifest_.query_prompt : manifest_.document_prompt;
  if (instruction && !manifest_.default_instruction) {
    return InvalidArgumentError("model " + manifest_.id + " takes no instruction");
  }
  ReplaceInstruction(prompt.text, instruction.value_or(manifest_.default_instruction.value_or("")));
  if (prompt.text.empty()) return prompt;
  const size_t room = Room();
  std::vector<int32_t> ids;
  if (!tokenizer_->Encode(prompt.text, room / 2, ids)) {
    return InvalidArgumentError(
        "the instruction leaves too little room for the text: it has more "
        "than " +
        std::to_string(room / 2) + " tokens");
  }
  prompt.ids = std::move(ids);
  return prompt;
}

TextEncoder::Sequence TextEncoder::Cut(const Prompt& prompt, const std::string& text,
                                       size_t ids_max, Truncate truncate) const {
  const bool keep_end = truncate == Truncate::kStart;
  const size_t most = keep_end ? std::numeric_limits<size_t>::max() : ids_max;
  Sequence cut;
  const bool whole = prompt.text.empty() ? tokenizer_->Encode(text, most, cut.ids)
                                         : tokenizer_->Encode(prompt.text + text, most, cut.ids);
  cut.truncated = !whole;
  if (keep_end && cut.ids.size() > ids_max) {
    cut.truncated = true;
    auto begin = cut.ids.begin() + static_cast<ptrdiff_t>(prompt.ids.size());
    cut.ids.erase(begin, begin + static_cast<ptrdiff_t>(cut.ids.size() - ids_max));
  }
  return cut;
}

std::vector<int32_t> TextEncoder::AddSpecials(std::vector<int32_t> ids) const {
  std::span<const int32_t> prefix = tokenizer_->prefix_ids();
  std::span<const int32_t> suffix = tokenizer_->suffix_ids();
  ids.insert(ids.begin(), prefix.begin(), prefix.end());
  ids.insert(ids.end(), suffix.begin(), suffix.end());
  ids.insert(ids.end(), manifest_.append_ids.begin(), manifest_.append_ids.end());
  return ids;
}

Status TextEncoder::TooLong(size_t index) const {
  return TooLargeError("text " + std::to_string(index) + " has more than the " +
                       std::to_string(manifest_.max_tokens) + " tokens that model " + manifest_.id +
                       " takes; shorten it, or let it be truncated");
}

Result<TextEncoder::Sequence> TextEncoder::Encode(const Prompt& prompt,
                                                  std::span<const std::string> texts, size_t index,
                                                  Truncate truncate) const {
  Sequence sequence = Cut(prompt, texts[index], Room(), truncate);
  if (sequence.truncated && truncate == Truncate::kNone) return TooLong(index);
  sequence.ids = AddSpecials(std::move(sequence.ids));
  if (sequence.ids.empty()) return NoTokens(index);
  return sequence;
}

Result<TextEncoder::Sequence> TextEncoder::EncodeIds(const Prompt& prompt,
                                                     std::span<const std::vector<int32_t>> texts,
                                                     size_t index, Truncate truncate) const {
  std::span<const int32_t> ids = texts[index];
  for (size_t i = 0; i < ids.size(); ++i) {
    if (tokenizer_->TokenOf(ids[i])) continue;
    return InvalidArgumentError("text " + std::to_string(index) + ": id " + std::to_string(ids[i]) +
                                " at place " + std::to_string(i) +
                                " belongs to no token of model " + manifest_.id);
  }
  Sequence sequence;
  const size_t room = Room() - prompt.ids.size();
  sequence.truncated = ids.size() > room;
  if (sequence.truncated && truncate == Truncate::kNone) return TooLong(index);
  if (sequence.truncated) ids = truncate == Truncate::kStart ? ids.last(room) : ids.first(room);
  sequence.ids = prompt.ids;
  sequence.ids.insert(sequence.ids.end(), ids.begin(), ids.end());
  sequence.ids = AddSpecials(std::move(sequence.ids));
  if (sequence.ids.empty()) return NoTokens(index);
  return sequence;
}

Result<TextEncoder::Sequence> TextEncoder::EncodeFor(const TokenizeRequest& request,
                                                     const Prompt& prompt, size_t index,
                                                     size_t ids_max) const {
  const Truncate truncate = request.truncate.value_or(Truncate::kEnd);
  const size_t room = request.truncate ? Room() : ids_max;
  Sequence sequence = Cut(prompt, request.texts[index], room, truncate);
  if (sequence.truncated && truncate == Truncate::kNone) return TooLong(index);
  const bool beyond_all = sequence.truncated && !request.truncate;
  if (request.add_special_tokens) sequence.ids = AddSpecials(std::move(sequence.ids));
  if (beyond_all || sequence.ids.size() > ids_max) {
    return TooLargeError("the texts have more than " + std::to_string(kTokenizedIdsMax) +
                         " tokens; send fewer, or let them be truncated");
  }
  return sequence;
}

Result<TokenizeResult> TextEncoder::Tokenize(const RequestContext& context,
                                             const TokenizeRequest& request) const {
  if (request.texts.empty()) return InvalidArgumentError("the list of texts is empty");
  Prompt prompt;
  if (request.add_special_tokens) {
    AKIDB_ASSIGN_OR_RETURN(prompt, MakePrompt(request.input_type, request.instruction));
  } else if (request.instruction) {
    return InvalidArgumentError("an instruction belongs to the prompt, which isn't asked for");
  }
  TokenizeResult result;
  result.model = manifest_.id;
  result.max_tokens = manifest_.max_tokens;
  size_t left = kTokenizedIdsMax;
  for (size_t i = 0; i < request.texts.size(); ++i) {
    AKIDB_RETURN_IF_ERROR(context.Check());
    AKIDB_ASSIGN_OR_RETURN(Sequence sequence, EncodeFor(request, prompt, i, left));
    left -= sequence.ids.size();
    TokenizedText& text = result.texts.emplace_back();
    text.tokens.reserve(sequence.ids.size());
    for (int32_t id : sequence.ids) {
      text.tokens.push_back(tokenizer_->TokenOf(id).value_or(std::string()));
    }
    text.ids = std::move(sequence.ids);
    text.truncated = sequence.truncated;
  }
  return result;
}

Result<DetokenizeResult> TextEncoder::Detokenize(const DetokenizeRequest& request) const {
  if (request.ids.size() > kTokenizedIdsMax) {
    return TooLargeError(std::to_string(request.ids.size()) + " ids, at most " +
                         std::to_string(kTokenizedIdsMax) + " are taken");
  }
  DetokenizeResult result;
  result.model = manifest_.id;
  AKIDB_ASSIGN_OR_RETURN(result.text, tokenizer_->Decode(request.ids, request.skip_special_tokens));
  return result;
}

}  // namespace akidb::embedding
