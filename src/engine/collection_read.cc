#include <deque>

#include "engine/collection_checks.h"
#include "engine/collection_impl.h"
#include "engine/text_filter.h"
#include "engine/vector_index.h"
#include "engine/view_reader.h"
#include "types/collection_config_json.h"

namespace akidb::engine {
namespace {

void AddMemory(const SealedSegment& segment, MemoryUse& memory) {
  using Id = storage::SectionId;
  auto sum = [&](std::initializer_list<Id> ids) {
    uint64_t bytes = 0;
    for (Id id : ids) bytes += segment.opened.reader->SectionBytes(id);
    return bytes;
  };
  memory.changes += segment.visible_changes.bytes();
  memory.codes += sum({Id::kCodes});
  memory.second_codes += sum({Id::kSecondCodes});
  memory.graphs += sum({Id::kGraph, Id::kRecall, Id::kLongRows});
  memory.ids += sum({Id::kNumberIds, Id::kUuidIds, Id::kRowOfRank, Id::kRankOfRow, Id::kSeqs,
                     Id::kRowMap, Id::kRowStarts});
  memory.sparse_indexes += sum({Id::kSparseIndex});
  memory.payload_indexes += sum({Id::kPayloadIndexes});
  memory.vectors += sum({Id::kRows});
  memory.payloads += sum({Id::kPayload, Id::kPayloadIndex, Id::kPayloadDictionary});
}

bool KnowsOrder(const PayloadFieldIndex& index) {
  switch (index.kind) {
    case PayloadFieldKind::kInteger:
      return IntegerIndexUsesOf(index).range;
    case PayloadFieldKind::kFloat:
    case PayloadFieldKind::kDatetime:
      return true;
    case PayloadFieldKind::kKeyword:
    case PayloadFieldKind::kBool:
    case PayloadFieldKind::kUuid:
    case PayloadFieldKind::kGeo:
    case PayloadFieldKind::kText:
      return false;
  }
  return false;
}

bool KnowsValues(const PayloadFieldIndex& index) {
  switch (index.kind) {
    case PayloadFieldKind::kInteger:
      return IntegerIndexUsesOf(index).lookup;
    case PayloadFieldKind::kKeyword:
    case PayloadFieldKind::kBool:
    case PayloadFieldKind::kUuid:
      return true;
    case PayloadFieldKind::kFloat:
    case PayloadFieldKind::kDatetime:
    case PayloadFieldKind::kGeo:
    case PayloadFieldKind::kText:
      return false;
  }
  return false;
}

}  // namespace

class CollectionImpl::PinnedReader final : public CollectionReader {
 public:
  // `collection` outlives the reader.
  PinnedReader(const CollectionImpl& collection, std::shared_ptr<const View> view)
      : collection_(collection),
        schema_(collection.schema_),
        fields_(collection.readers_schema_.load()),
        view_(std::move(view)) {}

