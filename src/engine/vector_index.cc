#include "engine/vector_index.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>
#include <random>
#include <string>

#include "engine/code_rotation.h"
#include "engine/numbered_vectors.h"
#include "engine/prefix_choice.h"
#include "engine/recall_audit.h"
#include "engine/stored_vector.h"
#include "index/graph/graph_builder.h"
#include "index/graph/graph_order.h"
#include "index/graph/graph_section.h"
#include "simd/kernels.h"

namespace akidb::engine {
namespace {

// Rows that the centre is the mean of: any point near the middle will do.
constexpr uint32_t kCentreRows = 4096;
// Rows encoded between two looks at whether to stop.
constexpr uint32_t kStopRows = 256;

Status Stopped() { return CancelledError("the building of an index was stopped"); }

uint32_t CodedDim(const index::CodeSpace& space) {
  return space.prefix() ? space.prefix()->dim : space.dim();
}

// A graph over some of the vectors, and what its nodes have become.
struct EarlierGraph {
  index::GraphView graph;
  uint32_t coded_dim = 0;         // components that its codes are of
  std::vector<uint32_t> numbers;  // of each node; index::kNoNode for one that is gone
  uint32_t living = 0;
};

// Of the vector called `name`.
std::optional<EarlierGraph> FindEarlierGraph(const EarlierIndex& earlier, const std::string& name,
                                             const NumberedVectors& vectors) {
  const std::optional<size_t> ordinal = earlier.reader->FindVector(name);
  const VectorIndex* index = ordinal ? earlier.index->vector(*ordinal) : nullptr;
  if (index == nullptr || !index->graph) return std::nullopt;
  EarlierGraph found{*index->graph, CodedDim(*index->section.space),
                     std::vector<uint32_t>(index->codes.count(), index::kNoNode)};
  uint32_t number = 0;
  for (uint32_t row = 0; row < earlier.reader->rows(); ++row) {
    if (!earlier.reader->HasVector(row, *ordinal)) continue;
    const uint32_t node = index->NodeOf(number++);
    if (earlier.became[row] == EarlierIndex::kNoRow) continue;
    found.numbers[node] = vectors.NumberOf(earlier.became[row]);
    ++found.living;
  }
  return found;
}

// `left_out` ascends.
Result<std::vector<float>> CentreOf(const NumberedVectors& vectors, uint32_t dim,
                                    std::span<const uint32_t> left_out) {
  std::vector<double> sums(dim);
  const uint32_t step = std::max(vectors.count() / kCentreRows, 1u);
  uint32_t summed = 0;
  for (uint32_t number = 0; number < vectors.count(); number += step) {
    if (std::binary_search(left_out.begin(), left_out.end(), number)) continue;
    AKIDB_ASSIGN_OR_RETURN(std::span<const float> vector, vectors[number]);
    for (uint32_t i = 0; i < dim; ++i) sums[i] += static_cast<double>(vector[i]);
    ++summed;
  }
  std::vector<float> centre(dim);
  for (uint32_t i = 0; i < dim; ++i) {
    centre[i] = static_cast<float>(sums[i] / std::max(summed, 1u));
  }
  return centre;
}

index::CodeKind KindOf(MemoryMode memory) {
  switch (memory) {
    case MemoryMode::kQuality:
      return index::CodeKind::kU7;
    case MemoryMode::kCompact:
      return index::CodeKind::kU1;
    case MemoryMode::kBalanced:
      break;
  }
  return index::CodeKind::kU4;
}

// Of one vector, of all its codes.
uint64_t CodeBytes(MemoryMode memory, uint64_t padded_dim) {
  constexpr uint64_t kFactors = 8;
  switch (memory) {
    case MemoryMode::kQuality:
      return padded_dim + kFactors;
    case MemoryMode::kCompact:
      return padded_dim / 8 + padded_dim / 2 + 2 * kFactors;
    case MemoryMode::kBalanced:
      break;
  }
  return padded_dim / 2 + kFactors;
}

// Of a graph's nodes.
uint32_t DegreeOf(uint32_t m) {
  constexpr uint32_t kDegreeMax = 256;
  return std::clamp(2 * m, 2u, kDegreeMax);
}

// Rows that may stand beside a graph: their codes take a few microseconds.
constexpr size_t kLongRowsMax = 1024;

// docs/format/graph.md
Result<std::vector<uint32_t>> OpenLongRows(std::span<const std::byte> bytes, uint32_t rows) {
  std::vector<uint32_t> numbers(std::min(bytes.size() / sizeof(uint32_t), kLongRowsMax));
  if (numbers.empty() || bytes.size() != numbers.size() * sizeof(uint32_t)) {
    return CorruptionError("long rows: the section's size is that of no list of 1 to 1024 numbers");
  }
  std::memcpy(numbers.data(), bytes.data(), bytes.size());
  const bool ascend =
      std::adjacent_find(numbers.begin(), numbers.end(), std::greater_equal<>()) == numbers.end();
  if (!ascend || numbers.back() >= rows) {
    return CorruptionError("long rows: they must ascend, and be vectors of the segment");
  }
  return numbers;
}

// Builds what stands over one vector.
class VectorBuild {
 public:
  VectorBuild(const VectorIndexerOptions& options, const VectorSchema& schema, size_t ordinal,
              const IndexBuild& how)
      : options_(options),
        config_(schema.config(ordinal)),
        memory_(schema.memory(ordinal)),
        prefix_(ChoosePrefix(config_, schema.prefixes(ordinal))),
        threads_(std::min(options.threads, how.threads_max)),
        stop_(how.stop) {}

