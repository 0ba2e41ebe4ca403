#include "recall_data.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <numeric>
#include <random>
#include <set>
#include <thread>

#include "simd/kernels.h"

namespace akidb::bench {
namespace {

constexpr const char* kGenerated = "text-like:";
constexpr size_t kRowsPerSeed = 8192;

[[noreturn]] void Fail(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  std::exit(2);
}

// Rows come in blocks with a seed each, so that the first ones are the same however many there are.
class TextLike {
 public:
  TextLike(uint32_t dim, float decay) : dim_(dim), spectrum_(dim) {
    for (uint32_t i = 0; i < dim; ++i) {
      spectrum_[i] = std::pow(static_cast<float>(i + 1), -decay);
    }
    std::mt19937_64 random(5);
    std::normal_distribution<float> normal;
    for (std::vector<float>* values : {&coarse_, &fine_, &mean_}) {
      values->resize(size_t{dim} * (values == &mean_ ? 1 : values == &fine_ ? kFine : kCoarse));
      for (float& value : *values) value = normal(random);
    }
  }

  void Fill(size_t block, std::span<float> rows) const {
    std::mt19937_64 random(1000 + block);
    std::normal_distribution<float> normal;
    for (size_t at = 0; at < rows.size(); at += dim_) {
      const float* const coarse = coarse_.data() + random() % kCoarse * dim_;
      const float* const fine = fine_.data() + random() % kFine * dim_;
      for (uint32_t d = 0; d < dim_; ++d) {
        rows[at + d] = spectrum_[d] * (0.5f * mean_[d] + 0.6f * coarse[d] + 0.6f * fine[d] +
                                       0.8f * normal(random));
      }
    }
  }

 private:
  static constexpr size_t kCoarse = 200;
  static constexpr size_t kFine = 5000;

  const uint32_t dim_;
  std::vector<float> spectrum_;
  std::vector<float> coarse_;
  std::vector<float> fine_;
  std::vector<float> mean_;
};

// `work` for first, first + 1, … until `end`, on two threads.
template <typename Work>
void InTwo(size_t end, Work work) {
  std::thread other([&] {
    for (size_t i = 0; i < end; i += 2) work(i);
  });
  for (size_t i = 1; i < end; i += 2) work(i);
  other.join();
}

std::vector<float> Generate(size_t rows, uint32_t dim, float decay) {
  const TextLike generator(dim, decay);
  std::vector<float> all(rows * dim);
  const size_t block = kRowsPerSeed * dim;
  InTwo((all.size() + block - 1) / block, [&](size_t i) {
    generator.Fill(i, std::span(all).subspan(i * block, std::min(block, all.size() - i * block)));
  });
  return all;
}

std::vector<float> ReadRows(const std::string& path, size_t rows_max, uint32_t dim) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) Fail("can't open " + path);
  const size_t rows = std::min(static_cast<size_t>(file.tellg()) / (dim * sizeof(float)), rows_max);
  std::vector<float> all(rows * dim);
  file.seekg(0);
  file.read(reinterpret_cast<char*>(all.data()),
            static_cast<std::streamsize>(all.size() * sizeof(float)));
  return all;
}

void Shift(Data& data, float share) {
  std::vector<float> direction(data.dim);
  std::mt19937_64 random(11);
  std::normal_distribution<float> normal;
  for (float& value : direction) value = normal(random);
  simd::Normalize(direction);
  for (uint32_t q = 0; q < data.queries; ++q) {
    const std::span<float> query(data.asked.data() + size_t{q} * data.dim, data.dim);
    for (uint32_t d = 0; d < data.dim; ++d) {
      query[d] = (1 - share) * query[d] + share * direction[d];
    }
    if (data.metric == Metric::kCosine) simd::Normalize(query);
  }
}

}  // namespace

double CpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double WallSeconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string Settings::Text(const std::string& key, const std::string& fallback) const {
  auto it = values.find(key);
  return it == values.end() ? fallback : it->second;
}

double Settings::Number(const std::string& key, double fallback) const {
  auto it = values.find(key);
  return it == values.end() ? fallback : std::stod(it->second);
}

