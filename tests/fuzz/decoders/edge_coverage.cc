#include "edge_coverage.h"

#include <cstdint>
#include <cstring>
#include <vector>

namespace {

// An edge is two places, one after the other. Two edges may share a bit: then one is not seen.
constexpr size_t kEdgesMax = size_t{1} << 16;
uint8_t g_taken[kEdgesMax];
uint8_t g_known[kEdgesMax];
uint32_t g_touched[kEdgesMax];
size_t g_touched_count = 0;
size_t g_edges = 0;
uintptr_t g_before = 0;

}  // namespace

// Called by the instrumented sources at every edge.
extern "C" void __sanitizer_cov_trace_pc();
extern "C" void __sanitizer_cov_trace_pc() {
  const auto place = reinterpret_cast<uintptr_t>(__builtin_return_address(0));
  const size_t edge = ((place ^ (g_before << 1)) * 0x9E3779B97F4A7C15) >> 48;
  g_before = place;
  if (g_taken[edge] != 0) return;
  g_taken[edge] = 1;
  g_touched[g_touched_count++] = static_cast<uint32_t>(edge);
}

namespace akidb::fuzz {

void BeginRun() {
  for (size_t i = 0; i < g_touched_count; ++i) g_taken[g_touched[i]] = 0;
  g_touched_count = 0;
  g_before = 0;
}

size_t CountNewEdges() {
  size_t fresh = 0;
  for (size_t i = 0; i < g_touched_count; ++i) {
    uint8_t& known = g_known[g_touched[i]];
    fresh += known == 0 ? 1 : 0;
    known = 1;
  }
  g_edges += fresh;
  return fresh;
}

size_t CountEdges() { return g_edges; }

}  // namespace akidb::fuzz
