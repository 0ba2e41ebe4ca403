#include "engine/payload_index/token_sequences.h"

#include <algorithm>

namespace akidb::engine {
namespace {

constexpr uint8_t kMore = 0x80;  // another byte of the same rank follows

// LEB128. Ranks begin at 1, so no byte of one is 0: that is a break.
template <typename Out>
void AppendRank(uint32_t rank, Out append) {
  for (; rank >= kMore; rank >>= 7) append(static_cast<uint8_t>(rank | kMore));
  append(static_cast<uint8_t>(rank));
}

}  // namespace

Status TokenSequences::Check() const {
  const Uint32View ends = areas_.row_ends;
  bool ascends = true;
  for (size_t i = 1; i < ends.size(); ++i) ascends &= ends[i - 1] <= ends[i];
  const size_t last = ends.size() == 0 ? 0 : ends[ends.size() - 1];
  if (ascends && last == areas_.bytes.size()) return OkStatus();
  return CorruptionError("the ends of the sequences do not ascend to " +
                         std::to_string(areas_.bytes.size()));
}

std::string TokenSequences::PatternOf(std::span<const uint64_t> places) const {
  std::string pattern;
  for (uint64_t place : places) {
    AppendRank(areas_.ranks[place], [&](uint8_t byte) { pattern += static_cast<char>(byte); });
  }
  return pattern;
}

template <typename F>
void TokenSequences::ForEachPlace(uint32_t row, std::string_view pattern, F f) const {
  const std::string_view text = BytesOf(row);
  for (size_t at = text.find(pattern); at != std::string_view::npos;
       at = text.find(pattern, at + 1)) {
    // Where the byte before says that more follows, this is the end of a longer rank.
    const bool whole = at == 0 || (static_cast<uint8_t>(text[at - 1]) & kMore) == 0;
    if (whole && !f()) return;
  }
}

bool TokenSequences::Holds(uint32_t row, std::string_view pattern) const {
  bool holds = false;
  ForEachPlace(row, pattern, [&] {
    holds = true;
    return false;
  });
  return holds;
}

uint32_t TokenSequences::Count(uint32_t row, std::string_view pattern) const {
  uint32_t count = 0;
  ForEachPlace(row, pattern, [&] {
    ++count;
    return true;
  });
  return count;
}

TokenSequences::Totals TokenSequences::Sum() const {
  Totals totals;
  for (uint32_t row = 0; row < areas_.lengths.size(); ++row) {
    totals.texts += areas_.lengths[row] != 0 ? 1 : 0;
    totals.length += Length(row);
  }
  return totals;
}

void TokenSequencesBuilder::Break() {
  const size_t row_begin = ends_.empty() ? 0 : ends_.back();
  if (tokens_.size() > row_begin && tokens_.back() != kBreak) tokens_.push_back(kBreak);
}

void TokenSequencesBuilder::EndRow() {
  const size_t row_begin = ends_.empty() ? 0 : ends_.back();
  if (tokens_.size() > row_begin && tokens_.back() == kBreak) tokens_.pop_back();
  ends_.push_back(static_cast<uint32_t>(tokens_.size()));
}

Result<TokenSequencesBuilder::Bytes> TokenSequencesBuilder::Finish(
    std::span<const uint32_t> counts) const {
  std::vector<uint32_t> order(counts.size());
  for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return counts[a] > counts[b]; });
  Bytes out;
  out.ranks.resize(counts.size());
  for (uint32_t i = 0; i < order.size(); ++i) out.ranks[order[i]] = i + 1;
  size_t at = 0;
  for (uint32_t end : ends_) {
    uint32_t length = 0;
    for (; at < end; ++at) {
      length += tokens_[at] == kBreak ? 0 : 1;
      AppendRank(tokens_[at] == kBreak ? 0 : out.ranks[tokens_[at]],
                 [&](uint8_t byte) { out.bytes.push_back(std::byte{byte}); });
    }
    out.lengths.push_back(length);
    if (out.bytes.size() > UINT32_MAX) {
      return ResourceExhaustedError("the sequences of tokens take more than 4 GiB");
    }
    out.row_ends.push_back(static_cast<uint32_t>(out.bytes.size()));
  }
  return out;
}

}  // namespace akidb::engine
