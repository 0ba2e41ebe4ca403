// hnswlib behind plain functions, so that its file alone is compiled for this machine's processor:
// its kernels are picked by the compiler's flags.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace akidb::bench {

struct PeerRows {
  const float* vectors = nullptr;  // count x dim
  uint32_t count = 0;
  uint32_t dim = 0;
  bool squared_l2 = false;  // else the dot product
};

struct PeerOptions {
  size_t m = 16;
  size_t ef_construction = 200;
  unsigned threads = 1;
};

class HnswlibPeer {
 public:
  // Builds; `rows` are copied.
  HnswlibPeer(const PeerRows& rows, const PeerOptions& options);
  ~HnswlibPeer();

  void Search(const float* query, size_t ef, size_t k, std::vector<uint32_t>& found);
  // Distances computed since the last call.
  long TakeDistances();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace akidb::bench
