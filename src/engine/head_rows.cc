#include "engine/head_rows.h"

#include <algorithm>

namespace akidb::engine {

HeadRows::HeadRows(const Head& head, uint64_t seq) : head_(head), as_of_(seq) {
  for (uint32_t row = 0; row < head.rows(); ++row) {
    if (head.Visible(row, seq)) head_rows_.push_back(row);
  }
  std::stable_sort(head_rows_.begin(), head_rows_.end(), [&](uint32_t a, uint32_t b) {
    return head.changed_seq(a, seq) < head.changed_seq(b, seq);
  });
}

}  // namespace akidb::engine
