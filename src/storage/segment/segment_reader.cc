#include "storage/segment/segment_reader.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "storage/segment/payload_section.h"
#include "storage/segment/section_file.h"

namespace akidb::storage {
namespace {

constexpr SectionId kKnown[] = {SectionId::kVectors,
                                SectionId::kNumberIds,
                                SectionId::kUuidIds,
                                SectionId::kRowOfRank,
                                SectionId::kRankOfRow,
                                SectionId::kSeqs,
                                SectionId::kRows,
                                SectionId::kRowMap,
                                SectionId::kPayload,
                                SectionId::kPayloadIndex,
                                SectionId::kPayloadDictionary,
                                SectionId::kRowStarts};

constexpr size_t kSeqsHeaderBytes = 16;

// A section as an array of T. Sections begin at multiples of 64 bytes, so T is aligned.
template <typename T>
Result<std::span<const T>> ReadArray(const SectionFile& file, SectionKey key) {
  AKIDB_ASSIGN_OR_RETURN(std::span<const std::byte> bytes, file.Read(key));
  if (bytes.size() % sizeof(T) != 0) {
    return file.Damaged("section " + std::to_string(static_cast<uint16_t>(key.id)) +
                        " has a wrong size");
  }
  return std::span(reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T));
}

bool StrictlyAscending(std::span<const uint32_t> values) {
  return std::adjacent_find(values.begin(), values.end(), std::greater_equal<>()) == values.end();
}

PointId UuidAt(std::span<const uint64_t> uuids, size_t index) {
  return PointId::FromWords(PointId::Kind::kUuid, uuids[2 * index], uuids[2 * index + 1]);
}

// One entry of the section vectors; nothing when it is malformed.
std::optional<SegmentVector> ReadVector(ByteReader& section) {
  ByteReader reader(section.Bytes(section.Get<uint32_t>()));
  SegmentVector vector;
  vector.dim = reader.Get<uint32_t>();
  vector.count = reader.Get<uint32_t>();
  uint8_t metric = reader.Get<uint8_t>();
  uint8_t datatype = reader.Get<uint8_t>();
  vector.name = reader.Text(reader.Get<uint16_t>());
  const bool says_more = reader.ok() && reader.remaining() > 0;
  const uint8_t flags = says_more ? reader.Get<uint8_t>() : 0;
  vector.multivector = (flags & kMultivectorFlag) != 0;
  vector.sparse = (flags & kSparseFlag) != 0;
  if (!reader.ok() || vector.dim == 0 || vector.dim > kDimMax ||
      metric > static_cast<uint8_t>(Metric::kManhattan) ||
      datatype > static_cast<uint8_t>(VectorDatatype::kUint8)) {
    return std::nullopt;
  }
  if (vector.sparse && (!vector.multivector || vector.dim != kSparseRowDim || datatype != 0)) {
    return std::nullopt;
  }
  vector.metric = static_cast<Metric>(metric);
  vector.datatype = static_cast<VectorDatatype>(datatype);
  return vector;
}

}  // namespace

struct SegmentReader::VectorRows {
  const SectionEntry* entry = nullptr;  // null when no row has the vector
  std::span<const uint32_t> map;        // empty when every row has it
  std::span<const uint64_t> starts;     // of multivectors: the first row of each, and their number
  std::unique_ptr<ResidencyGuess> guess = std::make_unique<ResidencyGuess>();
};

SegmentReader::SegmentReader(std::unique_ptr<SectionFile> file) : file_(std::move(file)) {}
SegmentReader::~SegmentReader() = default;

Result<std::unique_ptr<SegmentReader>> SegmentReader::Open(env::FileSystem& fs,
                                                           const std::string& path,
                                                           const SegmentExpectation& expected) {
  SectionFileExpectation frame;
  frame.kind = SectionFileKind::kSegment;
  frame.file_uuid = expected.uuid;
  frame.collection_uuid = expected.collection_uuid;
  frame.bytes = expected.bytes;
  frame.known = kKnown;
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<SectionFile> file, SectionFile::Open(fs, path, frame));
  std::unique_ptr<SegmentReader> reader(new SegmentReader(std::move(file)));
  AKIDB_RETURN_IF_ERROR(reader->Load());
  return reader;
}

Status SegmentReader::Load() {
  rows_ = file_->footer().rows;
  AKIDB_RETURN_IF_ERROR(LoadVectors());
  AKIDB_RETURN_IF_ERROR(LoadIds());
  AKIDB_RETURN_IF_ERROR(CheckIds());
  AKIDB_RETURN_IF_ERROR(LoadSeqs());
  vector_rows_.resize(vectors_.size());
  for (size_t i = 0; i < vectors_.size(); ++i) AKIDB_RETURN_IF_ERROR(LoadRows(i));
  AKIDB_ASSIGN_OR_RETURN(payloads_, PayloadSection::Open(*file_));
  return OkStatus();
}

