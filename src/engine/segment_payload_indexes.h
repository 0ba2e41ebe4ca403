// Payload indexes as a collection keeps them: which fields have one, how they get into a segment
// when it is written, and how they are opened with it (section 14 of docs/format/segment.md).
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/log.h"
#include "base/status.h"
#include "engine/payload_index/payload_index_builder.h"
#include "engine/payload_index/payload_index_section.h"
#include "engine/segment_indexer.h"
#include "storage/segment/segment_reader.h"
#include "storage/segment/segment_writer.h"
#include "types/collection_config.h"

namespace akidb::engine {

// The indexed fields at one moment. Immutable; shared by the collection and what it is writing.
class PayloadIndexSchema {
 public:
  // All of them stand in every manifest.
  static constexpr size_t kFieldBytesMax = 1024;
  static constexpr size_t kParamsBytesMax = 4096;

  // kMalformed, kInvalidArgument: options of texts that are none, or that nothing is known for.
  // kValidation: a path that is none, two spellings of one, more than kPayloadIndexesMax, or
  // longer than they may be.
  static Result<std::shared_ptr<const PayloadIndexSchema>> Make(PayloadFieldIndexes fields);

  const PayloadFieldIndexes& fields() const { return fields_; }
  std::span<const PayloadIndexSpec> specs() const { return specs_; }
  // The name in `fields` of the field that `path` spells, if it is there.
  std::optional<std::string> NameOf(const PayloadPath& path) const;
  // Null when no field is spelled so.
  const PayloadIndexSpec* SpecOf(const PayloadPath& path) const;
  // Whether some field has an index over texts.
  bool has_texts() const;
  // Whether the section has an index of the right kind for every field.
  bool IsCoveredBy(const PayloadIndexSection& section) const;

 private:
  PayloadFieldIndexes fields_;
  std::vector<PayloadIndexSpec> specs_;  // in the order of fields_
};

// Null when there is none of that kind, over texts with these tokens.
const PayloadIndexReader* FindIndex(const PayloadIndexSection& section,
                                    const PayloadIndexSpec& spec);

// The section for these rows, nothing when there are no fields. A field whose index would pass a
// bound is left out, which is logged. One pass over the payloads, kMemoryMax of memory. kCancelled
// soon after `stop` turns true, else what `rows` reports.
class PayloadIndexSectionBuilder {
 public:
  static constexpr size_t kMemoryMax = size_t{1} << 30;

  // All three outlive it.
  PayloadIndexSectionBuilder(const PayloadIndexSchema& schema, const std::atomic<bool>& stop,
                             Logger& log)
      : schema_(schema), stop_(stop), log_(log) {}

  Result<std::optional<IndexSection>> Build(const storage::SegmentRows& rows,
                                            size_t memory_max = kMemoryMax) const;

 private:
  const PayloadIndexSchema& schema_;
  const std::atomic<bool>& stop_;
  Logger& log_;
};

// No indexes when the segment has none or they are damaged, which is logged. Borrows from `reader`.
PayloadIndexSection OpenPayloadIndexes(const storage::SegmentReader& reader, Logger& log);

}  // namespace akidb::engine