  Result<std::vector<PointRecord>> Retrieve(const RequestContext& context,
                                            const RetrieveRequest& request) const override {
    return ViewReader(*view_, schema_, context).Retrieve(request);
  }
  Result<ScrollPage> Scroll(const RequestContext& context,
                            const ScrollRequest& asked) const override {
    ScrollRequest changed;
    const ScrollRequest& request = WithAnalyzers(asked, *fields_, changed);
    const ViewReader reader(*view_, schema_, context);
    if (!request.order_by) return reader.Scroll(request);
    AKIDB_ASSIGN_OR_RETURN(const PayloadPath path, ParsePath(request.order_by->key, "order_by"));
    const std::optional<PayloadFieldIndex> index = collection_.IndexOn(path);
    if (!index || !KnowsOrder(*index)) {
      return InvalidArgumentError("No range index for `order_by` key: `" + request.order_by->key +
                                  "`. Please create one to use `order_by`");
    }
    return reader.ScrollInOrder(request, path, index->kind);
  }
  Result<std::vector<PointRecord>> Sample(const RequestContext& context,
                                          const SampleRequest& asked) const override {
    SampleRequest changed;
    const SampleRequest& request = WithAnalyzers(asked, *fields_, changed);
    return ViewReader(*view_, schema_, context)
        .Sample(request, collection_.environment_.random.Next());
  }
  Result<std::vector<FacetHit>> Facet(const RequestContext& context,
                                      const FacetRequest& asked) const override {
    FacetRequest changed;
    const FacetRequest& request = WithAnalyzers(asked, *fields_, changed);
    AKIDB_ASSIGN_OR_RETURN(const PayloadPath path, ParsePath(request.key, "key"));
    const std::optional<PayloadFieldIndex> index = collection_.IndexOn(path);
    if (!index || !KnowsValues(*index)) {
      return InvalidArgumentError("No appropriate index for faceting: `" + request.key +
                                  "`. Please create one to facet on this field");
    }
    return ViewReader(*view_, schema_, context).Facet(request, path, index->kind);
  }
  Result<uint64_t> Count(const RequestContext& context, const Filter* filter) const override {
    const std::shared_ptr<const Filter> changed = WithAnalyzers(filter, *fields_);
    return ViewReader(*view_, schema_, context).Count(changed ? changed.get() : filter);
  }
  Result<std::vector<Hit>> Search(const RequestContext& context,
                                  const SearchRequest& request) const override {
    AKIDB_ASSIGN_OR_RETURN(std::vector<std::vector<Hit>> hits, SearchBatch(context, {&request, 1}));
    return std::move(hits.front());
  }
  Result<std::vector<Hit>> RankTexts(const RequestContext& context,
                                     const TextRankRequest& asked) const override {
    TextRankRequest request = asked;
    if (auto filter = WithAnalyzers(asked.filter.get(), *fields_)) request.filter = filter;
    if (auto corpus = WithAnalyzers(asked.idf_corpus.get(), *fields_)) request.idf_corpus = corpus;
    AKIDB_ASSIGN_OR_RETURN(const PayloadPath path, ParsePath(request.field, "using"));
    const PayloadIndexSpec* const spec = fields_->SpecOf(path);
    if (spec == nullptr || spec->analyzer == nullptr) {
      return InvalidArgumentError("Validation failed: BM25 requires a text index on field " +
                                  request.field + ", which has none");
    }
    if (!spec->lengths) {
      return InvalidArgumentError("Validation failed: The text index on `" + request.field +
                                  "` does not score: set `scoring` on it to query it");
    }
    return ViewReader(*view_, schema_, context).RankTexts(request, *spec);
  }
  Result<std::vector<std::vector<Hit>>> SearchBatch(
      const RequestContext& context, std::span<const SearchRequest> requests) const override {
    std::vector<DenseVector> queries;
    queries.reserve(requests.size());
    std::vector<PreparedSearch> searches;
    std::deque<SearchRequest> changed;  // that searches refer to
    for (const SearchRequest& asked : requests) {
      SearchRequest& own = changed.emplace_back();
      const SearchRequest* prepared = &WithAnalyzers(asked, *fields_, own);
      if (auto corpus = WithAnalyzers(asked.idf_corpus.get(), *fields_)) {
        if (prepared != &own) own = asked;
        own.idf_corpus = std::move(corpus);
        prepared = &own;
      }
      const SearchRequest& request = *prepared;
      if (request.examples != nullptr) {
        AKIDB_ASSIGN_OR_RETURN(const size_t ordinal, CheckExamples(request));
        searches.push_back({request, ordinal, {}});
        continue;
      }
      DenseVector& query = queries.emplace_back(request.query.begin(), request.query.end());
      query.row_dim = request.query_row_dim;
      if (request.query_indices) {
        query.indices.emplace(request.query_indices->begin(), request.query_indices->end());
      }
      AKIDB_ASSIGN_OR_RETURN(const size_t ordinal, schema_.Check(request.vector_name, query));
      schema_.PrepareQuery(ordinal, query);
      searches.push_back({request, ordinal, query});
    }
    return ViewReader(*view_, schema_, context).Search(searches);
  }

 private:
  // What the ordinal of the vector is.
  Result<size_t> CheckExamples(const SearchRequest& request) const {
    for (const DenseVector& example : request.examples->vectors) {
      AKIDB_RETURN_IF_ERROR(schema_.Check(request.vector_name, example).status());
    }
    const std::optional<size_t> ordinal = schema_.Find(request.vector_name);
    // With examples the vector was found; a caller may also give none.
    return ordinal ? Result<size_t>(*ordinal)
                   : InvalidArgumentError("Not existing vector name error: " + request.vector_name);
  }

