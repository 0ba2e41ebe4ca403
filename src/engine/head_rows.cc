#include "engine/head_rows.h"

namespace akidb::engine {

HeadRows::HeadRows(const Head& head, uint64_t seq) : head_(head) {
  for (uint32_t row = 0; row < head.rows(); ++row) {
    if (head.Visible(row, seq)) head_rows_.push_back(row);
  }
}

}  // namespace akidb::engine
