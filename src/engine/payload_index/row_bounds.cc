#include "engine/payload_index/row_bounds.h"

namespace akidb::engine {

RowBounds RowBounds::Between(RowSet certain, RowSet possible) {
  RowBounds bounds{RowSet(possible.universe())};
  bounds.Set(std::move(certain), std::move(possible));
  return bounds;
}

RowBounds RowBounds::Unknown(uint32_t universe) {
  return Between(RowSet(universe), RowSet::All(universe));
}

void RowBounds::Set(RowSet certain, RowSet possible) {
  const bool exact = certain.count() == possible.count();
  possible_ = std::move(possible);
  certain_ = exact ? std::nullopt : std::optional(std::move(certain));
}

void RowBounds::And(const RowBounds& other) {
  if (exact() && other.exact()) return possible_.Intersect(other.possible_);
  RowSet certain = this->certain();
  certain.Intersect(other.certain());
  RowSet possible = std::move(possible_);
  possible.Intersect(other.possible_);
  Set(std::move(certain), std::move(possible));
}

void RowBounds::Or(const RowBounds& other) {
  if (exact() && other.exact()) return possible_.Unite(other.possible_);
  RowSet certain = this->certain();
  certain.Unite(other.certain());
  RowSet possible = std::move(possible_);
  possible.Unite(other.possible_);
  Set(std::move(certain), std::move(possible));
}

void RowBounds::Not() {
  possible_.Invert();
  if (!certain_) return;
  certain_->Invert();
  std::swap(possible_, *certain_);
}

void RowBounds::Narrow(const RowBounds& other) {
  if (exact()) return;
  if (other.exact()) {
    *this = other;
    return;
  }
  RowSet certain = this->certain();
  certain.Unite(other.certain());
  RowSet possible = std::move(possible_);
  possible.Intersect(other.possible_);
  Set(std::move(certain), std::move(possible));
}

void RowBounds::Forget(const RowSet& rows) {
  RowSet certain = this->certain();
  certain.Subtract(rows);
  RowSet possible = std::move(possible_);
  possible.Unite(rows);
  Set(std::move(certain), std::move(possible));
}

RowBounds AtLeast(uint64_t count, std::span<const RowBounds> conditions, uint32_t universe) {
  RowCounter possible(universe);
  for (const RowBounds& bounds : conditions) possible.Add(bounds.possible());
  bool exact = true;
  for (const RowBounds& bounds : conditions) exact = exact && bounds.exact();
  if (exact) return RowBounds::Exact(possible.AtLeast(count));
  RowCounter certain(universe);
  for (const RowBounds& bounds : conditions) certain.Add(bounds.certain());
  return RowBounds::Between(certain.AtLeast(count), possible.AtLeast(count));
}

}  // namespace akidb::engine
