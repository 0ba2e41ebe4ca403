// The picture of `akidb bench`: recall against queries a second, as SVG.
#pragma once

#include <string>
#include <vector>

#include "cli/bench_sweep.h"

namespace akidb::cli {

struct ChartText {
  std::string title;
  std::string subtitle;
  size_t k = 10;
};

// One line a series. Speed is on a logarithmic scale, and so is 1 - recall, because 0.99 is as far
// from 0.9 as 0.999 is from 0.99 to whoever misses something. Recall below 0.5 is left out. Speeds
// are those of processor time where every series has them. Readable on light and on dark ground,
// and without telling colours apart. Thread-safe.
std::string DrawChart(const std::vector<BenchSeries>& series, const ChartText& text);

}  // namespace akidb::cli