Status SegmentReader::LoadVectors() {
  AKIDB_ASSIGN_OR_RETURN(std::span<const std::byte> bytes, file_->Read({SectionId::kVectors}));
  ByteReader section(bytes);
  uint32_t count = section.Get<uint32_t>();
  if (count > kSegmentVectorsMax) return file_->Damaged("has too many vectors");
  for (uint32_t i = 0; i < count; ++i) {
    std::optional<SegmentVector> vector = ReadVector(section);
    if (!vector || vector->count > rows_ || (i > 0 && vector->name <= vectors_.back().name)) {
      return file_->Damaged("the list of its vectors is wrong");
    }
    vectors_.push_back(std::move(*vector));
  }
  return section.AtEnd() ? OkStatus() : file_->Damaged("the list of its vectors is wrong");
}

Status SegmentReader::LoadIds() {
  AKIDB_ASSIGN_OR_RETURN(numbers_, ReadArray<uint64_t>(*file_, {SectionId::kNumberIds}));
  AKIDB_ASSIGN_OR_RETURN(uuids_, ReadArray<uint64_t>(*file_, {SectionId::kUuidIds}));
  AKIDB_ASSIGN_OR_RETURN(row_of_rank_, ReadArray<uint32_t>(*file_, {SectionId::kRowOfRank}));
  AKIDB_ASSIGN_OR_RETURN(rank_of_row_, ReadArray<uint32_t>(*file_, {SectionId::kRankOfRow}));
  if (rows_ == 0 || uuids_.size() % 2 != 0 || numbers_.size() + uuids_.size() / 2 != rows_) {
    return file_->Damaged("has another number of ids than of rows");
  }
  if (row_of_rank_.size() != rank_of_row_.size() ||
      (!row_of_rank_.empty() && row_of_rank_.size() != rows_)) {
    return file_->Damaged("the order of its ids has a wrong size");
  }
  return OkStatus();
}

Status SegmentReader::CheckIds() const {
  bool good = std::adjacent_find(numbers_.begin(), numbers_.end(), std::greater_equal<>()) ==
              numbers_.end();
  for (size_t i = 2; good && i < uuids_.size(); i += 2) {
    good = UuidAt(uuids_, i / 2 - 1) < UuidAt(uuids_, i / 2);
  }
  // Each row of a rank has that rank: so both maps are one-to-one.
  for (uint32_t rank = 0; good && rank < row_of_rank_.size(); ++rank) {
    good = row_of_rank_[rank] < rows_ && rank_of_row_[row_of_rank_[rank]] == rank;
  }
  return good ? OkStatus() : file_->Damaged("the order of its ids is wrong");
}

Status SegmentReader::LoadSeqs() {
  AKIDB_ASSIGN_OR_RETURN(std::span<const std::byte> bytes, file_->Read({SectionId::kSeqs}));
  ByteReader reader(bytes);
  seq_base_ = reader.Get<uint64_t>();
  seq_width_ = reader.Get<uint32_t>();
  bool known_width =
      seq_width_ == 0 || seq_width_ == 1 || seq_width_ == 2 || seq_width_ == 4 || seq_width_ == 8;
  if (!reader.ok() || !known_width ||
      bytes.size() != kSeqsHeaderBytes + uint64_t{rows_} * seq_width_) {
    return file_->Damaged("its sequence numbers have a wrong size");
  }
  seqs_ = bytes.subspan(kSeqsHeaderBytes);
  for (uint32_t row = 0; row < rows_; ++row) {
    if (SeqOf(row) < first_seq() || SeqOf(row) > last_seq()) {
      return file_->Damaged("a sequence number is out of its range");
    }
  }
  return OkStatus();
}

Status SegmentReader::LoadRows(size_t ordinal) {
  const SegmentVector& vector = vectors_[ordinal];
  VectorRows& rows = vector_rows_[ordinal];
  auto number = static_cast<uint16_t>(ordinal);
  rows.entry = file_->Find({SectionId::kRows, number});
  uint64_t bytes = rows.entry == nullptr ? 0 : rows.entry->bytes;
  const bool has_starts = vector.multivector && (rows.entry != nullptr || vector.sparse);
  if (has_starts && vector.count > 0) {
    AKIDB_RETURN_IF_ERROR(LoadStarts(ordinal, bytes));
  } else if (bytes != vector.count * vector.row_bytes()) {
    return file_->Damaged("the rows of `" + vector.name + "` have a wrong size");
  }
  if (rows.entry != nullptr && rows.entry->offset % kRowsAlignment != 0) {
    return file_->Damaged("the rows of `" + vector.name + "` are not aligned");
  }
  if (rows.entry != nullptr && rows.entry->codec != 0) {
    return UnsupportedError(path() + ": its rows are packed by a newer version of AkiDB");
  }
  AKIDB_ASSIGN_OR_RETURN(rows.map, ReadArray<uint32_t>(*file_, {SectionId::kRowMap, number}));
  size_t expected = vector.count == rows_ ? 0 : vector.count;
  if (rows.map.size() != expected || !StrictlyAscending(rows.map) ||
      (!rows.map.empty() && rows.map.back() >= rows_)) {
    return file_->Damaged("the row map of `" + vector.name + "` is wrong");
  }
  return OkStatus();
}

