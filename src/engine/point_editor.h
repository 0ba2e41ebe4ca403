// Changing parts of a point: what of it is read, and what comes of it. The collection sees to that
// nobody else changes the point meanwhile (collection_edit.cc).
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/status.h"
#include "engine/row_source.h"
#include "engine/row_subject.h"
#include "engine/vector_schema.h"
#include "types/filter.h"
#include "types/payload_change.h"
#include "types/point.h"
#include "types/query.h"

namespace akidb::engine {

// Single points of a view. One thread.
class PointReader {
 public:
  struct Place {
    const RowSource* source = nullptr;
    uint32_t row = 0;
  };

  // Both outlive the reader.
  PointReader(const View& view, const VectorSchema& schema) : view_(view), schema_(schema) {}

  std::optional<Place> Find(PointId id) const;
  Result<bool> Matches(const Place& place, const Filter& filter);
  // Valid until the next call.
  Result<PayloadValue> ReadPayload(const Place& place);
  // All of them, as they are stored.
  Result<NamedVectors> ReadVectors(const Place& place) const;

 private:
  struct Source {
    Source(const RowSource& source, const VectorSchema& schema) : subject(source, schema) {}
    RowSubject subject;
    std::unique_ptr<PayloadCursor> payloads;
  };
  Source& OpenedSource(const RowSource& source);

  const View& view_;
  const VectorSchema& schema_;
  std::unordered_map<const RowSource*, std::unique_ptr<Source>> sources_;
};

// A point, and what it is to become.
struct EditedPoint {
  PointId id;
  std::optional<uint64_t> seq{};  // of its last change before; nothing when it isn't there
  bool is_changed = false;        // else the following mean nothing
  std::shared_ptr<const Payload> payload{};  // shared by points that get the same one
  NamedVectors vectors{};                    // only of edits that write whole points
};

class PointEditor {
 public:
  virtual ~PointEditor() = default;
  // Whether vectors are changed, so that the whole point has to be written.
  virtual bool writes_points() const = 0;
  // Sets all but `id` and `seq` of `point`, which is at `place`.
  virtual Status Edit(PointReader& reader, const PointReader::Place& place,
                      EditedPoint& point) const = 0;
  // Likewise of one that isn't there, which is left so where nothing else is said.
  virtual void EditAbsent(EditedPoint&) const {}
};

// Errors as ChangedPayload.
class PayloadEditor final : public PointEditor {
 public:
  // `change` outlives the editor.
  explicit PayloadEditor(const PayloadChange& change);
  bool writes_points() const override { return false; }
  Status Edit(PointReader& reader, const PointReader::Place& place,
              EditedPoint& point) const override;

 private:
  const PayloadChange& change_;
  std::shared_ptr<const Payload> same_for_all_;  // null when it depends on what was there
};

// Whole points, whatever they were.
class PointsPutter final : public PointEditor {
 public:
  // `points` are prepared by the schema; of repeated ids the last one counts.
  PointsPutter(std::vector<Point> points, UpsertMode mode);
  // Each once, in the order of the points.
  const std::vector<PointId>& ids() const { return ids_; }
  bool writes_points() const override { return true; }
  Status Edit(PointReader& reader, const PointReader::Place& place,
              EditedPoint& point) const override;
  void EditAbsent(EditedPoint& point) const override;

 private:
  struct Content {
    std::shared_ptr<const Payload> payload;  // shared with the edits
    NamedVectors vectors;
  };
  void Put(EditedPoint& point) const;

  const UpsertMode mode_;
  std::vector<PointId> ids_;
  std::unordered_map<PointId, Content> points_;
};

class VectorsPutter final : public PointEditor {
 public:
  // `points` are prepared by the schema; of repeated ids the later one's vectors count.
  explicit VectorsPutter(std::vector<Point> points);
  // Each once, in the order of the points.
  const std::vector<PointId>& ids() const { return ids_; }
  bool writes_points() const override { return true; }
  Status Edit(PointReader& reader, const PointReader::Place& place,
              EditedPoint& point) const override;

 private:
  std::vector<PointId> ids_;
  std::unordered_map<PointId, NamedVectors> vectors_;
};

class VectorsRemover final : public PointEditor {
 public:
  // `names` outlive the editor.
  explicit VectorsRemover(std::span<const std::string> names) : names_(names) {}
  bool writes_points() const override { return true; }
  // Leaves points without any of these vectors as they are.
  Status Edit(PointReader& reader, const PointReader::Place& place,
              EditedPoint& point) const override;

 private:
  const std::span<const std::string> names_;
};

}  // namespace akidb::engine