  Status Run(const NumberedVectors& vectors, const GraphConfig& graph, uint64_t graph_rows_min) {
    AKIDB_ASSIGN_OR_RETURN(no_graph_, WhyNoGraph(vectors));
    AKIDB_ASSIGN_OR_RETURN(const std::vector<float> centre,
                           CentreOf(vectors, config_.dim, long_rows_));
    const bool with_graph = !no_graph_ && graph.m > 0 && vectors.count() >= graph_rows_min;
    // What was refused for most of the rows isn't tried again with the rest.
    if (prefix_ != 0 && IsExtended(vectors.count(), config_.dim)) prefix_ = 0;
    if (prefix_ != 0) {
      AKIDB_ASSIGN_OR_RETURN(const index::PrefixFit fit,
                             FitPrefix(vectors, {config_.metric, centre, prefix_}));
      if (IsGoodEnough(fit)) {
        AKIDB_RETURN_IF_ERROR(Build(vectors, {centre, fit.prefix, with_graph}, graph));
        if (!with_graph || FindsEnough(curve_, options_.prefix_recall_min)) return OkStatus();
      }
      prefix_refused_ = prefix_;
      codes_ = second_codes_ = graph_ = {};
    }
    return Build(vectors, {centre, std::nullopt, with_graph}, graph);
  }

  // Whose links may be taken over.
  void SetEarlier(std::optional<EarlierGraph> earlier) { earlier_ = std::move(earlier); }

  // The prefix that was permitted and found wanting; 0: none.
  uint32_t prefix_refused() const { return prefix_refused_; }
  std::vector<std::byte> TakeCodes() { return std::move(codes_); }
  // Empty when there is none.
  std::vector<std::byte> TakeGraph() { return std::move(graph_); }
  std::vector<std::byte> TakeSecondCodes() { return std::move(second_codes_); }
  std::vector<std::byte> TakeRecall() { return index::EncodeRecallCurve(curve_); }
  bool HasLongRows() const { return !long_rows_.empty(); }
  std::vector<std::byte> LongRowsSection() const {
    const std::span<const std::byte> bytes = std::as_bytes(std::span(long_rows_));
    return {bytes.begin(), bytes.end()};
  }

 private:
  // What is coded, and whether it is linked.
  struct Plan {
    std::span<const float> centre;
    std::optional<index::CodedPrefix> prefix;
    bool with_graph = false;
  };

