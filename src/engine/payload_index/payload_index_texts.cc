// What an index over texts answers.
#include <algorithm>

#include "engine/payload_index/payload_index_reader.h"
#include "types/text/text_analyzer.h"

namespace akidb::engine {

namespace format = payload_index_format;

bool PayloadIndexReader::Tokenizes(const MatchText& match) const {
  return kind_ == PayloadIndexKind::kText && match.analyzer != nullptr &&
         match.analyzer->fingerprint() == fingerprint_;
}

// Of each distinct token, those with the fewest rows first; no rows for one that nobody has.
std::vector<StoredRows> PayloadIndexReader::RowsOfTokens(const MatchText& match) const {
  std::vector<std::string> tokens = match.words;
  std::sort(tokens.begin(), tokens.end());
  tokens.erase(std::unique(tokens.begin(), tokens.end()), tokens.end());
  const auto& table = std::get<StringTable>(table_);
  std::vector<StoredRows> rows;
  for (const std::string& token : tokens) {
    const std::optional<ValueRows> found = table.Find(token);
    rows.push_back(found ? found->rows : StoredRows());
  }
  std::sort(rows.begin(), rows.end(),
            [](const StoredRows& a, const StoredRows& b) { return a.count() < b.count(); });
  return rows;
}

RowSet PayloadIndexReader::RowsOfPhrase(const MatchText& match, const RowSet& rows) const {
  if (rows.empty()) return rows;  // perhaps because nobody has some token
  const auto& table = std::get<StringTable>(table_);
  std::vector<uint64_t> places;
  for (const std::string& token : match.words) places.push_back(table.Find(token)->place);
  const std::string pattern = sequences_->PatternOf(places);
  RowCollector held(universe_, rows.count());
  rows.ForEach([&](uint32_t row) {
    if (sequences_->Holds(row, pattern)) held.Add(row);
  });
  return held.Finish();
}

PayloadIndexReader::HeldToken PayloadIndexReader::FindToken(std::string_view token) const {
  const std::optional<ValueRows> found = std::get<StringTable>(table_).Find(token);
  if (!found) return {};
  const uint64_t place = found->place;
  if (!sequences_) return {found->rows, 0, {}};
  return {found->rows, sequences_->RankOf(place), sequences_->PatternOf({&place, 1})};
}

RowBounds PayloadIndexReader::FindTokens(const MatchText& match) const {
  if (match.words.empty()) return RowBounds::Exact(RowSet(universe_));
  const std::vector<StoredRows> tokens = RowsOfTokens(match);
  const bool any = match.mode == MatchText::Mode::kAny;
  auto load = [&](std::span<const StoredRows> of) {
    uint64_t adds = 0;
    for (const StoredRows& rows : of) adds += rows.count();
    RowCollector collected(universe_, adds);
    for (const StoredRows& rows : of) rows.AddTo(collected);
    return collected.Finish();
  };
  RowSet rows = load(any ? std::span(tokens) : std::span(tokens).first(1));
  for (size_t i = 1; !any && i < tokens.size() && !rows.empty(); ++i) {
    rows.Intersect(load(std::span(tokens).subspan(i, 1)));
  }
  const bool ordered = match.mode == MatchText::Mode::kPhrase && match.words.size() > 1;
  if (ordered && sequences_) rows = RowsOfPhrase(match, rows);
  // Without sequences it is for the evaluation to see that tokens stand one after the other.
  RowBounds bounds = ordered && !sequences_ ? RowBounds::Between(RowSet(universe_), std::move(rows))
                                            : RowBounds::Exact(std::move(rows));
  bounds.Or(WithMaybe(RowSet(universe_), format::kOther));
  return bounds;
}

RowEstimate PayloadIndexReader::EstimateTokens(const MatchText& match) const {
  if (match.words.empty()) return RowEstimate::Exact(0);
  const std::vector<StoredRows> tokens = RowsOfTokens(match);
  const uint64_t fewest = tokens.front().count();
  RowEstimate estimate = RowEstimate::Exact(fewest);
  if (match.mode == MatchText::Mode::kAny) {
    uint64_t sum = 0;
    for (const StoredRows& rows : tokens) sum += rows.count();
    estimate.least = tokens.back().count();
    estimate.most = std::min<uint64_t>(sum, universe_);
    estimate.expected = static_cast<double>(estimate.most);
  } else if (match.words.size() > 1) {
    double expected = static_cast<double>(fewest);
    for (size_t i = 1; i < tokens.size(); ++i) expected *= tokens[i].count() * 1.0 / universe_;
    estimate = {0, expected, fewest};
  }
  return PlusMaybe(estimate, format::kOther);
}

}  // namespace akidb::engine
