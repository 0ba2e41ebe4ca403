#include "embedding/vector_cache.h"

namespace akidb::embedding {
namespace {

// What an entry costs beside its key and its vector: nodes of list and map, a bucket, and what
// malloc adds to four blocks.
constexpr size_t kEntryOverhead = 224;

std::string Flat(const VectorCache::Key& key) {
  std::string text;
  text.reserve(key.fingerprint.size() + 1 + key.ids.size_bytes());
  // No fingerprint holds a NUL, so two keys that are equal have equal parts.
  text.append(key.fingerprint).push_back('\0');
  text.append(reinterpret_cast<const char*>(key.ids.data()), key.ids.size_bytes());
  return text;
}

}  // namespace

size_t VectorCache::Entry::bytes() const {
  return key.size() + vector.size() * sizeof(float) + kEntryOverhead;
}

bool VectorCache::Find(const Key& key, std::vector<float>& out) {
  const std::string flat = Flat(key);
  MutexLock lock(mutex_);
  auto found = by_key_.find(flat);
  if (found == by_key_.end()) {
    ++misses_;
    return false;
  }
  ++hits_;
  entries_.splice(entries_.begin(), entries_, found->second);
  const std::vector<float>& vector = found->second->vector;
  out.insert(out.end(), vector.begin(), vector.end());
  return true;
}

void VectorCache::Insert(const Key& key, std::span<const float> vector) {
  Entry entry{Flat(key), {vector.begin(), vector.end()}};
  const size_t bytes = entry.bytes();
  if (bytes > bytes_max_) return;
  MutexLock lock(mutex_);
  if (by_key_.contains(entry.key)) return;
  while (bytes_ + bytes > bytes_max_) {
    bytes_ -= entries_.back().bytes();
    by_key_.erase(entries_.back().key);
    entries_.pop_back();
  }
  entries_.push_front(std::move(entry));
  by_key_.emplace(entries_.front().key, entries_.begin());
  bytes_ += bytes;
}

CacheStatistics VectorCache::statistics() const {
  MutexLock lock(mutex_);
  return {hits_, misses_, entries_.size(), bytes_};
}

}  // namespace akidb::embedding
