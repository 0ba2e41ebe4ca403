// The configuration of a collection that is there: a part of the manifest, changed by publishing
// one that is the same but for it.
#include <algorithm>

#include "engine/collection_impl.h"
#include "types/collection_config_json.h"

namespace akidb::engine {

Status CollectionImpl::PermitPrefixes(const std::string& vector_name,
                                      std::span<const uint32_t> prefixes) {
  const std::optional<size_t> ordinal = schema_.Find(vector_name);
  if (!ordinal) return InvalidArgumentError("Not existing vector name error: " + vector_name);
  std::vector<uint32_t> shorter(prefixes.begin(), prefixes.end());
  std::erase_if(shorter, [&](uint32_t prefix) { return prefix >= schema_.config(*ordinal).dim; });
  const OptionsChange change = [&](CollectionConfig& config) {
    SetModelPrefixes(config, vector_name, shorter);
    return OkStatus();
  };
  {
    // Nearly always nothing changes; then no publication is waited for.
    MutexLock lock(write_mutex_);
    CollectionConfig config = manifest_.config;
    AKIDB_RETURN_IF_ERROR(change(config));
    if (config.echoed_json == manifest_.config.echoed_json) return OkStatus();
  }
  return ChangeEchoed(change);
}

Status CollectionImpl::ChangeOptions(const RequestContext& context, const OptionsChange& change) {
  AKIDB_RETURN_IF_ERROR(context.Check());
  return ChangeEchoed(change);
}

Status CollectionImpl::ChangeEchoed(const OptionsChange& change) {
  MutexLock publishing(publish_mutex_);
  storage::Manifest next;
  {
    MutexLock lock(write_mutex_);
    AKIDB_RETURN_IF_ERROR(CheckWritable());
    next = manifest_;
  }
  const CollectionConfig present = next.config;
  AKIDB_RETURN_IF_ERROR(change(next.config));
  AKIDB_CHECK(next.config.vectors == present.vectors &&
              next.config.durability == present.durability &&
              next.config.payload_indexes == present.payload_indexes);
  if (next.config.echoed_json == present.echoed_json) return OkStatus();
  auto schema = std::make_shared<const VectorSchema>(next.config);
  auto config = std::make_shared<CollectionConfig>(next.config);
  config->payload_indexes.clear();
  AKIDB_RETURN_IF_ERROR(PublishManifest(std::move(next)));
  MutexLock lock(write_mutex_);
  index_schema_ = std::move(schema);
  current_config_ = std::move(config);
  merge_policy_ = PolicyFor(*index_schema_);
  ScheduleMerge();
  SetAlarm();  // there may be something to merge at rest
  return OkStatus();
}

Status CollectionImpl::Retire(const OptionsChange& change) {
  {
    MutexLock lock(write_mutex_);
    AKIDB_RETURN_IF_ERROR(CheckWritable());
    retiring_ = true;
  }
  bool may_count = false;
  if (Status status = PublishLast(change, may_count); !status.ok()) {
    MutexLock lock(write_mutex_);
    retiring_ = false;
    // What the next start finds might have no place for what was written from now on.
    if (may_count) {
      FailWrites(
          UnavailableError("storage_failed: only the next start can tell whether the vectors were "
                           "changed: " +
                           std::string(status.message())));
    }
    return status;
  }
  // Nothing is written by this object any more: its successor opens the folder.
  StopMerges();
  {
    // Waits for a merge's cleaning up.
    MutexLock publishing(publish_mutex_);
  }
  static_cast<void>(log_->Close());
  return OkStatus();
}

Status CollectionImpl::PublishLast(const OptionsChange& change, bool& may_count) {
  {
    MutexLock lock(write_mutex_);
    CollectionConfig tried = manifest_.config;
    AKIDB_RETURN_IF_ERROR(change(tried));
    // Rows of a name that is there again would be taken for those of its vector.
    for (const auto& [name, vector] : tried.vectors) {
      if (schema_.Find(name) || !IsHeldBySegment(name)) continue;
      return UnavailableError("what was stored as vector `" + name +
                              "` is still being removed; try again later");
    }
  }
  AKIDB_RETURN_IF_ERROR(SealAll());
  MutexLock publishing(publish_mutex_);
  storage::Manifest next;
  {
    MutexLock lock(write_mutex_);
    next = manifest_;
  }
  AKIDB_RETURN_IF_ERROR(change(next.config));
  return PublishManifest(std::move(next), &may_count);
}

bool CollectionImpl::IsHeldBySegment(std::string_view name) const {
  return std::any_of(segments_.begin(), segments_.end(), [&](const SealedSegment& segment) {
    return segment.opened.reader->FindVector(name).has_value();
  });
}

}  // namespace akidb::engine
