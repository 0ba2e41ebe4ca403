// A tokenizer whose ids can be read.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "embedding/tokenizer/tokenizer.h"

namespace akidb::embedding {

// A byte is a token; [1] and [2] stand around a text.
class ByteTokenizer final : public Tokenizer {
 public:
  bool Encode(std::string_view text, size_t ids_max, std::vector<int32_t>& ids) const override {
    const size_t count = std::min(text.size(), ids_max);
    for (char c : text.substr(0, count)) ids.push_back(static_cast<unsigned char>(c));
    return count == text.size();
  }
  std::span<const int32_t> prefix_ids() const override { return prefix_; }
  std::span<const int32_t> suffix_ids() const override { return suffix_; }
  std::optional<int32_t> IdOf(std::string_view token) const override {
    return token.size() == 1 ? std::optional<int32_t>(token[0]) : std::nullopt;
  }
  size_t vocabulary_size() const override { return 256; }
  std::optional<std::string> TokenOf(int32_t id) const override {
    if (id < 0 || id >= 256) return std::nullopt;
    return std::string(1, static_cast<char>(id));
  }
  Result<std::string> Decode(std::span<const int32_t> ids, bool) const override {
    return std::string(ids.begin(), ids.end());
  }

 private:
  const std::vector<int32_t> prefix_ = {1};
  const std::vector<int32_t> suffix_ = {2};
};

}  // namespace akidb::embedding
