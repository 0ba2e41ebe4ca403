// Hidden states of tokens to one unit vector per text. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/status.h"
#include "embedding/session.h"

namespace akidb::embedding {

// kMean: over the text's tokens, padding left out; kCls: the first token; kLast: the last token
// before the padding. kNone: the graph has pooled.
enum class Pooling : uint8_t { kMean, kCls, kLast, kNone };

// "mean", as manifests call it, and back.
std::string_view NameOf(Pooling pooling);
std::optional<Pooling> PoolingOf(std::string_view name);

// The vector of item `item` into `out` (states.width floats). kMean and kLast look at lengths[item]
// tokens of it, at least one.
struct PoolingInput {
  const HiddenStates& states;
  std::span<const uint32_t> lengths;  // per item, without padding
  Pooling pooling = Pooling::kMean;
};
void Pool(const PoolingInput& input, size_t item, std::span<float> out);

// Divides by the L2 norm. kInternal when the norm is zero or not finite: there is no direction.
Status Normalize(std::span<float> vector);

}  // namespace akidb::embedding
