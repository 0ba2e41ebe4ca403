// What a self-test has measured: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/selftest/machine.h"
#include "cli/selftest/read_bandwidth.h"
#include "embedding/provider_state.h"

namespace akidb::cli {

// Requests of one size, one after another.
struct BatchFigures {
  uint32_t texts = 0;     // of a request
  uint64_t requests = 0;  // that were timed
  double tokens = 0;      // of a request, as run: with special tokens and prompt; the mean
  double p50_ms = 0;
  double p95_ms = 0;
  double texts_per_s = 0;
  double tokens_per_s = 0;
};

// Requests with texts of one length.
struct SeriesFigures {
  uint32_t text_tokens = 0;  // that texts were made for, without special tokens and prompt
  std::vector<BatchFigures> batches;
};

struct GoldenFigure {
  double cosine = 0;
  double min_cosine = 0;  // that the manifest demands
};

// A model on one execution provider.
struct ProviderFigures {
  std::string provider;
  std::string variant;  // empty: the model's own graph
  std::string problem;  // why it can't run there
  std::vector<GoldenFigure> golden;
  // The lowest cosine of a golden text's whole vector to that of the last provider of the list that
  // could run, which is the processor; 0: not compared.
  double cosine_to_last = 0;
};

struct ModelFigures {
  std::string id;
  std::string problem;  // why it can't be used; what stands below was measured before
  std::string provider;
  uint64_t graph_bytes = 0;
  std::vector<embedding::NodeCount> nodes;      // of its graph, by whom they were run
  std::vector<embedding::ProviderState> found;  // what it told of its providers once loaded
  std::vector<ProviderFigures> providers;       // the preferred one first
  double load_ms = 0;                           // checksums, making the session, golden texts
  std::vector<GoldenFigure> golden;
  SeriesFigures queries;
  SeriesFigures passages;
  uint64_t resident_before_bytes = 0;
  uint64_t peak_resident_bytes = 0;  // of the process while the model was there
  // How much less memory the machine had at the lowest than before. Counts what a GPU takes of it,
  // and what other processes took meanwhile.
  uint64_t available_drop_bytes = 0;
};

struct RuntimeFacts {
  std::string library;
  std::string version;
  std::vector<std::string> providers;  // that the library was built with
  std::string problem;                 // why there is none
};

struct SelftestReport {
  MachineFacts machine;
  RuntimeFacts runtime;
  std::string models_dir;
  bool quick = false;
  bool interrupted = false;
  std::optional<ReadBandwidth> bandwidth;
  std::vector<ModelFigures> models;
};

// The p-th percentile (0 < p <= 100) by nearest rank: the smallest value that at least p percent of
// all don't exceed. 0 of none.
double Percentile(std::vector<double> values, double p);

// Least time of a run that reads the weights once, in milliseconds; 0: not known.
double FloorMs(const ModelFigures& model, const SelftestReport& report);
// Tokens per second if every request took no longer than that.
double FloorTokensPerSecond(const BatchFigures& batch, double floor_ms);

// The smallest cosine of the golden texts, NaN if one is; nothing where none was embedded.
std::optional<double> LowestCosine(const ModelFigures& model);
// The most texts, or tokens, per second of any request size; 0 of none.
double MostTexts(const SeriesFigures& series);
double MostTokens(const SeriesFigures& series);
// Of requests with one text.
std::optional<BatchFigures> OneText(const SeriesFigures& series);
// What counts against a budget: the peak, and where a GPU shares the machine's memory what went
// from there if that was more.
uint64_t CountedMemory(const ModelFigures& model, const SelftestReport& report);

}  // namespace akidb::cli
