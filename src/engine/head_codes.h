// Codes of one vector of a head's rows: what a search reads in place of the vectors, an eighth of
// their bytes. Whoever writes makes them, a few blocks at a time, and only once somebody searches:
// loading many points without a question costs nothing.
//
// One writer at a time; any number of readers at the same time, without a lock.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "index/codes/code_section.h"
#include "types/metric.h"

namespace akidb::engine {

class HeadCodes {
 public:
  // Room for `rows_max` rows of `dim` components; `metric` is one that codes keep: not Manhattan.
  HeadCodes(Metric metric, uint32_t dim, uint32_t rows_max);

  // Writer side.
  //
  // The next rows, whole ones of dim components in a row. Nothing is coded from the first rows on
  // that codes can't stand for.
  void Add(std::span<const float> vectors);
  // Rows follow that codes can't stand for: those before stay coded.
  void End() { ended_ = true; }
  bool ended() const { return ended_; }
  // Whether anybody has asked for codes.
  bool wanted() const { return wanted_.load(std::memory_order_relaxed); }
  // Of the process's memory.
  size_t bytes() const;

  // Reader side.
  void Ask() const { wanted_.store(true, std::memory_order_relaxed); }
  // The first so many rows are coded.
  uint32_t rows() const { return rows_.load(std::memory_order_acquire); }
  // The first `count` rows as a section is opened: 0 < count <= rows(). Shares nothing that
  // changes; these codes outlive it.
  index::CodeSection Section(uint32_t count) const;

 private:
  bool CanStandFor(std::span<const float> vectors) const;

  const Metric metric_;
  const uint32_t dim_;
  const uint32_t rows_max_;
  bool ended_ = false;
  mutable std::atomic<bool> wanted_ = false;
  std::atomic<uint32_t> rows_ = 0;
  // Both are there once rows are: the space's centre is the mean of the first rows.
  std::shared_ptr<const index::CodeSpace> space_;
  std::unique_ptr<std::byte[]> codes_;
};

}  // namespace akidb::engine