Arguments ParseArguments(int argc, char** argv) {
  const std::string usage = std::string("usage: ") + argv[0] + " FILE DIM [key=value…]";
  if (argc < 3) Fail(usage);
  Arguments arguments;
  arguments.file = argv[1];
  arguments.dim = static_cast<uint32_t>(std::stoul(argv[2]));
  for (int i = 3; i < argc; ++i) {
    const std::string argument = argv[i];
    const size_t equals = argument.find('=');
    if (equals == std::string::npos) Fail(usage);
    arguments.settings.values[argument.substr(0, equals)] = argument.substr(equals + 1);
  }
  return arguments;
}

Data LoadData(const Arguments& arguments) {
  const Settings& settings = arguments.settings;
  const uint32_t dim = arguments.dim;
  auto rows_max = static_cast<size_t>(settings.Number("rows", 0));
  if (rows_max == 0) rows_max = SIZE_MAX;
  std::vector<float> all;
  if (arguments.file.starts_with(kGenerated)) {
    const size_t rows = std::stoul(arguments.file.substr(std::string(kGenerated).size()));
    all =
        Generate(std::min(rows, rows_max), dim, static_cast<float>(settings.Number("decay", 0.6)));
  } else {
    all = ReadRows(arguments.file, rows_max, dim);
  }
  const size_t count = all.size() / dim;
  Data data;
  data.dim = dim;
  const std::string metric = settings.Text("metric", "cosine");
  data.metric = metric == "euclid" ? Metric::kEuclid
                : metric == "dot"  ? Metric::kDot
                                   : Metric::kCosine;
  if (data.metric == Metric::kCosine) {
    for (size_t i = 0; i < count; ++i) simd::Normalize({all.data() + i * dim, dim});
  }
  // Neighbours in the file are neighbours in their text: queries are drawn from everywhere.
  std::mt19937_64 random(7);
  for (size_t i = count; i > 1; --i) {
    const size_t other = random() % i;
    std::swap_ranges(all.begin() + static_cast<ptrdiff_t>((i - 1) * dim),
                     all.begin() + static_cast<ptrdiff_t>(i * dim),
                     all.begin() + static_cast<ptrdiff_t>(other * dim));
  }
  data.queries = static_cast<uint32_t>(
      std::min<size_t>(static_cast<size_t>(settings.Number("queries", 1000)), count / 10));
  data.rows = static_cast<uint32_t>(count) - data.queries;
  data.stored.assign(all.begin(), all.begin() + static_cast<ptrdiff_t>(size_t{data.rows} * dim));
  data.asked.assign(all.begin() + static_cast<ptrdiff_t>(size_t{data.rows} * dim), all.end());
  if (const std::string asked = settings.Text("asked", ""); !asked.empty()) {
    data.asked = ReadRows(asked, data.queries, dim);
    data.queries = static_cast<uint32_t>(data.asked.size() / dim);
    if (data.metric == Metric::kCosine) {
      for (size_t i = 0; i < data.queries; ++i) {
        simd::Normalize({data.asked.data() + i * dim, dim});
      }
    }
  }
  if (settings.Number("shift", 0) > 0) {
    Shift(data, static_cast<float>(settings.Number("shift", 0)));
  }
  return data;
}

void FindTruth(Data& data, size_t k) {
  data.truth.resize(data.queries);
  const simd::Kernels& kernels = simd::BestKernels();
  const auto& kernel = data.metric == Metric::kEuclid ? kernels.squared_l2 : kernels.dot;
  InTwo(data.queries, [&](size_t q) {
    std::vector<float> distances(data.rows);
    const simd::RowBlock block{data.stored.data(), data.rows, data.dim, data.dim};
    kernel.block(data.query(q).data(), block, distances.data());
    if (data.metric != Metric::kEuclid) {
      for (float& distance : distances) distance = -distance;
    }
    std::vector<uint32_t> order(data.rows);
    std::iota(order.begin(), order.end(), 0);
    std::partial_sort(order.begin(), order.begin() + static_cast<ptrdiff_t>(k), order.end(),
                      [&](uint32_t a, uint32_t b) { return distances[a] < distances[b]; });
    data.truth[q].assign(order.begin(), order.begin() + static_cast<ptrdiff_t>(k));
  });
}

double RecallOf(const Data& data, size_t query, std::span<const uint32_t> found) {
  const std::set<uint32_t> wanted(data.truth[query].begin(), data.truth[query].end());
  size_t hits = 0;
  for (uint32_t row : found) hits += wanted.count(row);
  return static_cast<double>(hits) / static_cast<double>(wanted.size());
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace akidb::bench