Status SegmentReader::LoadStarts(size_t ordinal, uint64_t bytes) {
  const SegmentVector& vector = vectors_[ordinal];
  std::span<const uint64_t>& starts = vector_rows_[ordinal].starts;
  AKIDB_ASSIGN_OR_RETURN(
      starts, ReadArray<uint64_t>(*file_, {SectionId::kRowStarts, static_cast<uint16_t>(ordinal)}));
  // Only a sparse vector may have no rows.
  const bool ascend = vector.sparse ? std::is_sorted(starts.begin(), starts.end())
                                    : std::adjacent_find(starts.begin(), starts.end(),
                                                         std::greater_equal<>()) == starts.end();
  if (starts.size() != size_t{vector.count} + 1 || starts.front() != 0 || !ascend ||
      bytes % vector.row_bytes() != 0 || starts.back() != bytes / vector.row_bytes()) {
    return file_->Damaged("where the multivectors of `" + vector.name + "` begin is wrong");
  }
  return OkStatus();
}

const Uuid& SegmentReader::uuid() const { return file_->header().file_uuid; }
const std::string& SegmentReader::path() const { return file_->path(); }
uint64_t SegmentReader::first_seq() const { return file_->footer().first_seq; }
uint64_t SegmentReader::last_seq() const { return file_->footer().last_seq; }
uint64_t SegmentReader::SectionBytes(SectionId id) const {
  uint64_t bytes = 0;
  for (const SectionEntry& section : file_->footer().sections) {
    if (section.key.id == id) bytes += section.bytes;
  }
  return bytes;
}

uint64_t SegmentReader::SectionBytes(SectionKey key) const {
  for (const SectionEntry& section : file_->footer().sections) {
    if (section.key == key) return section.bytes;
  }
  return 0;
}

uint64_t SegmentReader::file_bytes() const { return file_->bytes(); }

bool SegmentReader::rows_damaged() const { return file_->range_damaged(); }

std::optional<size_t> SegmentReader::FindVector(std::string_view name) const {
  auto found = std::find_if(vectors_.begin(), vectors_.end(),
                            [&](const SegmentVector& vector) { return vector.name == name; });
  if (found == vectors_.end()) return std::nullopt;
  return static_cast<size_t>(found - vectors_.begin());
}

uint32_t SegmentReader::LowerBound(PointId id) const {
  if (id.kind() == PointId::Kind::kNumber) {
    auto found = std::lower_bound(numbers_.begin(), numbers_.end(), id.number());
    return static_cast<uint32_t>(found - numbers_.begin());
  }
  size_t low = 0;
  size_t high = uuids_.size() / 2;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (UuidAt(uuids_, middle) < id) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return static_cast<uint32_t>(numbers_.size() + low);
}

std::optional<uint32_t> SegmentReader::FindRow(PointId id) const {
  uint32_t rank = LowerBound(id);
  if (rank == rows_ || IdAtRank(rank) != id) return std::nullopt;
  return RowAtRank(rank);
}

PointId SegmentReader::IdAtRank(uint32_t rank) const {
  if (rank < numbers_.size()) return PointId(numbers_[rank]);
  return UuidAt(uuids_, rank - numbers_.size());
}

uint32_t SegmentReader::RowAtRank(uint32_t rank) const {
  return row_of_rank_.empty() ? rank : row_of_rank_[rank];
}

uint32_t SegmentReader::RankOf(uint32_t row) const {
  return rank_of_row_.empty() ? row : rank_of_row_[row];
}

uint64_t SegmentReader::SeqOf(uint32_t row) const {
  if (seq_width_ == 0) return seq_base_;
  uint64_t difference = 0;
  std::memcpy(&difference, seqs_.data() + size_t{row} * seq_width_, seq_width_);
  return seq_base_ + difference;
}

std::optional<uint32_t> SegmentReader::FindNumber(uint32_t row, size_t ordinal) const {
  const VectorRows& rows = vector_rows_[ordinal];
  if (vectors_[ordinal].count == 0) return std::nullopt;
  if (rows.map.empty()) return row;
  auto found = std::lower_bound(rows.map.begin(), rows.map.end(), row);
  if (found == rows.map.end() || *found != row) return std::nullopt;
  return static_cast<uint32_t>(found - rows.map.begin());
}

