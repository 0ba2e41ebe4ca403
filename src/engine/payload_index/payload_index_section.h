// All indexes of a segment in one piece of bytes: docs/format/payload_index.md, "The section".
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "engine/payload_index/payload_index_reader.h"
#include "types/payload_path.h"

namespace akidb::engine {

// `indexes`: what PayloadIndexBuilder::Finish gave, over rows 0..rows-1 each, at most
// kPayloadIndexesMax and no pair of path and kind twice.
std::vector<std::byte> WritePayloadIndexes(uint32_t rows,
                                           std::span<const std::vector<std::byte>> indexes);

// What to ask about the rows of one segment. Borrows the bytes; immutable.
class PayloadIndexSection {
 public:
  // No indexes.
  explicit PayloadIndexSection(uint32_t rows) : rows_(rows) {}
  // As PayloadIndexReader::Open. Indexes of kinds that this program doesn't know are left out.
  static Result<PayloadIndexSection> Open(std::span<const std::byte> bytes, uint32_t rows);

  uint32_t rows() const { return rows_; }
  std::span<const PayloadIndexReader> indexes() const { return indexes_; }
  // Those of a path, whatever it is spelled like.
  std::vector<const PayloadIndexReader*> On(const PayloadPath& path) const;

 private:
  uint32_t rows_;
  std::vector<PayloadIndexReader> indexes_;
};

}  // namespace akidb::engine
