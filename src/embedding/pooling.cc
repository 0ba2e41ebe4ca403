#include "embedding/pooling.h"

#include <algorithm>
#include <cmath>

namespace akidb::embedding {
namespace {

// Sums in float, as the reference does; a window has at most some thousand tokens.
void Mean(std::span<const float> rows, uint32_t length, std::span<float> out) {
  std::copy_n(rows.begin(), out.size(), out.begin());
  for (uint32_t token = 1; token < length; ++token) {
    const float* row = rows.data() + size_t{token} * out.size();
    for (size_t i = 0; i < out.size(); ++i) out[i] += row[i];
  }
  const float scale = 1.0f / static_cast<float>(length);
  for (float& value : out) value *= scale;
}

}  // namespace

std::string_view NameOf(Pooling pooling) {
  switch (pooling) {
    case Pooling::kMean:
      return "mean";
    case Pooling::kCls:
      return "cls";
    case Pooling::kLast:
      return "last";
    case Pooling::kNone:
      return "in_graph";
  }
  return "";
}

std::optional<Pooling> PoolingOf(std::string_view name) {
  for (Pooling pooling : {Pooling::kMean, Pooling::kCls, Pooling::kLast, Pooling::kNone}) {
    if (NameOf(pooling) == name) return pooling;
  }
  return std::nullopt;
}

void Pool(const PoolingInput& input, size_t item, std::span<float> out) {
  const HiddenStates& states = input.states;
  const uint32_t length = input.lengths[item];
  AKIDB_CHECK(item < states.items && out.size() == states.width);
  AKIDB_CHECK(input.pooling == Pooling::kNone || (length > 0 && length <= states.tokens));
  std::span<const float> rows =
      states.values.subspan(item * states.tokens * states.width, states.tokens * states.width);
  switch (input.pooling) {
    case Pooling::kMean:
      Mean(rows, length, out);
      return;
    case Pooling::kLast:
      rows = rows.subspan(size_t{length - 1} * states.width);
      break;
    case Pooling::kCls:
    case Pooling::kNone:
      break;
  }
  std::copy_n(rows.begin(), out.size(), out.begin());
}

Status Normalize(std::span<float> vector) {
  double squares = 0;
  for (float value : vector) squares += double{value} * double{value};
  if (!std::isfinite(squares) || squares <= 0) {
    return InternalError("the model returned a vector whose length is zero or not finite");
  }
  const float scale = static_cast<float>(1.0 / std::sqrt(squares));
  for (float& value : vector) value *= scale;
  return OkStatus();
}

}  // namespace akidb::embedding