uint32_t SegmentReader::RowOfNumber(uint32_t number, size_t ordinal) const {
  const VectorRows& rows = vector_rows_[ordinal];
  return rows.map.empty() ? number : rows.map[number];
}

Result<std::span<const std::byte>> SegmentReader::Vectors(size_t ordinal, uint32_t first,
                                                          uint32_t count) const {
  const SegmentVector& vector = vectors_[ordinal];
  AKIDB_CHECK(first <= vector.count && count <= vector.count - first);
  if (count == 0) return std::span<const std::byte>();
  const VectorRows& rows = vector_rows_[ordinal];
  const uint64_t begin = vector.multivector ? rows.starts[first] : first;
  const uint64_t end = vector.multivector ? rows.starts[first + count] : uint64_t{first} + count;
  if (begin == end) return std::span<const std::byte>();
  return file_->ReadRange(*rows.entry, begin * vector.row_bytes(),
                          (end - begin) * vector.row_bytes());
}

Status SegmentReader::FetchVectors(size_t ordinal, std::span<const uint32_t> numbers) const {
  const SegmentVector& vector = vectors_[ordinal];
  const VectorRows& rows = vector_rows_[ordinal];
  std::vector<env::FileRange> ranges;
  ranges.reserve(numbers.size());
  for (uint32_t number : numbers) {
    AKIDB_CHECK(number < vector.count);
    const uint64_t begin = vector.multivector ? rows.starts[number] : number;
    const uint64_t end = vector.multivector ? rows.starts[number + 1] : uint64_t{number} + 1;
    if (begin == end) continue;
    ranges.push_back(
        {rows.entry->offset + begin * vector.row_bytes(), (end - begin) * vector.row_bytes()});
  }
  AKIDB_ASSIGN_OR_RETURN(const size_t cold, file_->Fetch(ranges));
  rows.guess->NoteBatch(cold);
  return OkStatus();
}

ResidencyGuess& SegmentReader::vectors_guess(size_t ordinal) const {
  return *vector_rows_[ordinal].guess;
}

Result<size_t> SegmentReader::FetchSection(SectionKey key,
                                           std::span<const env::FileRange> parts) const {
  const SectionEntry* entry = file_->Find(key);
  AKIDB_CHECK(entry != nullptr);
  std::vector<env::FileRange> ranges(parts.begin(), parts.end());
  for (env::FileRange& range : ranges) {
    AKIDB_CHECK(range.offset <= entry->bytes && range.bytes <= entry->bytes - range.offset);
    range.offset += entry->offset;
  }
  return file_->Fetch(ranges);
}

void SegmentReader::ReleaseSection(SectionKey key) const {
  if (const SectionEntry* entry = file_->Find(key)) file_->Release(*entry);
}

void SegmentReader::ReleaseVectors() const {
  for (const VectorRows& rows : vector_rows_) {
    if (rows.entry != nullptr) file_->Release(*rows.entry);
  }
}

Result<std::optional<std::span<const std::byte>>> SegmentReader::Section(SectionKey key) const {
  const SectionEntry* entry = file_->Find(key);
  if (entry == nullptr) return std::optional<std::span<const std::byte>>();
  AKIDB_ASSIGN_OR_RETURN(std::span<const std::byte> bytes,
                         file_->ReadRange(*entry, 0, entry->bytes));
  return std::optional(bytes);
}

Status SegmentReader::VerifyAll(const Sha256Digest& sha256) const {
  AKIDB_RETURN_IF_ERROR(file_->VerifyAll(sha256));
  PayloadReader payloads(*this);
  for (uint32_t row = 0; row < rows_; ++row) {
    AKIDB_RETURN_IF_ERROR(payloads.Read(row).status());
  }
  return OkStatus();
}

struct SegmentReader::PayloadReader::State {
  explicit State(const PayloadSection& section) : blocks(section), path(section.file().path()) {}
  PayloadBlockReader blocks;
  const std::string& path;
};

SegmentReader::PayloadReader::PayloadReader(const SegmentReader& segment)
    : state_(std::make_unique<State>(*segment.payloads_)) {}
SegmentReader::PayloadReader::~PayloadReader() = default;

Result<PayloadValue> SegmentReader::PayloadReader::Read(uint32_t row) {
  AKIDB_ASSIGN_OR_RETURN(std::span<const std::byte> encoded, state_->blocks.Read(row));
  Status valid = ValidatePayload(encoded);
  if (!valid.ok()) return valid.WithContext(state_->path + ", row " + std::to_string(row));
  return PayloadValue(encoded);
}

}  // namespace akidb::storage
