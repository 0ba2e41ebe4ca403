#include "indexed_rows.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <queue>

#include <sys/resource.h>

#include "index/graph/graph_order.h"
#include "index/graph/graph_section.h"
#include "simd/kernels.h"

namespace akidb::bench {
namespace {

constexpr uint64_t kRotationSeed = 42;

double ProcessCpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

template <typename T>
T Require(Result<T> result) {
  if (result.ok()) return std::move(result).value();
  std::fprintf(stderr, "%s\n", result.status().ToString().c_str());
  std::exit(1);
}

}  // namespace

index::GraphBuildOptions BuildOptionsOf(const Settings& settings) {
  index::GraphBuildOptions options;
  options.degree = static_cast<uint32_t>(settings.Number("degree", options.degree));
  options.width = static_cast<uint32_t>(settings.Number("width", options.width));
  options.alpha = static_cast<float>(settings.Number("alpha", options.alpha));
  options.threads = static_cast<uint32_t>(settings.Number("threads", options.threads));
  return options;
}

IndexedRows::IndexedRows(Metric metric, std::span<const float> rows, uint32_t dim, uint32_t prefix)
    : metric_(metric), count_(static_cast<uint32_t>(rows.size() / dim)) {
  const double start = WallSeconds();
  std::vector<double> sums(dim);
  for (size_t i = 0; i < rows.size(); ++i) sums[i % dim] += static_cast<double>(rows[i]);
  std::vector<float> centre(dim);
  for (uint32_t d = 0; d < dim; ++d) centre[d] = static_cast<float>(sums[d] / count_);
  if (prefix != 0) FitPrefix(rows, centre, prefix);
  const uint32_t coded = prefix != 0 ? prefix : dim;
  narrow_ = std::make_unique<index::CodeSpace>(index::CodeKind::kU4, kRotationSeed, centre,
                                               fit_ ? std::optional(fit_->prefix) : std::nullopt);
  wide_ = std::make_unique<index::CodeSpace>(index::CodeKind::kU7, kRotationSeed,
                                             std::span(centre).first(coded));
  writer_ = std::make_unique<index::CodeSectionWriter>(*narrow_, count_);
  wide_codes_.resize(count_ * wide_->row_bytes());
  double longest = 0;
  std::vector<double> squares;
  for (uint32_t i = 0; i < count_; ++i) {
    const std::span<const float> row = rows.subspan(size_t{i} * dim, dim);
    writer_->Add(row);
    wide_->Encode(row.first(coded), wide_codes_.data() + i * wide_->row_bytes());
    squares.push_back(
        static_cast<double>(simd::BestKernels().dot.pair(row.data(), row.data(), coded)));
    longest = std::max(longest, squares.back());
  }
  if (metric == Metric::kDot) {
    for (double square : squares) {
      lifts_.push_back(static_cast<float>(std::sqrt(std::max(longest - square, 0.0))));
    }
  }
  encode_s_ = WallSeconds() - start;
}

// As the engine measures it (engine/prefix_choice.h).
void IndexedRows::FitPrefix(std::span<const float> rows, std::span<const float> centre,
                            uint32_t prefix) {
  constexpr uint32_t kQueries = 32;
  constexpr uint32_t kRows = 8192;
  index::PrefixFitter fitter(metric_, centre, prefix);
  auto row = [&](uint32_t i) {
    return rows.subspan(size_t{i % count_} * centre.size(), centre.size());
  };
  for (uint32_t i = 0; i < kQueries; ++i) {
    const uint32_t number = i * (count_ / kQueries);
    std::vector<float> query(row(number).begin(), row(number).end());
    const std::span<const float> other = row(number + count_ / 2);
    for (size_t d = 0; d < query.size(); ++d) query[d] += 0.3f * (other[d] - query[d]);
    if (metric_ == Metric::kCosine) simd::Normalize(query);
    fitter.AddQuery(query);
  }
  for (uint32_t i = 0; i < count_; i += (count_ + kRows - 1) / kRows) fitter.AddRow(row(i));
  fit_ = fitter.Fit();
}

void IndexedRows::Build(const index::GraphBuildOptions& options, bool renumber) {
  const double start = WallSeconds();
  const double start_cpu = ProcessCpuSeconds();
  Finish(MakeGraph(options), renumber);
  build_s_ = WallSeconds() - start;
  build_cpu_s_ = ProcessCpuSeconds() - start_cpu;
}

index::Graph IndexedRows::MakeGraph(const index::GraphBuildOptions& options) const {
  const index::CodeArray wide(*wide_, wide_codes_.data(), count_);
  return Require(index::BuildGraph({wide, lifts_}, options, std::atomic<bool>(false)));
}

void IndexedRows::BuildOrRead(const Settings& settings, const std::string& path) {
  const bool renumber = settings.Number("renumber", 1) != 0;
  if (path.empty()) return Build(BuildOptionsOf(settings), renumber);
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  const Result<index::GraphView> read = index::OpenGraph(std::as_bytes(std::span(bytes)), count_);
  if (read.ok()) {
    return Finish({read->degree,
                   {read->links.begin(), read->links.end()},
                   {read->entries.begin(), read->entries.end()},
                   {},
                   {}},
                  renumber);
  }
  const double start = WallSeconds();
  const double start_cpu = ProcessCpuSeconds();
  index::Graph graph = MakeGraph(BuildOptionsOf(settings));
  build_s_ = WallSeconds() - start;
  build_cpu_s_ = ProcessCpuSeconds() - start_cpu;
  const std::vector<std::byte> encoded = index::EncodeGraph(graph.view());
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(encoded.data()),
             static_cast<std::streamsize>(encoded.size()));
  Finish(std::move(graph), renumber);
}

