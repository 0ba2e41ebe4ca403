// For tests of damage: hurts one file of a simulated disk as an ageing medium, or a program that
// has no business there, would.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "env/simulated_file_system.h"

namespace akidb::env {

// Of all files below `folder`, in the order of their names.
inline void ListFiles(FileSystem& fs, const std::string& folder, std::vector<std::string>& files) {
  Result<std::vector<std::string>> names = fs.List(folder);
  if (!names.ok()) {
    files.push_back(folder);
    return;
  }
  for (const std::string& name : *names) ListFiles(fs, JoinPath(folder, name), files);
}

struct DiskDamage {
  std::string path;  // empty: there was nothing to hurt
  uint64_t bytes = 0;
  bool cut_off = false;          // at byte `places[0]`
  std::vector<uint64_t> places;  // else of the flipped bits, in bits

  std::string ToString() const {
    std::string text = path + " of " + std::to_string(bytes) + " bytes, ";
    text += cut_off ? "cut off at" : "flipped bits";
    for (const uint64_t place : places) text += ' ' + std::to_string(place);
    return text;
  }
};

// Each file below `folder` is as likely as another, and four times in five one bit of it flips;
// else several do, or its end is lost. It is as if the disk had always been so: what it synced is
// hurt.
template <typename Random>
DiskDamage DamageOneFile(SimulatedFileSystem& fs, const std::string& folder, Random& random) {
  std::vector<std::string> files;
  ListFiles(fs, folder, files);
  DiskDamage damage;
  if (files.empty()) return damage;
  const std::string& path = files[random() % files.size()];
  {
    Result<std::unique_ptr<File>> file = fs.Open(path, OpenMode::kReadWrite);
    if (!file.ok()) return damage;
    damage.bytes = (*file)->Size().ok() ? *(*file)->Size() : 0;
    if (damage.bytes == 0) return damage;
    const uint64_t kind = random() % 10;
    damage.path = path;
    damage.cut_off = kind == 0;
    if (damage.cut_off) {
      damage.places = {random() % damage.bytes};
      const bool done = (*file)->Truncate(damage.places[0]).ok() && (*file)->SyncData().ok();
      if (!done) damage.path.clear();
      return damage;
    }
    const uint64_t count = kind == 1 ? 2 + random() % 7 : 1;
    for (uint64_t i = 0; i < count; ++i) damage.places.push_back(random() % (damage.bytes * 8));
  }
  for (const uint64_t bit : damage.places) {
    if (!fs.FlipBit(path, bit).ok()) damage.path.clear();
  }
  return damage;
}

}  // namespace akidb::env
