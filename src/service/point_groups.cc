#include "service/point_groups.h"

#include <algorithm>
#include <optional>
#include <string>

namespace akidb::service {
namespace {

std::optional<GroupKey> KeyOf(PayloadValue value) {
  switch (value.kind()) {
    case PayloadValue::Kind::kString:
      return GroupKey(std::string(value.AsString()));
    case PayloadValue::Kind::kInt:
      return GroupKey(value.AsInt());
    case PayloadValue::Kind::kUint:
      return GroupKey(value.AsUint());
    case PayloadValue::Kind::kNull:
    case PayloadValue::Kind::kBool:
    case PayloadValue::Kind::kFloat:
    case PayloadValue::Kind::kArray:
    case PayloadValue::Kind::kObject:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

std::vector<GroupKey> PointGroups::KeysOf(const ScoredPoint& point) const {
  std::vector<GroupKey> keys;
  if (!point.payload) return keys;
  bool all_are_keys = true;
  const auto take = [&](PayloadValue value) {
    std::optional<GroupKey> key = KeyOf(value);
    all_are_keys = all_are_keys && key;
    if (key && std::find(keys.begin(), keys.end(), *key) == keys.end()) {
      keys.push_back(std::move(*key));
    }
    return all_are_keys;
  };
  path_.ForEach(point.payload->root(), [&](PayloadValue value) {
    if (value.kind() != PayloadValue::Kind::kArray) return take(value);
    value.ForEachElement(take);
    return all_are_keys;
  });
  if (!all_are_keys) keys.clear();
  return keys;
}

void PointGroups::Add(const ScoredPoint& point) {
  for (GroupKey& key : KeysOf(point)) {
    auto place = places_.find(key);
    if (place == places_.end()) {
      if (has_all_groups()) continue;
      place = places_.emplace(key, groups_.size()).first;
      groups_.push_back({std::move(key), {}, std::nullopt});
    }
    PointGroup& group = groups_[place->second];
    if (!IsFull(group)) group.hits.push_back(point);
  }
}

bool PointGroups::is_full() const {
  return has_all_groups() && std::all_of(groups_.begin(), groups_.end(),
                                         [this](const PointGroup& group) { return IsFull(group); });
}

}  // namespace akidb::service
