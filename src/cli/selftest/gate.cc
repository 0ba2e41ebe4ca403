#include "cli/selftest/gate.h"

#include <algorithm>

#include <fmt/core.h>

#include "embedding/manifest.h"
#include "embedding/provider.h"

namespace akidb::cli {
namespace {

constexpr std::string_view kAnyModel = "*";
// Of the graph's nodes; those that work on shapes are left to the processor on purpose.
constexpr double kGpuShareMin = 0.5;

bool IsGpuProvider(std::string_view runtime_name) {
  return std::any_of(embedding::kProviders.begin(), embedding::kProviders.end(),
                     [&](const embedding::ProviderName& name) {
                       return name.runtime == runtime_name && RunsOnGpu(name.provider);
                     });
}

struct Bound {
  std::string_view what;
  std::string_view unit;
  std::optional<double> measured;
  std::optional<double> limit;
  bool at_most = true;
};

std::string Shown(double value, std::string_view unit) {
  if (unit == "MB") return fmt::format("{:.0f} MB", value / 1e6);
  if (unit.empty()) return fmt::format("{:.4f}", value);
  return fmt::format("{:.{}f} {}", value, value < 100 ? 2 : 0, unit);
}

// Nothing where there is no limit.
void Hold(const std::string& model, const Bound& bound, std::vector<Finding>& findings) {
  if (!bound.limit) return;
  const std::string limit =
      fmt::format("{} {}", bound.at_most ? "at most" : "at least", Shown(*bound.limit, bound.unit));
  if (!bound.measured) {
    findings.push_back(
        {false, fmt::format("{}: {} was not measured, {} is asked for", model, bound.what, limit)});
    return;
  }
  // A NaN passes neither.
  const bool passed =
      bound.at_most ? *bound.measured <= *bound.limit : *bound.measured >= *bound.limit;
  findings.push_back({passed, fmt::format("{}: {} {}, {}", model, bound.what,
                                          Shown(*bound.measured, bound.unit), limit)});
}

std::optional<double> UnlessZero(double value) {
  return value > 0 ? std::optional(value) : std::nullopt;
}

void JudgeModel(const ModelFigures& model, const Thresholds& limits, const SelftestReport& report,
                std::vector<Finding>& findings) {
  if (!model.problem.empty()) {
    findings.push_back({false, model.id + ": " + model.problem});
    return;
  }
  const std::optional<BatchFigures> one = OneText(model.queries);
  const auto of_one = [&](double BatchFigures::*value) {
    return one ? std::optional((*one).*value) : std::nullopt;
  };
  const Bound bounds[] = {
      {"query p50", "ms", of_one(&BatchFigures::p50_ms), limits.query_p50_ms_max},
      {"query p95", "ms", of_one(&BatchFigures::p95_ms), limits.query_p95_ms_max},
      {"queries", "per second", UnlessZero(MostTexts(model.queries)), limits.queries_per_s_min,
       false},
      {"passages", "tokens per second", UnlessZero(MostTokens(model.passages)),
       limits.tokens_per_s_min, false},
      {"lowest cosine of the golden texts", "", LowestCosine(model), limits.golden_cosine_min,
       false},
      {"memory", "MB", UnlessZero(static_cast<double>(CountedMemory(model, report))),
       limits.memory_bytes_max},
  };
  for (const Bound& bound : bounds) Hold(model.id, bound, findings);
}

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " or ") + word;
  return text;
}

// The name alone proves little: a provider leaves what it hasn't to the processor.
Finding RanOnGpu(const ModelFigures& model) {
  const std::string asked = model.id + ": a GPU's provider is asked for, it ran on ";
  if (!IsGpuProvider(model.provider)) {
    return {false, asked + (model.provider.empty() ? "none" : model.provider)};
  }
  if (model.nodes.empty()) {
    return {true, asked + model.provider + ", of how many nodes the library doesn't tell"};
  }
  double share = 0;
  for (const embedding::NodeCount& count : model.nodes) {
    if (IsGpuProvider(count.provider)) share += ShareOf(count.provider, model.nodes);
  }
  return {share >= kGpuShareMin,
          asked + fmt::format("{} with {:.0f} % of its nodes on GPU providers, at least {:.0f} %",
                              model.provider, 100 * share, 100 * kGpuShareMin)};
}

