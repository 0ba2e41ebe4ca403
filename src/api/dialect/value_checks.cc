#include "api/dialect/value_checks.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>
#include <vector>

namespace akidb::dialect {

Status FlawError(const FieldFlaw& flaw) {
  return ValidationError("[" + std::string(flaw.field) + ": " + std::string(flaw.text) + "]");
}

std::optional<FieldFlaw> FlawOfSparse(std::span<const uint32_t> indices, size_t values_count) {
  if (indices.size() != values_count) {
    return FieldFlaw{"values", "must be the same length as indices"};
  }
  std::vector<uint32_t> sorted(indices.begin(), indices.end());
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) {
    return FieldFlaw{"indices", "must be unique"};
  }
  return std::nullopt;
}

std::optional<FieldFlaw> FlawOfDecay(const Decay& decay) {
  const bool linear = decay.op == FormulaOperator::kLinearDecay;
  if (linear && !(decay.midpoint >= 0 && decay.midpoint <= 1)) {
    return FieldFlaw{"midpoint", "Linear decay midpoint should be in the range [0.0, 1.0]"};
  }
  if (!linear && !(decay.midpoint > 0 && decay.midpoint < 1)) {
    return FieldFlaw{"midpoint", "Decay midpoint should be in the range (0.0, 1.0)"};
  }
  if (!(decay.scale > 0)) return FieldFlaw{"scale", "Decay scale should be non-zero positive"};
  return std::nullopt;
}

double FactorOf(const Decay& decay) {
  if (decay.op == FormulaOperator::kLinearDecay) return (1 - decay.midpoint) / decay.scale;
  const double factor = std::log(decay.midpoint) / decay.scale;
  return decay.op == FormulaOperator::kExponentialDecay ? factor : factor / decay.scale;
}

Result<size_t> ScoreIndexOf(std::string_view name) {
  constexpr std::string_view kScore = "$score";
  size_t index = 0;
  if (!name.starts_with(kScore)) {
    return MalformedError("Invalid reserved word: " + std::string(name));
  }
  const std::string_view rest = name.substr(kScore.size());
  if (rest.empty()) return index;
  if (rest.front() == '[' && rest.back() == ']') {
    const char* const end = rest.data() + rest.size() - 1;
    const auto read = std::from_chars(rest.data() + 1, end, index);
    if (read.ec == std::errc() && read.ptr == end) return index;
  }
  return MalformedError("Invalid reserved variable: " + std::string(name));
}

}  // namespace akidb::dialect
