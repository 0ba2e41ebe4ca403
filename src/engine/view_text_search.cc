// The points of a view whose texts answer another one best: through the indexes over texts of
// segments, by reading what no index covers. Exact either way.
#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>

#include "engine/source_search.h"
#include "engine/sparse_statistics.h"
#include "engine/text_ranking.h"
#include "engine/view_reader.h"

namespace akidb::engine {
namespace {

// Of texts between two looks at the request: a millisecond.
constexpr size_t kCheckTokens = 65'536;

// One ranking in one source.
class TextSourceRanking {
 public:
  struct Parts {
    const RequestContext& context;
    const RowSource& source;
    uint32_t number;  // of the source
    const TextTerms& terms;
    const TextScorer& scorer;
    SourceTexts& texts;
    double read_ms;  // that it took to read them
    SourceFilter& filter;
    index::TopK& top;
  };
  explicit TextSourceRanking(const Parts& parts)
      : parts_(parts),
        slack_(static_cast<float>(parts.terms.size() + 16) *
               std::numeric_limits<float>::epsilon()) {
    done_.sealed = parts.source.sealed();
    done_.rows = parts.source.rows();
    done_.search_ms = parts.read_ms;
  }

  Status Ids(std::span<const PointId> ids) {
    done_.way = SearchWay::kTexts;
    for (PointId id : ids) {
      const std::optional<uint32_t> row = parts_.source.Find(id);
      if (row && parts_.source.Visible(*row)) AKIDB_RETURN_IF_ERROR(Look(parts_.texts.At(*row)));
    }
    return parts_.filter.status();
  }

  Status All() {
    done_.way = parts_.texts.indexed() ? SearchWay::kInvertedLists : SearchWay::kTexts;
    Status status;
    parts_.texts.ForEachRead([&](const CountedText& text) {
      if (status.ok()) status = Look(text);
    });
    AKIDB_RETURN_IF_ERROR(status);
    if (parts_.texts.indexed()) AKIDB_RETURN_IF_ERROR(Indexed());
    return parts_.filter.status();
  }

  SourcePlan& done() { return done_; }

 private:
  // The rows of the terms' lists; texts are looked at where their terms may add up to enough.
  Status Indexed() {
    std::vector<float> most(parts_.source.rows());
    for (uint32_t term = 0; term < parts_.terms.size(); ++term) {
      done_.estimated += parts_.texts.held(term).rows.count();
    }
    RowCollector listed(parts_.source.rows(), done_.estimated);
    for (uint32_t term = 0; term < parts_.terms.size(); ++term) {
      const float of_term = parts_.scorer.Most(term);
      const StoredRows& rows = parts_.texts.held(term).rows;
      rows.ForEach([&](uint32_t row) { most[row] += of_term; });
      rows.AddTo(listed);
      AKIDB_RETURN_IF_ERROR(parts_.context.Check());
    }
    RowSet rows = listed.Finish();
    if (const RowSet* const possible = parts_.filter.possible()) rows.Intersect(*possible);
    // First those that may be among the best, so that most others need not be looked at.
    float best = 0;
    rows.ForEach([&](uint32_t row) { best = std::max(best, most[row]); });
    AKIDB_RETURN_IF_ERROR(LookWhere(rows, most, best / 2));
    return LookWhere(rows, most, 0);
  }

  // Where `most` is above the floor, and leaves 0 there.
  Status LookWhere(const RowSet& rows, std::vector<float>& most, float floor) {
    Status status;
    rows.ForEach([&](uint32_t row) {
      if (most[row] <= floor || most[row] * (1 + slack_) < -parts_.top.bound() || !status.ok()) {
        return;
      }
      most[row] = 0;
      if (parts_.source.Visible(row) && !parts_.texts.WasRead(row)) {
        status = Look(parts_.texts.At(row));
      }
    });
    return status;
  }

  Status Look(const CountedText& text) {
    ++done_.compared;
    looked_at_ += parts_.terms.size() + text.length;
    if (looked_at_ >= kCheckTokens) {
      looked_at_ = 0;
      AKIDB_RETURN_IF_ERROR(parts_.context.Check());
    }
    if (text.counts.empty()) return OkStatus();
    const float score = parts_.scorer.Score(text);
    const PointId id = parts_.source.id(text.row);
    if (!parts_.top.Accepts(-score, id) || !parts_.filter.Admits(text.row)) return OkStatus();
    parts_.top.Offer({-score, parts_.number, text.row, id});
    return parts_.filter.status();
  }

  const Parts parts_;
  const float slack_;  // bounds are sums in single precision, scores are not
  SourcePlan done_;
  size_t looked_at_ = 0;  // tokens, since the last look at the request
};

float DistanceMaxOf(const std::optional<float>& score_above) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  return score_above ? std::nextafter(-*score_above, -kInfinity) : kInfinity;
}

}  // namespace

Result<std::vector<Hit>> ViewReader::RankTexts(const TextRankRequest& request,
                                               const PayloadIndexSpec& spec) const {
  const TextTerms terms(spec.analyzer->QueryTokens(request.text));
  if (terms.size() == 0) return std::vector<Hit>();
  const ViewLook look{view_, schema_, context_};
  AKIDB_ASSIGN_OR_RETURN(const RarityCorpus counted,
                         RarityCorpus::Of(look, request.idf_corpus.get()));
  std::deque<SourceTexts> texts;  // by source
  std::vector<double> read_ms;    // likewise
  TextCorpus corpus;
  corpus.having.resize(terms.size());
  for (uint32_t i = 0; i < view_.sources.size(); ++i) {
    const SteadyClock::time_point start = SteadyClock::now();
    SourceTexts& of_source = texts.emplace_back(*view_.sources[i], spec, terms);
    AKIDB_RETURN_IF_ERROR(of_source.Read(context_));
    of_source.AddTo(corpus, counted.RowsOf(i));
    read_ms.push_back(MillisecondsSince(start));
    AKIDB_RETURN_IF_ERROR(context_.Check());
  }
  const TextScorer scorer(corpus, request.k1, request.b);
  index::TopK top(std::min<uint64_t>(view_.points, request.offset) +
                      std::min<uint64_t>(view_.points, request.limit),
                  DistanceMaxOf(request.score_above));
  AKIDB_RETURN_IF_ERROR(SearchSources(look, request, [&](uint32_t number, SourceFilter& filter) {
    return TextSourceRanking({context_, *view_.sources[number], number, terms, scorer,
                              texts[number], read_ms[number], filter, top});
  }));
  const std::vector<index::Neighbor> best = top.Take();
  return HitsOf(std::span<const index::Neighbor>(best), request);
}

}  // namespace akidb::engine