  Status Build(const NumberedVectors& vectors, const Plan& plan, const GraphConfig& graph) {
    const index::CodeSpace narrow(KindOf(memory_), kRotationSeed, plan.centre, plan.prefix);
    const index::CodeSpace middle(index::CodeKind::kU4, kRotationSeed, plan.centre);
    const uint32_t coded_dim = CodedDim(narrow);
    const index::CodeSpace wide(index::CodeKind::kU7, kRotationSeed, plan.centre.first(coded_dim));
    index::CodeSectionWriter codes(narrow, vectors.count());
    std::optional<index::CodeSectionWriter> second;
    if (memory_ == MemoryMode::kCompact) second.emplace(middle, vectors.count());
    if (no_graph_) codes.SetWithoutGraph(*no_graph_);
    std::vector<std::byte> wide_codes(plan.with_graph ? vectors.count() * wide.row_bytes() : 0);
    zero_lifts_.clear();
    squared_lengths_.clear();
    for (uint32_t number = 0; number < vectors.count(); ++number) {
      if (number % kStopRows == 0 && stop_) return Stopped();
      AKIDB_ASSIGN_OR_RETURN(std::span<const float> vector, vectors[number]);
      const float lift = LiftOfZero(vector);
      codes.Add(vector, lift);
      if (second) second->Add(vector, lift);
      if (!plan.with_graph) continue;
      const std::span<const float> coded = vector.first(coded_dim);
      if (config_.metric == Metric::kCosine) zero_lifts_.push_back(lift);
      wide.Encode(coded, wide_codes.data() + number * wide.row_bytes());
      if (config_.metric == Metric::kDot) squared_lengths_.push_back(SquaredLength(coded));
    }
    if (!plan.with_graph) {
      codes_ = codes.Take();
      if (second) second_codes_ = second->Take();
      return OkStatus();
    }
    const index::CodeArray array(wide, wide_codes.data(), vectors.count());
    index::GraphBuildOptions build;
    build.degree = DegreeOf(graph.m);
    build.width = std::max(graph.ef_construct, build.degree);
    build.threads = threads_;
    const std::vector<float> lifts = Lifts();
    AKIDB_ASSIGN_OR_RETURN(index::Graph built, MakeGraph({array, lifts}, build));
    index::Renumber(built);
    codes.Reorder(built.number_of_node);
    codes_ = codes.Take();
    if (second) {
      second->Reorder(built.number_of_node);
      second_codes_ = second->Take();
    }
    graph_ = index::EncodeGraph(built.view());
    return Audit(vectors, built.view());
  }

  // Rows whose squared lengths exceed float32, or have no digits left in it, have no place in a
  // graph.
  static constexpr double kSquaredLengthMax = 1e37;
  static constexpr double kSquaredLengthMin = 1e-30;
  // Of the longest row's squared length to the mean: recall was 0.97 at 4, 0.18 at 1,800.
  static constexpr double kLengthsRatioMax = 8;
  // Of rows beside which the others are no longer than that one in so many may be left aside.
  static constexpr size_t kLongRowsShare = 100;

  static constexpr uint32_t kPairs = 2000;
  // Of Manhattan to Euclid, relative: recall was above 0.98 at 0.015, 0.7 at 0.15.
  static constexpr double kRatioSpreadMax = 0.03;

  static double SquaredLength(std::span<const float> vector) {
    double sum = 0;
    for (float value : vector) sum += static_cast<double>(value) * static_cast<double>(value);
    return sum;
  }

  // For cosine all rows have unit length but those of zeros, which would seem nearer to everything
  // than they are: they get it by a component of their own.
  float LiftOfZero(std::span<const float> vector) const {
    if (config_.metric != Metric::kCosine) return 0;
    const bool zero = std::all_of(vector.begin(), vector.end(), [](float x) { return x == 0; });
    return zero ? 1.0f : 0.0f;
  }

  // Whether the earlier graph holds most of so many rows, and knows them by as many components.
  bool IsExtended(uint32_t rows, uint32_t coded_dim) const {
    return earlier_ && earlier_->coded_dim == coded_dim && earlier_->living >= rows / 2 + 1;
  }

