// A head as readers see it up to a sequence number.
#pragma once

#include <memory>

#include "engine/head.h"
#include "engine/row_source.h"

namespace akidb::engine {

// Rows below `rows` of `head`, as of `seq`. Shares the head: a reader may outlive its sealing.
std::shared_ptr<const RowSource> MakeHeadSource(std::shared_ptr<const Head> head, uint32_t rows,
                                                uint64_t seq);

}  // namespace akidb::engine
