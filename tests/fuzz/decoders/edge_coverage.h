// Which edges of the decoders a run has taken, where they are built to tell it (trace-pc).
#pragma once

#include <cstddef>

namespace akidb::fuzz {

// Before each run.
void BeginRun();
// Edges of this run that none before it has taken; they count as taken from now on.
size_t CountNewEdges();
size_t CountEdges();  // of all runs

}  // namespace akidb::fuzz