  // A graph that most rows are new to is built anew in little more time, and better.
  Result<index::Graph> MakeGraph(const index::GraphBuildRows& rows,
                                 const index::GraphBuildOptions& options) const {
    if (!IsExtended(rows.codes.count(), rows.codes.space().dim()) ||
        earlier_->graph.degree != options.degree) {
      return index::BuildGraph(rows, options, stop_);
    }
    return index::ExtendGraph(rows, {earlier_->graph, earlier_->numbers}, options, stop_);
  }

  // Whether Manhattan distances are nearly in proportion to Euclid's, which codes and graph know:
  // measured on pairs drawn at random. They are where differences are spread over many components.
  Result<bool> DistancesAgree(const NumberedVectors& vectors) const {
    if (vectors.count() < 2) return true;
    std::mt19937_64 random(1);
    double sum = 0;
    double squares = 0;
    double counted = 0;
    for (uint32_t pair = 0; pair < kPairs; ++pair) {
      const auto number = static_cast<uint32_t>(random() % vectors.count());
      AKIDB_ASSIGN_OR_RETURN(std::span<const float> first, vectors[number]);
      const std::vector<float> kept(first.begin(), first.end());
      const auto other = static_cast<uint32_t>(random() % vectors.count());
      AKIDB_ASSIGN_OR_RETURN(std::span<const float> second, vectors[other]);
      const simd::Kernels& kernels = simd::BestKernels();
      const auto squared =
          static_cast<double>(kernels.squared_l2.pair(kept.data(), second.data(), kept.size()));
      if (squared == 0) continue;
      const double ratio =
          static_cast<double>(kernels.l1.pair(kept.data(), second.data(), kept.size())) /
          std::sqrt(squared);
      sum += ratio;
      squares += ratio * ratio;
      ++counted;
    }
    const double mean = sum / counted;
    return squares / counted - mean * mean <= kRatioSpreadMax * kRatioSpreadMax * mean * mean;
  }

  // Why a graph would not lead to what is near, if so. The largest products of rows of very
  // different lengths are those of the few longest, which lie far from everything else: these are
  // left aside where they are few, in long_rows_.
  Result<std::optional<NoGraphReason>> WhyNoGraph(const NumberedVectors& vectors) {
    using Reason = std::optional<NoGraphReason>;
    if (config_.metric == Metric::kCosine) return Reason();
    const bool is_dot = config_.metric == Metric::kDot;
    std::vector<float> lengths;
    double longest = 0;
    double sum = 0;
    for (uint32_t number = 0; number < vectors.count(); ++number) {
      if (number % kStopRows == 0 && stop_) return Stopped();
      AKIDB_ASSIGN_OR_RETURN(std::span<const float> vector, vectors[number]);
      const double squared = SquaredLength(vector);
      longest = std::max(longest, squared);
      sum += squared;
      if (is_dot) lengths.push_back(static_cast<float>(squared));
    }
    if (longest > kSquaredLengthMax || (longest > 0 && longest < kSquaredLengthMin)) {
      return Reason(NoGraphReason::kRange);
    }
    if (config_.metric == Metric::kManhattan) {
      AKIDB_ASSIGN_OR_RETURN(const bool agree, DistancesAgree(vectors));
      return agree ? Reason() : NoGraphReason::kManhattan;
    }
    if (!is_dot || longest * vectors.count() <= kLengthsRatioMax * sum) return Reason();
    long_rows_ = LongRows(lengths);
    return long_rows_.empty() ? NoGraphReason::kLengths : Reason();
  }

  // As few of the longest as leave the others to a graph, ascending; none where that takes too
  // many.
  static std::vector<uint32_t> LongRows(std::span<const float> squared_lengths) {
    const size_t count = squared_lengths.size();
    const size_t most = std::min(kLongRowsMax, count / kLongRowsShare);
    if (most == 0) return {};
    std::vector<uint32_t> longest(count);
    std::iota(longest.begin(), longest.end(), 0);
    std::partial_sort(
        longest.begin(), longest.begin() + static_cast<ptrdiff_t>(most + 1), longest.end(),
        [&](uint32_t a, uint32_t b) { return squared_lengths[a] > squared_lengths[b]; });
    // Of all from the i-th on: summed from the shortest, for the longest may be all that counts.
    std::vector<double> sums(most + 1);
    for (size_t i = count; i-- > 0;) {
      const auto squared = static_cast<double>(squared_lengths[longest[i]]);
      if (i >= most) sums[most] += squared;
      if (i < most) sums[i] = sums[i + 1] + squared;
    }
    for (size_t i = 1; i <= most; ++i) {
      const auto of_next = static_cast<double>(squared_lengths[longest[i]]);
      if (of_next * static_cast<double>(count - i) > kLengthsRatioMax * sums[i]) continue;
      longest.resize(i);
      std::sort(longest.begin(), longest.end());
      return longest;
    }
    return {};
  }

