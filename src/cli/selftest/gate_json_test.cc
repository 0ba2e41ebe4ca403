#include <gtest/gtest.h>

#include "cli/selftest/gate.h"

namespace akidb::cli {
namespace {

TEST(ParseGate, ReadsAllMembers) {
  const Result<Gate> gate = ParseGate(R"({
    "requires": {"compute_capability": ["8.7", "11.0"], "gpu_provider": true},
    "models": {
      "*": {"query_p95_ms_max": 30},
      "small": {"query_p50_ms_max": 1, "query_p95_ms_max": 2.5, "queries_per_s_min": 3,
                "tokens_per_s_min": 4, "golden_cosine_min": 1, "memory_bytes_max": 8000000000}}})");
  ASSERT_TRUE(gate.ok()) << gate.status().message();
  EXPECT_EQ(gate->compute_capabilities, (std::vector<std::string>{"8.7", "11.0"}));
  EXPECT_TRUE(gate->on_gpu);
  ASSERT_EQ(gate->models.size(), 2u);
  EXPECT_EQ(gate->models[0].first, "*");
  EXPECT_FALSE(gate->models[0].second.query_p50_ms_max);
  const Thresholds& limits = gate->models[1].second;
  EXPECT_EQ(limits.query_p50_ms_max, 1);
  EXPECT_EQ(limits.query_p95_ms_max, 2.5);
  EXPECT_EQ(limits.queries_per_s_min, 3);
  EXPECT_EQ(limits.tokens_per_s_min, 4);
  EXPECT_EQ(limits.golden_cosine_min, 1);
  EXPECT_EQ(limits.memory_bytes_max, 8e9);
}

TEST(ParseGate, SaysWhatIsWrongAndWhere) {
  const std::pair<std::string, std::string> wrong[] = {
      {"", "it is not JSON"},
      {"{", "it is not JSON"},
      {"[]", "it must be an object"},
      {"{}", "`models` is missing"},
      {R"({"models": []})", "`models` must be an object"},
      {R"({"models": {}})", "`models` names no model"},
      {R"({"model": {}})", "`model` is not known"},
      {R"({"models": {"a": 1}})", "`models.a` must be an object"},
      {R"({"models": {"a": {}}})", "`models.a` has no threshold"},
      {R"({"models": {"a": {"p95": 1}}})", "`models.a.p95` is not known; known are query_p50"},
      {R"({"models": {"a": {"query_p95_ms_max": "1"}}})", "must be a number above 0"},
      {R"({"models": {"a": {"query_p95_ms_max": 0}}})", "must be a number above 0"},
      {R"({"models": {"a": {"query_p95_ms_max": -3}}})", "must be a number above 0"},
      {R"({"models": {"a": {"query_p95_ms_max": 1e30}}})", "must be a number above 0"},
      {R"({"models": {"a": {"query_p95_ms_max": null}}})", "must be a number above 0"},
      {R"({"models": {"a": {"golden_cosine_min": 1.5}}})", "above 0 and at most 1"},
      {R"({"models": {"a": {"query_p95_ms_max": 1, "query_p95_ms_max": 2}}})", "is given twice"},
      {R"({"models": {"a": {"query_p95_ms_max": 1}, "a": {"query_p95_ms_max": 1}}})",
       "`models.a` is given twice"},
      {R"({"models": {"a": {"query_p95_ms_max": 1}}, "requires": 1})", "`requires` must be"},
      {R"({"models": {"a": {"query_p95_ms_max": 1}}, "requires": {"gpu": true}})",
       "`requires.gpu` is not known"},
      {R"({"models": {"a": {"query_p95_ms_max": 1}}, "requires": {"gpu_provider": 1}})",
       "must be true or false"},
      {R"({"models": {"a": {"query_p95_ms_max": 1}}, "requires": {"compute_capability": []}})",
       "an array of 1 to 32 strings"},
      {R"({"models": {"a": {"query_p95_ms_max": 1}}, "requires": {"compute_capability": ["x"]}})",
       "strings such as"},
      {R"({"models": {"a": {"query_p95_ms_max": 1}}, "requires": {"compute_capability": [8.7]}})",
       "strings such as"},
  };
  for (const auto& [json, message] : wrong) {
    const Result<Gate> gate = ParseGate(json);
    ASSERT_FALSE(gate.ok()) << json;
    EXPECT_NE(gate.status().message().find(message), std::string::npos) << json << "\n"
                                                                        << gate.status().message();
  }
}

}  // namespace
}  // namespace akidb::cli
