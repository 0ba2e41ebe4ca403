// The coded rows of one vector of a segment as bytes: docs/format/codes.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/status.h"
#include "index/codes/code_space.h"
#include "types/no_graph_reason.h"

namespace akidb::index {

// Gathers rows one by one. Memory: the section itself.
class CodeSectionWriter {
 public:
  // `space` outlives the writer.
  CodeSectionWriter(const CodeSpace& space, uint32_t rows);

  // No graph is to be built over these rows.
  void SetWithoutGraph(NoGraphReason reason);
  // The next row; `rows` of them in all. `lift`: a component more, at right angles to all others
  // and to the centre, that the row has and queries have not.
  void Add(std::span<const float> vector, float lift = 0);
  // Once all rows are there: row i becomes what row order[i] was. `order` holds each row once.
  void Reorder(std::span<const uint32_t> order);
  // What has been written so far is complete once all rows are there.
  std::vector<std::byte> Take();

 private:
  const CodeSpace& space_;
  const uint32_t rows_;
  uint32_t added_ = 0;
  size_t rows_at_ = 0;
  std::vector<std::byte> bytes_;
};

struct CodeSection {
  std::shared_ptr<const CodeSpace> space;
  const std::byte* rows = nullptr;  // within the bytes that were opened
  uint32_t count = 0;
  bool without_graph = false;
  NoGraphReason reason = NoGraphReason::kUnknown;  // where it is so
  // Row i is that of the graph's node i, not that of the vector number i.
  bool in_graph_order = false;
};

// Looks at the header; every row's bytes mean something. `bytes` outlive the result. kCorruption
// for a section that isn't of `dim` and `rows`, kUnsupported for one of a newer version.
Result<CodeSection> OpenCodeSection(std::span<const std::byte> bytes, uint32_t dim, uint32_t rows);

}  // namespace akidb::index
