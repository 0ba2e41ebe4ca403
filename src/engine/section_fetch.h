// Rows of equal length in a section of a segment's file, most of which may be on the device: what
// is going to be looked at is read before, many rows at once.
//
// Thread-safe: shared by all searches of the segment.
#pragma once

#include <cstdint>
#include <span>

#include "base/status.h"
#include "storage/segment/segment_reader.h"

namespace akidb::engine {

class SectionFetch {
 public:
  struct Rows {
    uint64_t offset = 0;  // of the first one in the section
    uint64_t bytes = 0;   // of each
  };

  // `reader`, which has the section, outlives the object.
  SectionFetch(const storage::SegmentReader& reader, storage::SectionKey key, Rows rows);

  bool may_be_cold() const { return guess_.may_be_cold(); }
  // Reads these rows, in any order, where they are not in memory. kUnavailable as
  // SegmentReader::FetchSection.
  Status Fetch(std::span<const uint32_t> rows);
  // Looking at them has taken longer than it does in memory.
  void Suspect() { guess_.Suspect(); }

 private:
  const storage::SegmentReader& reader_;
  const storage::SectionKey key_;
  const Rows rows_;
  storage::ResidencyGuess guess_;
};

}  // namespace akidb::engine