void IndexedRows::Extend(const IndexedRows& before, std::span<const uint32_t> became,
                         const index::GraphBuildOptions& options) {
  const double start = WallSeconds();
  const double start_cpu = ProcessCpuSeconds();
  std::vector<uint32_t> kept;
  for (uint32_t node = 0; node < before.count(); ++node) {
    kept.push_back(became[before.graph().NumberOf(node)]);
  }
  const index::CodeArray wide(*wide_, wide_codes_.data(), count_);
  Finish(Require(index::ExtendGraph({wide, lifts_}, {before.graph(), kept}, options,
                                    std::atomic<bool>(false))),
         true);
  build_s_ = WallSeconds() - start;
  build_cpu_s_ = ProcessCpuSeconds() - start_cpu;
}

void IndexedRows::Finish(index::Graph graph, bool renumber) {
  graph_ = std::move(graph);
  if (renumber) {
    index::Renumber(graph_);
    writer_->Reorder(graph_.number_of_node);
  }
  view_ = graph_.view();
  code_bytes_ = writer_->Take();
  writer_.reset();
  wide_codes_ = {};
  section_ = Require(index::OpenCodeSection(code_bytes_, narrow_->dim(), count_));
  array_ = std::make_unique<index::CodeArray>(*section_.space, section_.rows, count_);
}

double IndexedRows::mean_degree() const {
  const auto none = std::count(graph_.links.begin(), graph_.links.end(), index::kNoNode);
  return static_cast<double>(graph_.links.size() - static_cast<size_t>(none)) / count_;
}

double IndexedRows::bytes_per_row() const {
  const size_t words =
      graph_.links.size() + graph_.number_of_node.size() + graph_.node_of_number.size();
  return static_cast<double>(section_.space->row_bytes()) +
         static_cast<double>(words * sizeof(uint32_t)) / count_;
}

void RowSearch::Search(size_t q, size_t ef, size_t k, std::vector<uint32_t>& found) {
  const index::CodeQuery query = rows_.space().Prepare(data_.metric, data_.query(q));
  (void)walk_.Run(context_, {rows_.graph(), rows_.codes(), query},
                  {.ef = static_cast<uint32_t>(ef)});
  visits_ += walk_.visits();
  expansions_ += walk_.expansions();
  best_.clear();
  if (rerank_ == 0) {
    CompareWithinSpreads(q, k, query);
  } else {
    CompareFirst(q, std::max(2 * k, static_cast<size_t>(static_cast<double>(ef) / rerank_)));
  }
  compared_ += best_.size();
  const size_t kept = std::min(k, best_.size());
  std::partial_sort(best_.begin(), best_.begin() + static_cast<ptrdiff_t>(kept), best_.end());
  found.clear();
  for (size_t i = 0; i < kept; ++i) found.push_back(best_[i].node);
}

void RowSearch::CompareWithinSpreads(size_t q, size_t k, const index::CodeQuery& query) {
  const bool squared = data_.metric == Metric::kEuclid;
  const auto& kernel = squared ? simd::BestKernels().squared_l2 : simd::BestKernels().dot;
  std::priority_queue<float> nearest;  // the k least distances so far
  for (const index::Candidate& candidate : walk_.found()) {
    const float least = candidate.distance - 3 * rows_.codes().Spread(query, candidate.node);
    if (nearest.size() == k && least > nearest.top()) continue;
    const uint32_t number = rows_.graph().NumberOf(candidate.node);
    const float value = kernel.pair(data_.query(q).data(), data_.row(number).data(), data_.dim);
    best_.push_back({squared ? value : -value, number});
    nearest.push(best_.back().distance);
    if (nearest.size() > k) nearest.pop();
  }
}

void RowSearch::CompareFirst(size_t q, size_t count) {
  const size_t compared = std::min(walk_.found().size(), count);
  numbers_.clear();
  for (size_t i = 0; i < compared; ++i) {
    numbers_.push_back(rows_.graph().NumberOf(walk_.found()[i].node));
  }
  exact_.resize(compared);
  const bool squared = data_.metric == Metric::kEuclid;
  const auto& kernel = squared ? simd::BestKernels().squared_l2 : simd::BestKernels().dot;
  kernel.list(data_.query(q).data(),
              {data_.stored.data(), numbers_.data(), compared, data_.dim, data_.dim},
              exact_.data());
  for (size_t i = 0; i < compared; ++i) {
    best_.push_back({squared ? exact_[i] : -exact_[i], numbers_[i]});
  }
}

}  // namespace akidb::bench
