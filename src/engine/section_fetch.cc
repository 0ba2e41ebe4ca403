#include "engine/section_fetch.h"

#include <vector>

namespace akidb::engine {

SectionFetch::SectionFetch(const storage::SegmentReader& reader, storage::SectionKey key, Rows rows)
    : reader_(reader), key_(key), rows_(rows) {}

Status SectionFetch::Fetch(std::span<const uint32_t> rows) {
  std::vector<env::FileRange> parts;
  parts.reserve(rows.size());
  for (uint32_t row : rows) parts.push_back({rows_.offset + row * rows_.bytes, rows_.bytes});
  AKIDB_ASSIGN_OR_RETURN(const size_t cold, reader_.FetchSection(key_, parts));
  guess_.NoteBatch(cold);
  return OkStatus();
}

}  // namespace akidb::engine
