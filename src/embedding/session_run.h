// Sequences of ids to unit vectors: a batch, one run of a session, pooling.
#pragma once

#include <span>

#include "base/status.h"
#include "embedding/batch_item.h"
#include "embedding/pooling.h"
#include "embedding/run_control.h"
#include "embedding/session.h"

namespace akidb::embedding {

// Fills the vector of every item. Errors of Session::Run and Normalize.
Status RunSequences(Session& session, Pooling pooling, std::span<const BatchItem> items,
                    RunControl& control);

}  // namespace akidb::embedding
