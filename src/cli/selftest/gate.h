// Judges a self-test: what must be so for a machine to be good enough.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "cli/selftest/figures.h"

namespace akidb::cli {

// What isn't given isn't judged. A value at a bound passes.
struct Thresholds {
  std::optional<double> query_p50_ms_max;  // of requests with one query
  std::optional<double> query_p95_ms_max;
  std::optional<double> queries_per_s_min;  // of the best request size
  std::optional<double> tokens_per_s_min;   // likewise, of passages
  std::optional<double> golden_cosine_min;
  std::optional<double> memory_bytes_max;
  bool empty() const;
};

struct Gate {
  std::string name;
  // What the figures must come from to mean anything.
  std::vector<std::string> compute_capabilities;  // one of them; empty: any machine will do
  bool on_gpu = false;                            // the models ran on a GPU's provider
  bool needs_memory_budget = false;               // memory_bytes_max comes from the caller
  // By the model's id; "*" is for those that have no entry of their own.
  std::vector<std::pair<std::string, Thresholds>> models;
};

// "orin" and "thor", as docs/ops/selftest.md shows them; nullopt: another name.
std::optional<Gate> BuiltInGate(std::string_view name);

// kMalformed (not JSON) or kValidation (with the member's path): unknown, missing or wrong members.
Result<Gate> ParseGate(std::string_view json);

struct Finding {
  bool passed = false;
  std::string text;  // "all-minilm-l6-v2: query p95 4.1 ms, at most 30 ms"
};

struct Verdict {
  std::string gate;
  std::vector<Finding> findings;  // never none
  bool passed() const;            // all of them
};

// Where the gate's own requirements aren't met no model is judged: the figures would say nothing.
Verdict Judge(const Gate& gate, const SelftestReport& report);

}  // namespace akidb::cli
