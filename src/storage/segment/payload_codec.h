// Blocks of payloads, packed and unpacked: zstd with an optional dictionary. The one file that
// knows zstd is payload_codec.cc.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "base/status.h"

namespace akidb::storage {

// One thread.
class PayloadCompressor {
 public:
  // Empty: no dictionary.
  explicit PayloadCompressor(std::span<const std::byte> dictionary);
  ~PayloadCompressor();
  PayloadCompressor(const PayloadCompressor&) = delete;
  PayloadCompressor& operator=(const PayloadCompressor&) = delete;
  // Valid until the next call.
  Result<std::span<const std::byte>> Compress(std::span<const std::byte> raw);

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

// A dictionary made ready for unpacking. Shared by any number of decompressors on any thread.
class PayloadDictionary {
 public:
  // Empty: no dictionary. kCorruption when `bytes` are unusable.
  static Result<std::unique_ptr<PayloadDictionary>> Make(std::span<const std::byte> bytes);
  ~PayloadDictionary();
  PayloadDictionary(const PayloadDictionary&) = delete;
  PayloadDictionary& operator=(const PayloadDictionary&) = delete;

 private:
  friend class PayloadDecompressor;
  struct Tables;
  explicit PayloadDictionary(std::unique_ptr<Tables> tables);
  const std::unique_ptr<Tables> tables_;
};

// One thread.
class PayloadDecompressor {
 public:
  // `dictionary` outlives the decompressor.
  explicit PayloadDecompressor(const PayloadDictionary& dictionary);
  ~PayloadDecompressor();
  PayloadDecompressor(const PayloadDecompressor&) = delete;
  PayloadDecompressor& operator=(const PayloadDecompressor&) = delete;
  // Fills all of `raw`; kCorruption when `packed` gives anything else.
  Status Decompress(std::span<const std::byte> packed, std::span<std::byte> raw);

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

// A dictionary of at most `bytes_max` made from samples that stand one after the other in
// `samples`, of the given sizes. Empty when there is too little to learn from.
std::vector<std::byte> TrainPayloadDictionary(std::span<const std::byte> samples,
                                              std::span<const size_t> sizes, size_t bytes_max);

}  // namespace akidb::storage