  // Measures what will be searched: the codes as they are written, and the graph.
  Status Audit(const NumberedVectors& vectors, const index::GraphView& graph) {
    AKIDB_ASSIGN_OR_RETURN(index::CodeSection section,
                           index::OpenCodeSection(codes_, config_.dim, vectors.count()));
    VectorIndex made(std::move(section));
    made.graph = graph;
    made.long_rows = long_rows_;
    if (!second_codes_.empty()) {
      AKIDB_ASSIGN_OR_RETURN(index::CodeSection second,
                             index::OpenCodeSection(second_codes_, config_.dim, vectors.count()));
      made.second = std::make_unique<SecondCodes>(std::move(second));
    }
    AKIDB_ASSIGN_OR_RETURN(curve_, MeasureRecall(made, vectors, config_.metric, stop_));
    return OkStatus();
  }

  // index/graph/graph_builder.h
  std::vector<float> Lifts() const {
    if (config_.metric == Metric::kCosine) return zero_lifts_;
    if (squared_lengths_.empty()) return {};
    std::vector<double> lengths = squared_lengths_;
    for (uint32_t number : long_rows_) lengths[number] = 0;
    const double longest = *std::max_element(lengths.begin(), lengths.end());
    for (uint32_t number : long_rows_) lengths[number] = longest;
    std::vector<float> lifts;
    lifts.reserve(lengths.size());
    for (double squared : lengths) {
      lifts.push_back(static_cast<float>(std::sqrt(longest - squared)));
    }
    return lifts;
  }

  const VectorIndexerOptions& options_;
  const VectorConfig& config_;
  const MemoryMode memory_;
  uint32_t prefix_;  // that is tried first; 0: none
  uint32_t prefix_refused_ = 0;
  const uint32_t threads_;
  const std::atomic<bool>& stop_;
  std::optional<NoGraphReason> no_graph_;
  std::vector<uint32_t> long_rows_;  // ascending
  std::optional<EarlierGraph> earlier_;
  std::vector<double> squared_lengths_;  // of a dot product's rows
  std::vector<float> zero_lifts_;        // of cosine's rows
  std::vector<std::byte> codes_;
  std::vector<std::byte> second_codes_;
  std::vector<std::byte> graph_;
  index::RecallCurve curve_;  // of graph_
};

class OpenedIndex final : public SegmentIndex {
 public:
  const VectorIndex* vector(size_t ordinal_in_segment) const override {
    return vectors_[ordinal_in_segment].get();
  }
  bool wanting() const override { return wanting_; }
  bool damaged() const override { return damaged_; }

  void Add(std::unique_ptr<const VectorIndex> index) { vectors_.push_back(std::move(index)); }
  void set_wanting() { wanting_ = true; }
  void set_damaged() { damaged_ = wanting_ = true; }

 private:
  std::vector<std::unique_ptr<const VectorIndex>> vectors_;
  bool wanting_ = false;
  bool damaged_ = false;
};

class VectorIndexer final : public SegmentIndexer {
 public:
  VectorIndexer(const VectorIndexerOptions& options, Logger& log) : options_(options), log_(log) {}

