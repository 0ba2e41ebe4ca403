// Points put into groups by what they have in a field of their payloads.
#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "service/service.h"
#include "types/payload_path.h"

namespace akidb::service {

// Groups in the order of their first points, at most so many, with at most so many points each.
class PointGroups {
 public:
  // `path` outlives it.
  PointGroups(const PayloadPath& path, size_t groups_max, size_t group_size)
      : path_(path), groups_max_(groups_max), group_size_(group_size) {}

  // Points come best first, with that part of their payloads. A point with several values is in
  // several groups; one that has anything but strings and integers there is in none.
  void Add(const ScoredPoint& point);

  // No further group would be taken.
  bool has_all_groups() const { return groups_.size() >= groups_max_; }
  // No further point would be taken.
  bool is_full() const;
  bool IsFull(const PointGroup& group) const { return group.hits.size() >= group_size_; }

  std::vector<PointGroup>& groups() { return groups_; }

 private:
  std::vector<GroupKey> KeysOf(const ScoredPoint& point) const;

  const PayloadPath& path_;
  const size_t groups_max_;
  const size_t group_size_;
  std::vector<PointGroup> groups_;
  std::map<GroupKey, size_t> places_;  // in `groups_`
};

}  // namespace akidb::service
