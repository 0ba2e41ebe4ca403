#include "embedding/tokenizer/precompiled_charsmap.h"

#include <cstring>
#include <utility>

#include "base/utf8.h"
#include "embedding/tokenizer/code_points.h"
#include "embedding/tokenizer/normalizer_steps.h"

namespace akidb::embedding {
namespace {

constexpr size_t kWholeClusterMax = 5;  // bytes
constexpr uint32_t kHasLeaf = 1u << 8;
constexpr uint32_t kLabelMask = 1u << 31 | 0xFF;
constexpr uint32_t kValueMask = (1u << 31) - 1;

size_t OffsetOf(uint32_t unit) { return size_t{unit >> 10} << ((unit & (1u << 9)) >> 6); }

}  // namespace

Result<std::unique_ptr<PrecompiledCharsmap>> PrecompiledCharsmap::Parse(std::string_view bytes) {
  uint32_t trie_bytes = 0;
  if (bytes.size() < sizeof trie_bytes) return MalformedError("shorter than its header");
  std::memcpy(&trie_bytes, bytes.data(), sizeof trie_bytes);
  bytes.remove_prefix(sizeof trie_bytes);
  if (trie_bytes == 0 || trie_bytes % sizeof(uint32_t) != 0 || trie_bytes > bytes.size()) {
    return MalformedError("a trie of " + std::to_string(trie_bytes) + " bytes in " +
                          std::to_string(bytes.size()));
  }
  std::vector<uint32_t> units(trie_bytes / sizeof(uint32_t));
  std::memcpy(units.data(), bytes.data(), trie_bytes);
  std::string replacements(bytes.substr(trie_bytes));
  if (!IsValidUtf8(replacements)) return MalformedError("replacements that are no UTF-8");
  return std::unique_ptr<PrecompiledCharsmap>(
      new PrecompiledCharsmap(std::move(units), std::move(replacements)));
}

PrecompiledCharsmap::PrecompiledCharsmap(std::vector<uint32_t> units, std::string replacements)
    : units_(std::move(units)), replacements_(std::move(replacements)) {
  keeps_words_ = true;
  for (unsigned c = 0; c < 0x80; ++c) {
    char byte = static_cast<char>(c);
    is_kept_[c] = !Find(std::string_view(&byte, 1));
    bool is_word = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if ((is_word || c == ' ') && !is_kept_[c]) keeps_words_ = false;
  }
}

// The replacement of the shortest rule that `text` begins with.
std::optional<std::string_view> PrecompiledCharsmap::Find(std::string_view text) const {
  size_t node = OffsetOf(units_[0]);
  for (char c : text) {
    auto label = static_cast<unsigned char>(c);
    node ^= label;
    if (label == 0 || node >= units_.size() || (units_[node] & kLabelMask) != label) break;
    uint32_t unit = units_[node];
    node ^= OffsetOf(unit);
    if ((unit & kHasLeaf) == 0) continue;
    size_t begin = node < units_.size() ? units_[node] & kValueMask : replacements_.size();
    if (begin >= replacements_.size()) break;
    size_t end = replacements_.find('\0', begin);
    return std::string_view(replacements_).substr(begin, end - begin);
  }
  return std::nullopt;
}

void PrecompiledCharsmap::AppendCharacters(std::string_view cluster, std::string& out) const {
  while (!cluster.empty()) {
    std::string_view character = cluster.substr(0, DecodeChar(cluster).size);
    out.append(Find(character).value_or(character));
    cluster.remove_prefix(character.size());
  }
}

void PrecompiledCharsmap::Append(std::string_view text, bool begins_stretch,
                                 std::string& out) const {
  // The size of a cluster counts, so U+FFFD has to stand there for what is ill-formed.
  if (!IsValidUtf8(text)) return Append(ReplaceInvalidUtf8(text), begins_stretch, out);
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  for (size_t position = 0; position < text.size();) {
    // ASCII before ASCII is a cluster by itself, but for a return before a newline.
    size_t end = position;
    while (end < text.size() && is_kept_[byte(end)] && text[end] != '\r') ++end;
    if (end < text.size() && end > position && byte(end) >= 0x80) --end;
    out.append(text.substr(position, end - position));
    position = end;
    if (position == text.size()) break;
    std::string_view cluster = text.substr(position);
    cluster = cluster.substr(0, clusters_.FirstSize(cluster));
    position += cluster.size();
    std::optional<std::string_view> replacement;
    if (cluster.size() <= kWholeClusterMax) replacement = Find(cluster);
    if (replacement) {
      out.append(*replacement);
    } else {
      AppendCharacters(cluster, out);
    }
  }
}

size_t PrecompiledCharsmap::CutAt(std::string_view text, size_t from) const {
  return keeps_words_ ? CutBeforeSpace(text, from) : text.size();
}

}  // namespace akidb::embedding