  uint64_t RowsMax(const VectorSchema& schema) const override {
    // The codes and links of all vectors, as they will be written, stay until the file is; codes of
    // 7 bits and links with distances are there for one vector at a time.
    uint64_t kept = 1;
    uint64_t passing = 0;
    for (size_t ordinal = 0; ordinal < schema.size(); ++ordinal) {
      const VectorConfig& config = schema.config(ordinal);
      if (config.multivector) continue;
      const uint64_t padded = index::PaddedDim(config.dim);
      const uint64_t degree = 2 * uint64_t{schema.graph().m};
      kept += CodeBytes(schema.memory(ordinal), padded) + degree * 4;
      passing = std::max(passing, padded + 32 + degree * (12 + 4));
    }
    const uint64_t row_bytes = kept + passing;
    return std::max(options_.memory_max / row_bytes, uint64_t{options_.graph_rows_min});
  }

  uint64_t GraphRowsMin(const VectorSchema& schema) const override {
    for (size_t ordinal = 0; ordinal < schema.size(); ++ordinal) {
      const bool indexed = !schema.config(ordinal).multivector;
      if (indexed && schema.graph().m > 0) return options_.graph_rows_min;
    }
    return UINT64_MAX;
  }

  Result<std::vector<IndexSection>> Build(const storage::SegmentRows& rows,
                                          const VectorSchema& schema,
                                          const IndexBuild& how) const override {
    std::vector<IndexSection> sections;
    for (size_t ordinal = 0; ordinal < schema.size(); ++ordinal) {
      if (schema.config(ordinal).multivector) continue;
      const NumberedVectors vectors(rows, schema, ordinal);
      if (vectors.count() == 0) continue;
      VectorBuild build(options_, schema, ordinal, how);
      if (how.earlier != nullptr) {
        build.SetEarlier(FindEarlierGraph(*how.earlier, schema.name(ordinal), vectors));
      }
      const uint64_t graph_rows_min = std::max<uint64_t>(
          options_.graph_rows_min, how.in_haste ? options_.graph_rows_min_in_haste : 0);
      AKIDB_RETURN_IF_ERROR(build.Run(vectors, schema.graph(), graph_rows_min));
      if (build.prefix_refused() != 0) {
        log_.Write(LogLevel::kInfo, "prefix_refused",
                   "the permitted prefix of these vectors says too little of them",
                   {{"vector", schema.name(ordinal)},
                    {"prefix", uint64_t{build.prefix_refused()}},
                    {"rows", uint64_t{vectors.count()}}});
      }
      const auto number = static_cast<uint16_t>(ordinal);
      sections.push_back({{storage::SectionId::kCodes, number}, build.TakeCodes()});
      std::vector<std::byte> second = build.TakeSecondCodes();
      if (!second.empty()) {
        sections.push_back({{storage::SectionId::kSecondCodes, number}, std::move(second)});
      }
      std::vector<std::byte> graph = build.TakeGraph();
      if (graph.empty()) continue;
      sections.push_back({{storage::SectionId::kGraph, number}, std::move(graph)});
      sections.push_back({{storage::SectionId::kRecall, number}, build.TakeRecall()});
      if (!build.HasLongRows()) continue;
      sections.push_back({{storage::SectionId::kLongRows, number}, build.LongRowsSection()});
    }
    return sections;
  }

  bool Fits(const storage::SegmentReader& reader, const SegmentIndex& index,
            const VectorSchema& schema) const override {
    for (size_t number = 0; number < reader.vectors().size(); ++number) {
      const VectorIndex* there = index.vector(number);
      const std::optional<size_t> ordinal = schema.Find(reader.vectors()[number].name);
      if (!ordinal) return false;
      if (there == nullptr) continue;
      if (there->section.space->kind() != KindOf(schema.memory(*ordinal))) return false;
      const uint32_t m = schema.graph().m;
      if (there->graph && (m == 0 || there->graph->degree != DegreeOf(m))) return false;
      // None was wanted when it was opened.
      if (IsWanting(reader.vectors()[number], schema.graph(), there)) return false;
    }
    return true;
  }

