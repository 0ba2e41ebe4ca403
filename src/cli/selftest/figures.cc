#include "cli/selftest/figures.h"

#include <algorithm>
#include <cmath>

namespace akidb::cli {
namespace {

double Most(const SeriesFigures& series, double BatchFigures::*rate) {
  double most = 0;
  for (const BatchFigures& batch : series.batches) most = std::max(most, batch.*rate);
  return most;
}

}  // namespace

double Percentile(std::vector<double> values, double p) {
  if (values.empty()) return 0;
  const double rank = std::ceil(p / 100 * static_cast<double>(values.size()));
  const size_t index = std::min(values.size(), static_cast<size_t>(std::max(rank, 1.0))) - 1;
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(index), values.end());
  return values[index];
}

double FloorMs(const ModelFigures& model, const SelftestReport& report) {
  if (!report.bandwidth || report.bandwidth->bytes_per_s <= 0) return 0;
  return static_cast<double>(model.graph_bytes) / report.bandwidth->bytes_per_s * 1e3;
}

double FloorTokensPerSecond(const BatchFigures& batch, double floor_ms) {
  return floor_ms > 0 ? batch.tokens / floor_ms * 1e3 : 0;
}

std::optional<double> LowestCosine(const ModelFigures& model) {
  std::optional<double> lowest;
  for (const GoldenFigure& golden : model.golden) {
    if (std::isnan(golden.cosine)) return golden.cosine;
    if (!lowest || golden.cosine < *lowest) lowest = golden.cosine;
  }
  return lowest;
}

double MostTexts(const SeriesFigures& series) { return Most(series, &BatchFigures::texts_per_s); }

double MostTokens(const SeriesFigures& series) { return Most(series, &BatchFigures::tokens_per_s); }

std::optional<BatchFigures> OneText(const SeriesFigures& series) {
  for (const BatchFigures& batch : series.batches) {
    if (batch.texts == 1) return batch;
  }
  return std::nullopt;
}

uint64_t CountedMemory(const ModelFigures& model, const SelftestReport& report) {
  const std::vector<GpuDevice>& devices = report.machine.gpu.devices;
  const bool shared = std::any_of(devices.begin(), devices.end(),
                                  [](const GpuDevice& device) { return device.integrated; });
  return shared ? std::max(model.peak_resident_bytes, model.available_drop_bytes)
                : model.peak_resident_bytes;
}

}  // namespace akidb::cli
