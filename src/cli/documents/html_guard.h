// Bounds on hostile HTML, checked before the parser sees it: the parser's work grows with the depth
// of open elements and with the square of one tag's attributes. Thread-safe.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/status.h"

namespace akidb::cli {

inline constexpr size_t kHtmlBytesMax = size_t{64} << 20;
inline constexpr size_t kHtmlDepthMax = 1000;
inline constexpr size_t kHtmlAttributesMax = 2000;

// kTooLarge over the size; kUnsupported when elements are nested deeper than kHtmlDepthMax, or a
// tag carries more than kHtmlAttributesMax attributes. An estimate by start and end tags, one pass.
Status CheckHtmlBounds(std::string_view html);

}  // namespace akidb::cli