// What the gate asks of the machine and of how models ran.
std::vector<Finding> Preconditions(const Gate& gate, const SelftestReport& report) {
  std::vector<Finding> findings;
  if (!gate.compute_capabilities.empty()) {
    std::string found;
    bool passed = false;
    for (const GpuDevice& device : report.machine.gpu.devices) {
      found += (found.empty() ? "" : ", ") + device.name + " with " + device.compute_capability;
      passed = passed || std::count(gate.compute_capabilities.begin(),
                                    gate.compute_capabilities.end(), device.compute_capability) > 0;
    }
    if (found.empty()) found = "no GPU (" + report.machine.gpu.cuda_problem + ")";
    findings.push_back({passed, "the machine: a GPU of compute capability " +
                                    Joined(gate.compute_capabilities) + " is asked for, found " +
                                    found});
  }
  if (gate.on_gpu) {
    for (const ModelFigures& model : report.models) {
      findings.push_back(RanOnGpu(model));
    }
  }
  if (report.models.empty()) findings.push_back({false, "no model was measured"});
  return findings;
}

const Thresholds* LimitsOf(const Gate& gate, const std::string& id) {
  const Thresholds* any = nullptr;
  for (const auto& [name, limits] : gate.models) {
    if (embedding::FoldName(name) == embedding::FoldName(id)) return &limits;
    if (name == kAnyModel) any = &limits;
  }
  return any;
}

bool Measured(const SelftestReport& report, const std::string& name) {
  return std::any_of(report.models.begin(), report.models.end(), [&](const ModelFigures& model) {
    return embedding::FoldName(model.id) == embedding::FoldName(name);
  });
}

}  // namespace

bool Thresholds::empty() const {
  return !query_p50_ms_max && !query_p95_ms_max && !queries_per_s_min && !tokens_per_s_min &&
         !golden_cosine_min && !memory_bytes_max;
}

bool Verdict::passed() const {
  return !findings.empty() && std::all_of(findings.begin(), findings.end(),
                                          [](const Finding& finding) { return finding.passed; });
}

std::optional<Gate> BuiltInGate(std::string_view name) {
  Gate gate;
  gate.name = name;
  gate.on_gpu = true;
  Thresholds limits;
  if (name == "orin") {
    gate.compute_capabilities = {"8.7"};
    limits.query_p95_ms_max = 100;
    limits.queries_per_s_min = 10;
    limits.golden_cosine_min = 0.95;
  } else if (name == "thor") {
    // 10.1 is what CUDA 12 calls it.
    gate.compute_capabilities = {"11.0", "10.1"};
    gate.needs_memory_budget = true;
    limits.query_p95_ms_max = 30;
    limits.queries_per_s_min = 50;
    limits.golden_cosine_min = 0.98;
  } else {
    return std::nullopt;
  }
  gate.models.emplace_back(kAnyModel, limits);
  return gate;
}

Verdict Judge(const Gate& gate, const SelftestReport& report) {
  Verdict verdict;
  verdict.gate = gate.name;
  verdict.findings = Preconditions(gate, report);
  if (!verdict.findings.empty() && !verdict.passed()) {
    verdict.findings.push_back({false,
                                "no threshold is judged: the figures don't come from what "
                                "the gate is for"});
    return verdict;
  }
  for (const auto& [name, limits] : gate.models) {
    if (name == kAnyModel || Measured(report, name)) continue;
    verdict.findings.push_back({false, name + ": the gate names it, but it was not measured"});
  }
  size_t judged = 0;
  for (const ModelFigures& model : report.models) {
    const Thresholds* limits = LimitsOf(gate, model.id);
    if (limits == nullptr) continue;
    ++judged;
    JudgeModel(model, *limits, report, verdict.findings);
  }
  if (judged == 0) {
    verdict.findings.push_back({false, "the gate has no thresholds for any model measured"});
  }
  return verdict;
}

}  // namespace akidb::cli
