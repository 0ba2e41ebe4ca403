#include "engine/text_ranking.h"

#include <algorithm>
#include <utility>

#include "engine/payload_reads.h"
#include "engine/sparse_statistics.h"

namespace akidb::engine {
namespace {

// Between two looks at the request: some milliseconds.
constexpr size_t kCheckBytes = size_t{1} << 18;  // of texts that are cut into tokens
constexpr size_t kRowBytes = 256;                // that a row without a text counts for
constexpr uint32_t kCheckTerms = 4096;
// So many terms are sought in a row one by one sooner than each of its tokens among them.
constexpr size_t kSoughtTerms = 32;

}  // namespace

TextTerms::TextTerms(std::vector<std::string> tokens) : tokens_(std::move(tokens)) {
  std::sort(tokens_.begin(), tokens_.end());
  tokens_.erase(std::unique(tokens_.begin(), tokens_.end()), tokens_.end());
  for (uint32_t i = 0; i < tokens_.size(); ++i) numbers_.emplace(tokens_[i], i);
}

std::optional<uint32_t> TextTerms::Find(std::string_view token) const {
  const auto found = numbers_.find(token);
  return found == numbers_.end() ? std::nullopt : std::optional(found->second);
}

TextScorer::TextScorer(const TextCorpus& corpus, float k1, float b)
    : k1_(k1),
      b_(b),
      mean_length_(corpus.texts == 0
                       ? 1
                       : static_cast<double>(corpus.length) / static_cast<double>(corpus.texts)) {
  for (uint64_t having : corpus.having) {
    rarity_.push_back(InverseDocumentFrequency(corpus.texts, having));
  }
}

float TextScorer::Score(const CountedText& text) const {
  const double norm = k1_ * (1 - b_ + b_ * text.length / mean_length_);
  double score = 0;
  for (const TermCount& of : text.counts) {
    score += rarity_[of.term] * of.count * (k1_ + 1) / (of.count + norm);
  }
  return static_cast<float>(score);
}

SourceTexts::SourceTexts(const RowSource& source, const PayloadIndexSpec& spec,
                         const TextTerms& terms)
    : source_(source),
      spec_(spec),
      terms_(terms),
      unindexed_(source.rows()),
      counted_(terms.size()) {
  const PayloadIndexSection* const section = source.payload_indexes();
  const PayloadIndexReader* const index = section ? FindIndex(*section, spec) : nullptr;
  if (index == nullptr || index->sequences() == nullptr || !index->sequences()->has_lengths()) {
    return;
  }
  index_ = index;
  unindexed_ = index->Unheld();
  if (const RowSet* replaced = source.replaced()) unindexed_.Unite(*replaced);
}

Status SourceTexts::FindTerms(const RequestContext& context) {
  held_.reserve(terms_.size());
  for (uint32_t term = 0; term < terms_.size(); ++term) {
    if (term % kCheckTerms == 0) AKIDB_RETURN_IF_ERROR(context.Check());
    held_.push_back(index_->FindToken(terms_[term]));
    if (held_.back().rank != 0) ranks_.emplace_back(held_.back().rank, term);
  }
  std::sort(ranks_.begin(), ranks_.end());
  return OkStatus();
}

Status SourceTexts::Read(const RequestContext& context) {
  if (index_ != nullptr) AKIDB_RETURN_IF_ERROR(FindTerms(context));
  std::unique_ptr<PayloadCursor> payloads;
  size_t bytes = kCheckBytes;  // since the last look at the request
  Status status;
  const auto read = [&](uint32_t row) {
    if (!status.ok()) return;
    if (bytes >= kCheckBytes) {
      status = context.Check();
      bytes = 0;
    }
    if (!status.ok() || !source_.Visible(row)) return;
    if (!payloads) payloads = source_.Payloads();
    const Result<PayloadValue> payload = payloads->Read(row);
    status = payload.status();
    if (status.ok()) bytes += kRowBytes + ReadRow(row, *payload);
  };
  if (index_ != nullptr) {
    unindexed_.ForEach(read);
  } else {
    for (uint32_t row = 0; row < source_.rows() && status.ok(); ++row) read(row);
  }
  return status;
}

size_t SourceTexts::ReadRow(uint32_t row, PayloadValue payload) {
  uint32_t length = 0;
  size_t bytes = 0;
  std::vector<uint32_t> found;  // terms
  ForEachValue(spec_.path, payload, [&](PayloadValue value) {
    if (value.kind() != PayloadValue::Kind::kString) return;
    bytes += value.AsString().size();
    spec_.analyzer->ForEachDocumentToken(value.AsString(), [&](std::string_view token) {
      ++length;
      const std::optional<uint32_t> term = terms_.Find(token);
      if (term) CountTerm(*term, found);
    });
  });
  if (length == 0) return bytes;
  const size_t begin = counts_.size();
  for (uint32_t term : found) counts_.push_back({term, std::exchange(counted_[term], 0)});
  read_.push_back({row, KeptLength(length), begin, counts_.size()});
  return bytes;
}

void SourceTexts::AddIndexed(TextCorpus& corpus, const std::vector<bool>* counted) const {
  const bool all = counted == nullptr && source_.dead() == 0 && unindexed_.empty();
  const auto counts = [&](uint32_t row) {
    return (counted == nullptr ? source_.Visible(row) : (*counted)[row]) &&
           !unindexed_.Contains(row);
  };
  const TokenSequences& sequences = *index_->sequences();
  if (all) {
    corpus.texts += index_->text_totals().texts;
    corpus.length += index_->text_totals().length;
  }
  for (uint32_t row = 0; !all && row < source_.rows(); ++row) {
    const uint32_t length = sequences.Length(row);
    if (length == 0 || !counts(row)) continue;
    ++corpus.texts;
    corpus.length += length;
  }
  for (uint32_t term = 0; term < terms_.size(); ++term) {
    if (all) {
      corpus.having[term] += held_[term].rows.count();
      continue;
    }
    held_[term].rows.ForEach([&](uint32_t row) { corpus.having[term] += counts(row) ? 1 : 0; });
  }
}

void SourceTexts::AddTo(TextCorpus& corpus, const std::vector<bool>* counted) const {
  if (index_ != nullptr) AddIndexed(corpus, counted);
  for (const ReadText& text : read_) {
    if (counted != nullptr && !(*counted)[text.row]) continue;
    ++corpus.texts;
    corpus.length += text.length;
    for (const TermCount& of : Counted(text).counts) ++corpus.having[of.term];
  }
}

CountedText SourceTexts::At(uint32_t row) {
  if (WasRead(row)) {
    const auto found =
        std::lower_bound(read_.begin(), read_.end(), row,
                         [](const ReadText& text, uint32_t wanted) { return text.row < wanted; });
    return found == read_.end() || found->row != row ? CountedText{row, 0, {}} : Counted(*found);
  }
  const TokenSequences& sequences = *index_->sequences();
  at_.clear();
  if (ranks_.size() <= kSoughtTerms) {
    for (const auto& [rank, term] : ranks_) {
      const uint32_t count = sequences.Count(row, held_[term].pattern);
      if (count != 0) at_.push_back({term, count});
    }
  } else {
    std::vector<uint32_t> found;
    sequences.ForEachRank(row, [&](uint32_t rank) {
      const auto at = std::lower_bound(ranks_.begin(), ranks_.end(), std::pair(rank, 0u));
      if (at != ranks_.end() && at->first == rank) CountTerm(at->second, found);
    });
    for (uint32_t term : found) at_.push_back({term, std::exchange(counted_[term], 0)});
  }
  return {row, sequences.Length(row), at_};
}

}  // namespace akidb::engine