  Result<std::shared_ptr<const SegmentIndex>> Open(const storage::SegmentReader& reader,
                                                   const VectorSchema& schema) const override {
    auto opened = std::make_shared<OpenedIndex>();
    for (size_t ordinal = 0; ordinal < reader.vectors().size(); ++ordinal) {
      Result<std::unique_ptr<VectorIndex>> index = OpenVector(reader, ordinal);
      if (!index.ok()) {
        log_.Write(LogLevel::kError, "index_damaged", index.status().message(),
                   {{"file", reader.path()}, {"vector", reader.vectors()[ordinal].name}});
        opened->set_damaged();
      }
      opened->Add(index.ok() ? std::move(index).value() : nullptr);
      const VectorIndex* there = opened->vector(ordinal);
      if (IsWanting(reader.vectors()[ordinal], schema.graph(), there)) opened->set_wanting();
    }
    return std::shared_ptr<const SegmentIndex>(std::move(opened));
  }

 private:
  bool NeedsGraph(const storage::SegmentVector& vector, const GraphConfig& graph) const {
    return !vector.multivector && graph.m > 0 && vector.count >= options_.graph_rows_min;
  }

  bool IsWanting(const storage::SegmentVector& vector, const GraphConfig& graph,
                 const VectorIndex* index) const {
    if (vector.multivector || vector.count == 0) return false;
    if (index == nullptr) return true;
    return NeedsGraph(vector, graph) && !index->graph && !index->section.without_graph;
  }

  // Null when there are no codes, and then no graph is of use.
  static Result<std::unique_ptr<VectorIndex>> OpenVector(const storage::SegmentReader& reader,
                                                         size_t ordinal) {
    const storage::SegmentVector& vector = reader.vectors()[ordinal];
    const auto number = static_cast<uint16_t>(ordinal);
    AKIDB_ASSIGN_OR_RETURN(auto codes, reader.Section({storage::SectionId::kCodes, number}));
    if (!codes) return std::unique_ptr<VectorIndex>();
    AKIDB_ASSIGN_OR_RETURN(index::CodeSection section,
                           index::OpenCodeSection(*codes, vector.dim, vector.count));
    auto index = std::make_unique<VectorIndex>(std::move(section));
    AKIDB_ASSIGN_OR_RETURN(auto second, reader.Section({storage::SectionId::kSecondCodes, number}));
    if (second) {
      AKIDB_ASSIGN_OR_RETURN(index::CodeSection finer,
                             index::OpenCodeSection(*second, vector.dim, vector.count));
      if (finer.in_graph_order != index->section.in_graph_order) {
        return CorruptionError("second codes: they have another order than the codes");
      }
      // Checking them has brought them all into memory, and few are looked at.
      const storage::SectionKey key{storage::SectionId::kSecondCodes, number};
      reader.ReleaseSection(key);
      const SectionFetch::Rows rows{static_cast<uint64_t>(finer.rows - second->data()),
                                    finer.space->row_bytes()};
      index->second = std::make_unique<SecondCodes>(std::move(finer));
      index->second->fetch = std::make_unique<SectionFetch>(reader, key, rows);
    }
    AKIDB_ASSIGN_OR_RETURN(auto graph, reader.Section({storage::SectionId::kGraph, number}));
    if (graph) {
      AKIDB_ASSIGN_OR_RETURN(index->graph, index::OpenGraph(*graph, vector.count));
      AKIDB_ASSIGN_OR_RETURN(auto recall, reader.Section({storage::SectionId::kRecall, number}));
      if (recall) {
        AKIDB_ASSIGN_OR_RETURN(index->recall, index::OpenRecallCurve(*recall));
      }
      AKIDB_ASSIGN_OR_RETURN(auto longer, reader.Section({storage::SectionId::kLongRows, number}));
      if (longer) {
        AKIDB_ASSIGN_OR_RETURN(index->long_rows, OpenLongRows(*longer, vector.count));
      }
    }
    if (index->section.in_graph_order && !(graph && !index->graph->number_of_node.empty())) {
      return CorruptionError("codes: their order is that of a graph which isn't there");
    }
    return index;
  }

  const VectorIndexerOptions options_;
  Logger& log_;
};

}  // namespace

std::unique_ptr<SegmentIndexer> MakeVectorIndexer(const VectorIndexerOptions& options,
                                                  Logger& log) {
  return std::make_unique<VectorIndexer>(options, log);
}

}  // namespace akidb::engine
