// Reads a sealed segment in place: docs/format/segment.md.
//
// The file is mapped. Open checks its frame, the identifiers, sequence numbers and row maps, all of
// which never fail afterwards; vectors and payloads are checked block by block when first touched,
// and remembered. Damage found then is an error of that read, never a wrong answer; so is, as
// kUnavailable with path and offset, what the device can't read.
//
// Thread-safe; a PayloadReader belongs to one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "env/file_system.h"
#include "storage/segment/file_ref.h"
#include "storage/segment/residency_guess.h"
#include "storage/segment/segment_format.h"
#include "types/payload.h"
#include "types/point_id.h"
#include "types/uuid.h"

namespace akidb::storage {

class PayloadSection;
class SectionFile;

struct SegmentExpectation {
  Uuid uuid;  // of the segment
  Uuid collection_uuid;
  uint64_t bytes = 0;  // of the file, as the manifest says
};

class SegmentReader {
 public:
  // Reads payloads; keeps the block unpacked last, so rows are best read in ascending order.
  // Outlived by the SegmentReader.
  class PayloadReader {
   public:
    explicit PayloadReader(const SegmentReader& segment);
    ~PayloadReader();
    PayloadReader(const PayloadReader&) = delete;
    PayloadReader& operator=(const PayloadReader&) = delete;

    // An object, valid until the next call. kCorruption when the stored bytes are damaged.
    Result<PayloadValue> Read(uint32_t row);

   private:
    struct State;
    std::unique_ptr<State> state_;
  };

  // kCorruption with path and place for damage or a file that isn't the expected one, kUnsupported
  // when written by a newer version.
  static Result<std::unique_ptr<SegmentReader>> Open(env::FileSystem& fs, const std::string& path,
                                                     const SegmentExpectation& expected);
  ~SegmentReader();
  SegmentReader(const SegmentReader&) = delete;
  SegmentReader& operator=(const SegmentReader&) = delete;

  const Uuid& uuid() const;
  const std::string& path() const;
  uint32_t rows() const { return rows_; }
  uint64_t first_seq() const;
  uint64_t last_seq() const;
  uint64_t file_bytes() const;
  // Vectors, payloads or an index over them were asked for that are damaged, or can't be read.
  bool rows_damaged() const;
  // By ordinal, sorted by name.
  std::span<const SegmentVector> vectors() const { return vectors_; }
  std::optional<size_t> FindVector(std::string_view name) const;

  // Identifiers. A rank is a row's place in the ascending order of ids. O(log rows).
  std::optional<uint32_t> FindRow(PointId id) const;
  PointId IdOf(uint32_t row) const { return IdAtRank(RankOf(row)); }
  // The number of ids below `id`.
  uint32_t LowerBound(PointId id) const;
  PointId IdAtRank(uint32_t rank) const;
  uint32_t RowAtRank(uint32_t rank) const;
  uint32_t RankOf(uint32_t row) const;

  uint64_t SeqOf(uint32_t row) const;

  // Vectors of one name are numbered 0..vectors()[ordinal].count-1, in the order of rows.
  bool HasVector(uint32_t row, size_t ordinal) const {
    return FindNumber(row, ordinal).has_value();
  }
  std::optional<uint32_t> FindNumber(uint32_t row, size_t ordinal) const;
  uint32_t RowOfNumber(uint32_t number, size_t ordinal) const;
  // count x dim components (of multivectors more) of the vector's datatype, bit-exact as written
  // and aligned to their size, beginning with vector number `first`. Valid as long as the reader.
  // Nearly free after the first touch.
  Result<std::span<const std::byte>> Vectors(size_t ordinal, uint32_t first, uint32_t count) const;

  // Vectors lie in the page cache or on the device. Whoever is going to look at many of them may
  // say so before, and then waits once for all, where they may not be in memory; numbers in any
  // order.
  Status FetchVectors(size_t ordinal, std::span<const uint32_t> numbers) const;
  ResidencyGuess& vectors_guess(size_t ordinal) const;
  // The same for parts of a section, which is there; offsets from its start. Returns how many
  // reads there were.
  Result<size_t> FetchSection(SectionKey key, std::span<const env::FileRange> parts) const;
  // The section no longer counts as memory of this process, until it is touched again.
  void ReleaseSection(SectionKey key) const;
  // So do all vectors.
  void ReleaseVectors() const;

  // The whole section, checked; nothing when the file has none. For indexes over the rows.
  Result<std::optional<std::span<const std::byte>>> Section(SectionKey key) const;

  // Of all vectors together; 0 when the file has none.
  uint64_t SectionBytes(SectionId id) const;
  // Of one vector.
  uint64_t SectionBytes(SectionKey key) const;

  // Reads and checks everything, the file's hash and every payload included.
  Status VerifyAll(const Sha256Digest& sha256) const;

 private:
  struct VectorRows;

  explicit SegmentReader(std::unique_ptr<SectionFile> file);
  Status Load();
  Status LoadVectors();
  Status LoadIds();
  Status CheckIds() const;
  Status LoadSeqs();
  Status LoadRows(size_t ordinal);
  Status LoadStarts(size_t ordinal, uint64_t bytes);

  const std::unique_ptr<SectionFile> file_;
  uint32_t rows_ = 0;
  std::vector<SegmentVector> vectors_;
  std::span<const uint64_t> numbers_;      // ascending
  std::span<const uint64_t> uuids_;        // high and low words in turn, ascending
  std::span<const uint32_t> row_of_rank_;  // both empty when rows stand in the order of ids
  std::span<const uint32_t> rank_of_row_;
  uint64_t seq_base_ = 0;
  uint32_t seq_width_ = 0;
  std::span<const std::byte> seqs_;  // what is to be added to the base, seq_width_ bytes a row
  std::vector<VectorRows> vector_rows_;
  std::unique_ptr<PayloadSection> payloads_;
};

}  // namespace akidb::storage
