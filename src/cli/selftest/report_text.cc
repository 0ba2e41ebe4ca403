#include <algorithm>

#include <fmt/core.h>

#include "cli/selftest/report.h"

namespace akidb::cli {
namespace {

constexpr char kNotFound[] = "not found";

// One line, and nothing that moves the cursor.
std::string Clean(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return text;
}

std::string Line(std::string_view name, const std::string& value) {
  return fmt::format("{:<14} {}\n", name, value.empty() ? kNotFound : Clean(value));
}

std::string Size(uint64_t bytes) {
  const auto value = static_cast<double>(bytes);
  if (value >= 1e9) return fmt::format("{:.1f} GB", value / 1e9);
  return fmt::format("{:.1f} MB", value / 1e6);
}

// Three digits or more, whatever the size.
std::string Rate(double value) {
  return value < 10 ? fmt::format("{:.2f}", value)
                    : fmt::format("{:.{}f}", value, value < 100 ? 1 : 0);
}

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string ProcessorText(const ProcessorFacts& facts) {
  std::string text = facts.name.empty() ? kNotFound : facts.name;
  text += fmt::format("; {} core{}, {} logical; kernels: {}", facts.physical,
                      facts.physical == 1 ? "" : "s", facts.logical, facts.simd);
  if (facts.largest_cache_bytes > 0) {
    text += "; largest cache " + Size(facts.largest_cache_bytes);
  }
  return text;
}

std::string GpuText(const GpuFacts& facts) {
  std::string out;
  for (const GpuDevice& device : facts.devices) {
    out += Line("GPU", fmt::format("{}, compute capability {}, {}{}", device.name,
                                   device.compute_capability, Size(device.memory_bytes),
                                   device.integrated ? ", shared with the processor" : ""));
  }
  if (facts.devices.empty()) out += Line("GPU", kNotFound + (": " + facts.cuda_problem));
  out += Line("NVIDIA driver", facts.kernel_driver);
  out += Line("CUDA", facts.cuda_version);
  out += Line("TensorRT", facts.tensorrt_version);
  out += Line("Jetson Linux", facts.jetson_linux);
  if (!facts.power_mode.empty()) out += Line("power mode", facts.power_mode);
  return out;
}

std::string RuntimeText(const RuntimeFacts& facts) {
  if (!facts.problem.empty()) return Line("ONNX Runtime", kNotFound + (": " + facts.problem));
  return Line("ONNX Runtime", facts.version + ", " + facts.library) +
         Line("built with",
              Joined(facts.providers) +
                  " (in the library's list, which is no evidence that they work here)");
}

// A line for each provider that the model was tried on.
std::string ProviderText(const ProviderFigures& figures) {
  std::string text = figures.provider;
  if (!figures.variant.empty()) text += " (" + Clean(figures.variant) + ")";
  if (!figures.problem.empty()) return text + ": " + Clean(figures.problem);
  double lowest = 1;
  for (const GoldenFigure& golden : figures.golden) lowest = std::min(lowest, golden.cosine);
  text += fmt::format(": lowest cosine {:.5f}", lowest);
  if (figures.cosine_to_last == 0) return text;
  return text + fmt::format(", {:.5f} to the last one's whole vectors", figures.cosine_to_last);
}

// ", 284 nodes", and of which provider where there are several.
std::string NodesText(const std::vector<embedding::NodeCount>& nodes) {
  std::string text;
  for (const embedding::NodeCount& count : nodes) {
    text += fmt::format(", {} nodes", count.nodes);
    if (nodes.size() > 1) text += " by " + Clean(count.provider);
  }
  return text;
}

std::string GoldenText(const ModelFigures& model) {
  const std::optional<double> lowest = LowestCosine(model);
  if (!lowest) return kNotFound;
  double demanded = 0;
  for (const GoldenFigure& golden : model.golden) demanded = std::max(demanded, golden.min_cosine);
  return fmt::format("{}, lowest cosine {:.5f}, {} demanded", model.golden.size(), *lowest,
                     demanded);
}

std::string TableOf(std::string_view title, const SeriesFigures& series, double floor_ms) {
  if (series.batches.empty()) return "";
  std::string out =
      fmt::format("  {} of {} tokens\n  {:>6} {:>9} {:>9} {:>10} {:>10} {:>9} {:>9}\n", title,
                  series.text_tokens, "texts", "p50 ms", "p95 ms", "texts/s", "tokens/s",
                  "tok/text", "of floor");
  for (const BatchFigures& batch : series.batches) {
    const double floor = FloorTokensPerSecond(batch, floor_ms);
    out += fmt::format("  {:>6} {:>9.2f} {:>9.2f} {:>10} {:>10} {:>9.1f} {:>9}\n", batch.texts,
                       batch.p50_ms, batch.p95_ms, Rate(batch.texts_per_s),
                       Rate(batch.tokens_per_s), batch.tokens / batch.texts,
                       floor > 0 ? fmt::format("{:.1f} %", batch.tokens_per_s / floor * 100) : "-");
  }
  return out;
}

}  // namespace

std::string MachineText(const SelftestReport& report) {
  const MachineFacts& machine = report.machine;
  std::string out = Line("processor", ProcessorText(machine.processor));
  if (!machine.processor.board.empty()) out += Line("board", machine.processor.board);
  out += Line("memory", machine.memory_bytes == 0
                            ? ""
                            : fmt::format("{}, {} available", Size(machine.memory_bytes),
                                          Size(machine.available_bytes)));
  if (report.bandwidth) {
    out += Line("reads memory",
                fmt::format("{:.1f} GB/s, {} thread{}, in a buffer of {}",
                            report.bandwidth->bytes_per_s / 1e9, report.bandwidth->threads,
                            report.bandwidth->threads == 1 ? "" : "s",
                            Size(report.bandwidth->buffer_bytes)));
  }
  out += GpuText(machine.gpu) + RuntimeText(report.runtime);
  return out + Line("models", report.models_dir);
}

std::string ModelText(const ModelFigures& model, const SelftestReport& report) {
  std::string out = "\n" + Clean(model.id) + "\n";
  const auto line = [&](std::string_view name, const std::string& value) {
    out += "  " + Line(name, value);
  };
  if (!model.problem.empty()) line("FAILED", model.problem);
  if (model.load_ms <= 0) return out;
  line("runs on", model.provider + NodesText(model.nodes));
  line("loaded in", fmt::format("{:.0f} ms", model.load_ms));
  line("golden texts", GoldenText(model));
  for (const ProviderFigures& provider : model.providers) line("on", ProviderText(provider));
  const double floor_ms = FloorMs(model, report);
  line("weights",
       fmt::format("{}{}", Size(model.graph_bytes),
                   floor_ms > 0 ? fmt::format(", read once in {:.2f} ms at best", floor_ms) : ""));
  if (model.peak_resident_bytes > 0) {
    line("memory", fmt::format("{} at most, {} before it was loaded; the machine's fell by {}",
                               Size(model.peak_resident_bytes), Size(model.resident_before_bytes),
                               Size(model.available_drop_bytes)));
  }
  out += TableOf("queries", model.queries, floor_ms);
  return out + TableOf("passages", model.passages, floor_ms);
}

std::string VerdictText(const Verdict& verdict) {
  std::string out = "\ngate " + Clean(verdict.gate) + "\n";
  for (const Finding& finding : verdict.findings) {
    out += fmt::format("  {} {}\n", finding.passed ? "pass" : "FAIL", Clean(finding.text));
  }
  return out + (verdict.passed() ? "  passed\n" : "  not passed\n");
}

}  // namespace akidb::cli
