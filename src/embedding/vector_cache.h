// Vectors of queries that were asked before, the least recently used ones leaving when the bound of
// bytes is reached.
//
// A key is the model's fingerprint and the ids that the model is run on. In them is all that the
// vector depends on: the text, its prompt (and so input type and instruction) and how it was cut.
// Keys are compared whole, never by their hash alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "embedding/embedder.h"

namespace akidb::embedding {

// Thread-safe. One for all models.
class VectorCache {
 public:
  // 0: nothing is kept.
  explicit VectorCache(size_t bytes_max) : bytes_max_(bytes_max) {}
  VectorCache(const VectorCache&) = delete;
  VectorCache& operator=(const VectorCache&) = delete;

  // What a key is made of.
  struct Key {
    std::string_view fingerprint;
    std::span<const int32_t> ids;
  };

  // Appends the vector to `out`; false: it isn't there, and `out` stays as it was.
  bool Find(const Key& key, std::vector<float>& out) AKIDB_EXCLUDES(mutex_);
  // Keeps a vector, the model's whole one. What is there already is left as it is, and what alone
  // is larger than the bound is passed over.
  void Insert(const Key& key, std::span<const float> vector) AKIDB_EXCLUDES(mutex_);

  bool enabled() const { return bytes_max_ > 0; }

  CacheStatistics statistics() const AKIDB_EXCLUDES(mutex_);

 private:
  struct Entry {
    std::string key;
    std::vector<float> vector;
    size_t bytes() const;
  };

  const size_t bytes_max_;
  mutable Mutex mutex_;
  std::list<Entry> entries_ AKIDB_GUARDED_BY(mutex_);  // the latest used first
  // Keys point into the entries.
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_key_ AKIDB_GUARDED_BY(mutex_);
  size_t bytes_ AKIDB_GUARDED_BY(mutex_) = 0;
  uint64_t hits_ AKIDB_GUARDED_BY(mutex_) = 0;
  uint64_t misses_ AKIDB_GUARDED_BY(mutex_) = 0;
};

}  // namespace akidb::embedding
