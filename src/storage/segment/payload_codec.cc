#include "storage/segment/payload_codec.h"

#include <zdict.h>
#include <zstd.h>

namespace akidb::storage {
namespace {

// Level 3 packs as fast as the log is written and unpacks at the speed of any other level.
constexpr int kLevel = 3;

}  // namespace

struct PayloadCompressor::State {
  ~State() {
    ZSTD_freeCCtx(context);
    ZSTD_freeCDict(dictionary);
  }
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CDict* dictionary = nullptr;
  std::vector<std::byte> out;
};

PayloadCompressor::PayloadCompressor(std::span<const std::byte> dictionary)
    : state_(std::make_unique<State>()) {
  AKIDB_CHECK(state_->context != nullptr);
  if (dictionary.empty()) return;
  state_->dictionary = ZSTD_createCDict(dictionary.data(), dictionary.size(), kLevel);
  AKIDB_CHECK(state_->dictionary != nullptr);
}
PayloadCompressor::~PayloadCompressor() = default;

Result<std::span<const std::byte>> PayloadCompressor::Compress(std::span<const std::byte> raw) {
  State& s = *state_;
  s.out.resize(ZSTD_compressBound(raw.size()));
  size_t bytes = s.dictionary != nullptr
                     ? ZSTD_compress_usingCDict(s.context, s.out.data(), s.out.size(), raw.data(),
                                                raw.size(), s.dictionary)
                     : ZSTD_compressCCtx(s.context, s.out.data(), s.out.size(), raw.data(),
                                         raw.size(), kLevel);
  if (ZSTD_isError(bytes)) {
    return InternalError(std::string("zstd: ") + ZSTD_getErrorName(bytes));
  }
  return std::span<const std::byte>(s.out).first(bytes);
}

struct PayloadDictionary::Tables {
  ~Tables() { ZSTD_freeDDict(decompress); }
  ZSTD_DDict* decompress = nullptr;  // null without a dictionary
};

PayloadDictionary::PayloadDictionary(std::unique_ptr<Tables> tables) : tables_(std::move(tables)) {}
PayloadDictionary::~PayloadDictionary() = default;

Result<std::unique_ptr<PayloadDictionary>> PayloadDictionary::Make(
    std::span<const std::byte> bytes) {
  auto tables = std::make_unique<Tables>();
  if (!bytes.empty()) {
    tables->decompress = ZSTD_createDDict(bytes.data(), bytes.size());
    if (tables->decompress == nullptr) {
      return CorruptionError("the payload dictionary is unusable");
    }
  }
  return std::unique_ptr<PayloadDictionary>(new PayloadDictionary(std::move(tables)));
}

struct PayloadDecompressor::State {
  ~State() { ZSTD_freeDCtx(context); }
  ZSTD_DCtx* context = ZSTD_createDCtx();
  const ZSTD_DDict* dictionary = nullptr;
};

PayloadDecompressor::PayloadDecompressor(const PayloadDictionary& dictionary)
    : state_(std::make_unique<State>()) {
  AKIDB_CHECK(state_->context != nullptr);
  state_->dictionary = dictionary.tables_->decompress;
}
PayloadDecompressor::~PayloadDecompressor() = default;

Status PayloadDecompressor::Decompress(std::span<const std::byte> packed,
                                       std::span<std::byte> raw) {
  size_t bytes = state_->dictionary != nullptr
                     ? ZSTD_decompress_usingDDict(state_->context, raw.data(), raw.size(),
                                                  packed.data(), packed.size(), state_->dictionary)
                     : ZSTD_decompressDCtx(state_->context, raw.data(), raw.size(), packed.data(),
                                           packed.size());
  if (ZSTD_isError(bytes)) {
    return CorruptionError(std::string("a block of payloads can't be unpacked: ") +
                           ZSTD_getErrorName(bytes));
  }
  if (bytes != raw.size()) return CorruptionError("a block of payloads has another size");
  return OkStatus();
}

std::vector<std::byte> TrainPayloadDictionary(std::span<const std::byte> samples,
                                              std::span<const size_t> sizes, size_t bytes_max) {
  std::vector<std::byte> dictionary(bytes_max);
  size_t bytes = ZDICT_trainFromBuffer(dictionary.data(), dictionary.size(), samples.data(),
                                       sizes.data(), static_cast<unsigned>(sizes.size()));
  // An error here says that the samples have too little in common.
  dictionary.resize(ZDICT_isError(bytes) ? 0 : bytes);
  return dictionary;
}

}  // namespace akidb::storage
