#include "hnswlib_peer.h"

#include <atomic>
#include <thread>

#include <hnswlib/hnswlib.h>

namespace akidb::bench {

struct HnswlibPeer::State {
  std::unique_ptr<hnswlib::SpaceInterface<float>> space;
  std::unique_ptr<hnswlib::HierarchicalNSW<float>> index;
};

HnswlibPeer::HnswlibPeer(const PeerRows& rows, const PeerOptions& options)
    : state_(std::make_unique<State>()) {
  if (rows.squared_l2) {
    state_->space = std::make_unique<hnswlib::L2Space>(rows.dim);
  } else {
    state_->space = std::make_unique<hnswlib::InnerProductSpace>(rows.dim);
  }
  state_->index = std::make_unique<hnswlib::HierarchicalNSW<float>>(
      state_->space.get(), rows.count, options.m, options.ef_construction);
  auto row = [&](uint32_t i) { return rows.vectors + size_t{i} * rows.dim; };
  state_->index->addPoint(row(0), 0);
  std::atomic<uint32_t> next{1};
  auto work = [&] {
    for (uint32_t i = next++; i < rows.count; i = next++) state_->index->addPoint(row(i), i);
  };
  std::vector<std::thread> helpers;
  for (unsigned i = 1; i < options.threads; ++i) helpers.emplace_back(work);
  work();
  for (std::thread& helper : helpers) helper.join();
}

HnswlibPeer::~HnswlibPeer() = default;

void HnswlibPeer::Search(const float* query, size_t ef, size_t k, std::vector<uint32_t>& found) {
  state_->index->setEf(ef);
  auto heap = state_->index->searchKnn(query, k);
  found.clear();
  for (; !heap.empty(); heap.pop()) found.push_back(static_cast<uint32_t>(heap.top().second));
}

long HnswlibPeer::TakeDistances() {
  return state_->index->metric_distance_computations.exchange(0);
}

}  // namespace akidb::bench
