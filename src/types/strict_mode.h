// What requests to a collection may ask for at most: the dialect's strict mode.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace akidb {

// Absent: no limit, or allowed.
struct StrictMode {
  bool enabled = false;  // else the rest means nothing
  // Of requests that read.
  std::optional<uint64_t> max_query_limit;
  std::optional<uint64_t> max_timeout;  // in seconds
  std::optional<bool> unindexed_filtering_retrieve;
  std::optional<uint64_t> search_max_hnsw_ef;
  std::optional<bool> search_allow_exact;
  std::optional<double> search_max_oversampling;
  std::optional<uint64_t> search_max_batchsize;
  // Of filters.
  std::optional<uint64_t> filter_max_conditions;
  std::optional<uint64_t> condition_max_size;  // values in one condition
  // Of requests that write.
  std::optional<bool> unindexed_filtering_update;
  std::optional<uint64_t> upsert_max_batchsize;
  std::optional<uint64_t> max_collection_vector_size_bytes;
  std::optional<uint64_t> max_collection_payload_size_bytes;
  std::optional<uint64_t> max_points_count;
  std::optional<uint64_t> max_payload_index_count;
  std::map<std::string, uint64_t> max_vectors;  // of a multivector, by its name
  std::map<std::string, uint64_t> max_length;   // of a sparse vector, by its name
  std::optional<uint64_t> max_resident_memory_percent;
  // A minute.
  std::optional<uint64_t> read_rate_limit;
  std::optional<uint64_t> write_rate_limit;
};

}  // namespace akidb
