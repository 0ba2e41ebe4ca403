// Makes the index of one path over the rows of a segment: docs/format/payload_index.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "engine/payload_index/payload_index_format.h"
#include "types/payload.h"
#include "types/payload_path.h"
#include "types/text/text_analyzer.h"

namespace akidb::engine {

struct PayloadIndexSpec {
  PayloadPath path;
  PayloadIndexKind kind = PayloadIndexKind::kKeyword;
  std::shared_ptr<const TextAnalyzer> analyzer{};  // of kText; shared with filters
  // Of kText: the order of tokens is kept, too, so that phrases are found without the texts.
  bool sequences = false;
  bool lengths = false;  // and of each row how many there are, so that texts are ranked

  uint32_t fingerprint() const { return analyzer ? analyzer->fingerprint() : 0; }
};

// Fed with the payloads of rows 0, 1, 2, … in turn. Takes the values that conditions on the path
// look at (filter_evaluator.h), each once a row.
//
// Memory: 8 bytes for each pair of a string and a row, 16 for one of a number, about 120 bytes
// and its length for each distinct string, 5 bits and, with several values, 8 bytes a row, and for
// sequences 4 bytes a token and a row: these are given up where memory is short. Vectors
// that grow hold up to three times as much for a moment. Finish takes the size of the index and 16
// bytes for each distinct string besides. O(pairs log pairs) time in all.
class PayloadIndexBuilder {
 public:
  // `memory_max` bounds what is held between calls.
  PayloadIndexBuilder(PayloadIndexSpec spec, size_t memory_max);
  ~PayloadIndexBuilder();
  PayloadIndexBuilder(PayloadIndexBuilder&&) noexcept;
  PayloadIndexBuilder& operator=(PayloadIndexBuilder&&) noexcept;

  // `payload` is an object, borrowed for the call. kResourceExhausted past memory_max and past the
  // bounds of payload_index_format.h; the builder is of no use then, and the segment better off
  // without this index.
  Status AddRow(PayloadValue payload);
  uint32_t rows() const;

  // The bytes of the index. The builder is used up.
  std::vector<std::byte> Finish() &&;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace akidb::engine
