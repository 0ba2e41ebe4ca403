// What the fuzzer of decoders asks of each of them.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace akidb::fuzz {

using Bytes = std::vector<std::byte>;

class Decoder {
 public:
  virtual ~Decoder() = default;
  virtual std::string_view name() const = 0;
  // Sound input, made by the program's own writers.
  virtual std::vector<Bytes> Seeds() = 0;
  // Makes checksums and sizes right, so that what lies behind them is reached. Input of any kind.
  virtual void Mend(Bytes& input) = 0;
  // Decodes. Empty when the answer is a clean refusal or keeps to what the format promises,
  // otherwise what is wrong with it.
  virtual std::string Judge(const Bytes& input) = 0;
};

// Of logs, manifests, segments, deltas, snapshots, records and checkpoints of the system log.
std::vector<std::unique_ptr<Decoder>> MakeDecoders();

std::unique_ptr<Decoder> MakeLogDecoder();
std::unique_ptr<Decoder> MakeManifestDecoder();
std::unique_ptr<Decoder> MakeSegmentDecoder();
std::unique_ptr<Decoder> MakeDeltaDecoder();
std::unique_ptr<Decoder> MakeSnapshotDecoder();
std::unique_ptr<Decoder> MakeSystemRecordDecoder();
std::unique_ptr<Decoder> MakeCheckpointDecoder();

// Numbers in the input, little-endian. Reading beyond the end gives 0, writing does nothing.
template <typename T>
T NumberAt(const Bytes& input, size_t offset) {
  T value = 0;
  if (offset <= input.size() && sizeof value <= input.size() - offset) {
    std::memcpy(&value, input.data() + offset, sizeof value);
  }
  return value;
}
template <typename T>
void PutNumber(T value, size_t offset, Bytes& input) {
  if (offset <= input.size() && sizeof value <= input.size() - offset) {
    std::memcpy(input.data() + offset, &value, sizeof value);
  }
}

}  // namespace akidb::fuzz
