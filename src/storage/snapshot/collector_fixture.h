// For tests: what is in a snapshot, as one text.
#pragma once

#include <string>

#include "storage/snapshot/snapshot_file.h"

namespace akidb::storage {

// "name:content;" for each file.
class Collector final : public SnapshotVisitor {
 public:
  Status Begin(const FileRef& file) override {
    text += file.name + ":";
    return OkStatus();
  }
  Status Append(std::span<const std::byte> bytes) override {
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return OkStatus();
  }
  Status End() override {
    text += ";";
    return OkStatus();
  }
  std::string text;
};

}  // namespace akidb::storage
