// The collection that `akidb bench` measures: in a data folder that this process opens, or on a
// server reached by HTTP. Search is thread-safe, the rest is for one thread.
//
// Errors: kNotFound (folder, collection, vector), kAlreadyExists, kBusy (another process has the
// folder), kUnavailable (no server answers), and what engine or server report.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "cli/filter_reader.h"
#include "cli/http_client.h"
#include "types/collection_config.h"
#include "types/point.h"

namespace akidb::cli {

// The payload field of the points that `akidb bench` stores: evenly spread over 0 … kShareEnd - 1,
// so that a filter on it admits any share of them.
inline constexpr char kShareField[] = "share";
inline constexpr uint64_t kShareEnd = 10'000;

struct TargetFacts {
  uint32_t dim = 0;
  Metric metric = Metric::kCosine;
  uint64_t points = 0;
};

// What a search has looked at.
struct SearchCost {
  uint64_t rows = 0;   // distances by codes, and of vectors
  uint64_t bytes = 0;  // of codes, links and vectors
};

struct TargetQuery {
  std::span<const float> vector{};
  size_t limit = 10;
  size_t ef = 0;  // candidates in a graph; 0: the default
  bool exact = false;
  // Filled in where given, as far as the target tells; asking for it takes time of its own.
  SearchCost* cost = nullptr;
};

struct Neighbour {
  PointId id;
  float distance = 0;  // smaller is nearer
};

struct SharedPoint {
  uint64_t id = 0;
  std::span<const float> vector;
  uint64_t share = 0;
};

struct IdPage {
  std::vector<PointId> ids;
  std::optional<PointId> next;
};

class BenchTarget {
 public:
  virtual ~BenchTarget() = default;

  // How to call it in messages: the URL or the folder.
  virtual const std::string& place() const = 0;

  // The collection, with an index on kShareField.
  virtual Status Create(uint32_t dim, Metric metric) = 0;
  virtual Status Upsert(std::span<const SharedPoint> points) = 0;
  // Whether all that was stored is sealed, merged and has its graph by now.
  virtual Result<bool> IsAtRest() = 0;
  virtual Status Drop() = 0;

  virtual Result<TargetFacts> Facts() = 0;
  // All points by id; `from` is the first.
  virtual Result<IdPage> Ids(const std::optional<PointId>& from) = 0;
  // Of those that have the vector.
  virtual Result<std::vector<std::pair<PointId, DenseVector>>> Vectors(
      std::span<const PointId> ids) = 0;

  // Of Count and of later searches; empty: none. Not while searches run.
  virtual Status UseFilter(const std::string& json) = 0;
  virtual Result<uint64_t> Count() = 0;
  // Nearest first.
  virtual Result<std::vector<Neighbour>> Search(const TargetQuery& query) = 0;
};

struct TargetName {
  std::string place;  // a data folder, or a URL without a slash at its end
  std::string collection;
  std::string vector;             // empty: the default one
  HttpCredentials credentials{};  // of a URL
};

// `create_folder`: the folder, when missing.
struct LocalTargetOptions {
  bool create_folder = false;
  FilterReader read_filter;
};
Result<std::unique_ptr<BenchTarget>> OpenLocalTarget(const TargetName& name,
                                                     LocalTargetOptions options);
Result<std::unique_ptr<BenchTarget>> OpenHttpTarget(const TargetName& name);

}  // namespace akidb::cli