  const CollectionImpl& collection_;
  const VectorSchema& schema_;
  const std::shared_ptr<const PayloadIndexSchema> fields_;
  const std::shared_ptr<const View> view_;  // pinned for the reader's life
};

std::shared_ptr<const View> CollectionImpl::PinView() const {
  MutexLock lock(view_mutex_);
  return view_;
}

PayloadFieldIndexes CollectionImpl::IndexedFields() const {
  MutexLock lock(write_mutex_);
  return payload_schema_->fields();
}

std::optional<PayloadFieldIndex> CollectionImpl::IndexOn(const PayloadPath& path) const {
  std::shared_ptr<const PayloadIndexSchema> schema;
  {
    MutexLock lock(write_mutex_);
    schema = payload_schema_;
  }
  const std::optional<std::string> name = schema->NameOf(path);
  if (!name) return std::nullopt;
  return schema->fields().at(*name);
}

CollectionStats CollectionImpl::stats() const {
  CollectionStats stats;
  MutexLock lock(write_mutex_);
  stats.points = static_cast<uint64_t>(visible_points_);
  stats.segments = segments_.size();
  stats.head_rows = head_->rows();
  stats.memory.heads = head_->bytes();
  for (const FrozenHead& frozen : frozen_) {
    stats.head_rows += frozen.head->rows();
    stats.memory.heads += frozen.head->bytes();
  }
  uint64_t without_graph = stats.head_rows;
  for (const SealedSegment& segment : segments_) {
    AddMemory(segment, stats.memory);
    stats.dead_rows += segment.visible_dead->count();
    stats.replaced_rows += segment.visible_changes.rows();
    stats.live_rows += segment.entry.rows - segment.visible_dead->count();
    if (segment.damaged || segment.opened.reader->rows_damaged()) {
      stats.damage += (stats.damage.empty() ? "damaged: " : ", ") + segment.opened.reader->path();
    }
    const size_t vectors = segment.opened.index ? segment.opened.reader->vectors().size() : 0;
    for (size_t ordinal = 0; ordinal < vectors; ++ordinal) {
      const VectorIndex* index = segment.opened.index->vector(ordinal);
      if (index == nullptr) continue;
      if (index->graph) stats.graph_vectors += index->codes.count();
      if (index->section.without_graph && index->codes.count() >= merge_policy_.graph_rows_min) {
        stats.without_graph[index->section.reason] += index->codes.count();
      }
    }
    if (segment.opened.index &&
        (segment.opened.index->wanting() ||
         !environment_.indexer->Fits(*segment.opened.reader, *segment.opened.index,
                                     *index_schema_))) {
      without_graph += segment.entry.rows - segment.visible_dead->count();
    }
  }
  stats.merging = merging_;
  stats.graph_due = environment_.optimizer != nullptr &&
                    merge_policy_.graph_rows_min != UINT64_MAX &&
                    without_graph > options_.rows_without_graph_max;
  stats.merge_due = environment_.optimizer != nullptr &&
                    (merging_ || !SegmentsToMerge().empty() || !SegmentsToMergeAtRest().empty());
  stats.merge_failure = merge_failure_.message();
  stats.sealed_rows = sealed_rows_;
  stats.merged_rows = merged_rows_;
  stats.log_bytes = log_->stats().bytes;
  stats.sealed_bytes = sealed_bytes_;
  stats.merged_bytes = merged_bytes_;
  stats.last_seq = applied_seq_;
  stats.read_only_reason = write_failure_.message();
  return stats;
}

std::unique_ptr<const CollectionReader> CollectionImpl::Pin() const {
  return std::make_unique<PinnedReader>(*this, PinView());
}

Result<std::vector<PointRecord>> CollectionImpl::Retrieve(const RequestContext& context,
                                                          const RetrieveRequest& request) const {
  return PinnedReader(*this, PinView()).Retrieve(context, request);
}

Result<ScrollPage> CollectionImpl::Scroll(const RequestContext& context,
                                          const ScrollRequest& request) const {
  return PinnedReader(*this, PinView()).Scroll(context, request);
}

Result<std::vector<PointRecord>> CollectionImpl::Sample(const RequestContext& context,
                                                        const SampleRequest& request) const {
  return PinnedReader(*this, PinView()).Sample(context, request);
}

Result<std::vector<FacetHit>> CollectionImpl::Facet(const RequestContext& context,
                                                    const FacetRequest& request) const {
  return PinnedReader(*this, PinView()).Facet(context, request);
}

Result<uint64_t> CollectionImpl::Count(const RequestContext& context, const Filter* filter) const {
  return PinnedReader(*this, PinView()).Count(context, filter);
}

Result<std::vector<Hit>> CollectionImpl::Search(const RequestContext& context,
                                                const SearchRequest& request) const {
  return PinnedReader(*this, PinView()).Search(context, request);
}

Result<std::vector<Hit>> CollectionImpl::RankTexts(const RequestContext& context,
                                                   const TextRankRequest& request) const {
  return PinnedReader(*this, PinView()).RankTexts(context, request);
}

Result<std::vector<std::vector<Hit>>> CollectionImpl::SearchBatch(
    const RequestContext& context, std::span<const SearchRequest> requests) const {
  return PinnedReader(*this, PinView()).SearchBatch(context, requests);
}

}  // namespace akidb::engine
