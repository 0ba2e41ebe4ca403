// For crash tests: tells two states of a disk apart, so that one that came up twice is counted
// once.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "env/file_system.h"

namespace akidb::env {

namespace internal {

inline void MixIn(std::span<const std::byte> bytes, uint64_t& hash) {
  auto mix = [&](uint64_t word) {
    hash = (hash ^ word) * 0x9E3779B97F4A7C15;
    hash ^= hash >> 32;
  };
  for (; bytes.size() >= sizeof(uint64_t); bytes = bytes.subspan(sizeof(uint64_t))) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    mix(word);
  }
  uint64_t rest = 0;
  if (!bytes.empty()) std::memcpy(&rest, bytes.data(), bytes.size());
  mix(rest);
  mix(bytes.size());
}

inline void MixInFolder(FileSystem& fs, const std::string& path, uint64_t& hash) {
  Result<std::vector<std::string>> names = fs.List(path);
  if (!names.ok()) {
    Result<std::unique_ptr<File>> file = fs.Open(path, OpenMode::kRead);
    Result<uint64_t> bytes = file.ok() ? (*file)->Size() : file.status();
    std::vector<std::byte> content(bytes.ok() ? *bytes : 0);
    if (bytes.ok() && (*file)->ReadAt(0, content).ok()) MixIn(content, hash);
    return;
  }
  for (const std::string& name : *names) {
    MixIn(std::as_bytes(std::span(name)), hash);
    MixInFolder(fs, JoinPath(path, name), hash);
  }
  MixIn({}, hash);
}

}  // namespace internal

// Of all names and contents below `folder`. 64 bits: of a million states two are taken for one with
// a probability of 3e-8.
inline uint64_t FingerprintOf(FileSystem& fs, const std::string& folder) {
  uint64_t hash = 0;
  internal::MixInFolder(fs, folder, hash);
  return hash;
}

}  // namespace akidb::env
