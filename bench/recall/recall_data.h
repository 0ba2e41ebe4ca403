// Vectors to measure an index with: read from a file or generated, some of them stored and some
// asked, and what is true of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "types/metric.h"

namespace akidb::bench {

// Of this thread: on a machine that others use, too, the wall clock measures them.
double CpuSeconds();
double WallSeconds();

// key=value arguments.
struct Settings {
  std::map<std::string, std::string> values;

  std::string Text(const std::string& key, const std::string& fallback) const;
  double Number(const std::string& key, double fallback) const;
};

// FILE DIM [key=value…]; ends the program with a line about the usage where they are others.
struct Arguments {
  std::string file;
  uint32_t dim = 0;
  Settings settings;
};
Arguments ParseArguments(int argc, char** argv);

struct Data {
  Metric metric = Metric::kCosine;
  uint32_t dim = 0;
  uint32_t rows = 0;
  uint32_t queries = 0;
  std::vector<float> stored;                 // rows x dim
  std::vector<float> asked;                  // queries x dim
  std::vector<std::vector<uint32_t>> truth;  // of each query its k nearest, in any order

  std::span<const float> row(size_t i) const { return {stored.data() + i * dim, dim}; }
  std::span<const float> query(size_t i) const { return {asked.data() + i * dim, dim}; }
};

// `file` holds rows x dim float32, little-endian, or is "text-like:N": N generated rows with a
// spectrum like that of embedded text, i^-decay, in clusters of two scales. Settings: rows (0:
// all), decay (0.6: with the first components the greatest, as in Matryoshka embeddings), queries
// (1000, at most a tenth of the rows: not stored but asked), metric (cosine|dot|euclid), shift (0:
// of each query, this part is replaced by one direction that all queries share, drawn at random:
// queries from elsewhere), asked (a file like `file`, whose first rows are asked instead).
Data LoadData(const Arguments& arguments);

// Distances are smaller for what is nearer.
void FindTruth(Data& data, size_t k);
double RecallOf(const Data& data, size_t query, std::span<const uint32_t> found);

double Median(std::vector<double> values);

}  // namespace akidb::bench
