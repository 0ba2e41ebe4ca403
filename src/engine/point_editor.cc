#include "engine/point_editor.h"

#include <algorithm>

namespace akidb::engine {
namespace {

Result<std::shared_ptr<const Payload>> CopyPayload(PointReader& reader,
                                                   const PointReader::Place& place) {
  AKIDB_ASSIGN_OR_RETURN(PayloadValue payload, reader.ReadPayload(place));
  std::span<const std::byte> encoded = payload.encoded();
  return std::make_shared<const Payload>(std::vector<std::byte>(encoded.begin(), encoded.end()));
}

// Puts `more` into `vectors`; both ascend by name.
void PutVectors(const NamedVectors& more, NamedVectors& vectors) {
  for (const auto& [name, vector] : more) {
    auto at =
        std::lower_bound(vectors.begin(), vectors.end(), name,
                         [](const auto& entry, const auto& key) { return entry.first < key; });
    if (at != vectors.end() && at->first == name) {
      at->second = vector;
    } else {
      vectors.emplace(at, name, vector);
    }
  }
}

}  // namespace

std::optional<PointReader::Place> PointReader::Find(PointId id) const {
  for (const auto& source : view_.sources) {
    if (std::optional<uint32_t> row = source->Find(id)) return Place{source.get(), *row};
  }
  return std::nullopt;
}

PointReader::Source& PointReader::OpenedSource(const RowSource& source) {
  std::unique_ptr<Source>& opened = sources_[&source];
  if (!opened) opened = std::make_unique<Source>(source, schema_);
  return *opened;
}

Result<bool> PointReader::Matches(const Place& place, const Filter& filter) {
  RowSubject& subject = OpenedSource(*place.source).subject;
  subject.Select(place.row);
  const bool matches = engine::Matches(filter, subject);
  AKIDB_RETURN_IF_ERROR(subject.status());
  return matches;
}

Result<PayloadValue> PointReader::ReadPayload(const Place& place) {
  Source& source = OpenedSource(*place.source);
  if (!source.payloads) source.payloads = place.source->Payloads();
  return source.payloads->Read(place.row);
}

Result<NamedVectors> PointReader::ReadVectors(const Place& place) const {
  NamedVectors vectors;
  std::vector<float> buffer;
  for (size_t ordinal = 0; ordinal < schema_.size(); ++ordinal) {
    AKIDB_ASSIGN_OR_RETURN(std::span<const float> vector,
                           place.source->vector(place.row, ordinal, buffer));
    // Only a sparse vector may be there and empty.
    if (vector.empty() && !place.source->HasVector(place.row, ordinal)) continue;
    vectors.emplace_back(schema_.name(ordinal), schema_.VectorOf(ordinal, vector));
  }
  return vectors;
}

PayloadEditor::PayloadEditor(const PayloadChange& change) : change_(change) {
  if (DependsOnPayload(change)) return;
  Result<Payload> payload = ChangedPayload(PayloadValue(), change);
  // Else each point's own edit will tell.
  if (payload.ok()) same_for_all_ = std::make_shared<const Payload>(std::move(payload).value());
}

Status PayloadEditor::Edit(PointReader& reader, const PointReader::Place& place,
                           EditedPoint& point) const {
  point.payload = same_for_all_;
  if (point.payload == nullptr) {
    AKIDB_ASSIGN_OR_RETURN(PayloadValue before, reader.ReadPayload(place));
    AKIDB_ASSIGN_OR_RETURN(Payload after, ChangedPayload(before, change_));
    point.payload = std::make_shared<const Payload>(std::move(after));
  }
  point.is_changed = true;
  return OkStatus();
}

PointsPutter::PointsPutter(std::vector<Point> points, UpsertMode mode) : mode_(mode) {
  for (Point& point : points) {
    Content content{std::make_shared<const Payload>(std::move(point.payload)),
                    std::move(point.vectors)};
    if (points_.insert_or_assign(point.id, std::move(content)).second) ids_.push_back(point.id);
  }
}

Status PointsPutter::Edit(PointReader&, const PointReader::Place&, EditedPoint& point) const {
  if (mode_ != UpsertMode::kInsertOnly) Put(point);
  return OkStatus();
}

void PointsPutter::EditAbsent(EditedPoint& point) const {
  if (mode_ != UpsertMode::kUpdateOnly) Put(point);
}

void PointsPutter::Put(EditedPoint& point) const {
  const Content& content = points_.at(point.id);
  point.payload = content.payload;
  point.vectors = content.vectors;
  point.is_changed = true;
}

VectorsPutter::VectorsPutter(std::vector<Point> points) {
  for (Point& point : points) {
    auto [vectors, is_new] = vectors_.try_emplace(point.id, std::move(point.vectors));
    if (is_new) {
      ids_.push_back(point.id);
    } else {
      PutVectors(point.vectors, vectors->second);
    }
  }
}

Status VectorsPutter::Edit(PointReader& reader, const PointReader::Place& place,
                           EditedPoint& point) const {
  AKIDB_ASSIGN_OR_RETURN(point.payload, CopyPayload(reader, place));
  AKIDB_ASSIGN_OR_RETURN(point.vectors, reader.ReadVectors(place));
  PutVectors(vectors_.at(point.id), point.vectors);
  point.is_changed = true;
  return OkStatus();
}

Status VectorsRemover::Edit(PointReader& reader, const PointReader::Place& place,
                            EditedPoint& point) const {
  AKIDB_ASSIGN_OR_RETURN(point.vectors, reader.ReadVectors(place));
  const size_t removed = std::erase_if(point.vectors, [&](const auto& entry) {
    return std::find(names_.begin(), names_.end(), entry.first) != names_.end();
  });
  point.is_changed = removed > 0;
  if (!point.is_changed) return OkStatus();
  AKIDB_ASSIGN_OR_RETURN(point.payload, CopyPayload(reader, place));
  return OkStatus();
}

}  // namespace akidb::engine
