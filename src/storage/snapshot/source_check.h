// Whether a file that is copied into a snapshot is what was written.
#pragma once

#include <optional>
#include <span>

#include "base/sha256.h"
#include "base/status.h"
#include "env/file_system.h"
#include "storage/segment/file_ref.h"
#include "storage/segment/section_check.h"

namespace akidb::storage {

// Tells whether the bytes of a file, given front to back, are those that were written.
class SourceCheck {
 public:
  // `file` outlives the object.
  explicit SourceCheck(const FileRef& file) : file_(file) {}
  SourceCheck(const SourceCheck&) = delete;
  SourceCheck& operator=(const SourceCheck&) = delete;

  // What is sealed, a segment or a delta, is checked by the checksums that it carries, which `from`
  // is read for; everything else by its hash.
  Status Begin(env::File& from, bool sealed) {
    if (!sealed) return OkStatus();
    AKIDB_ASSIGN_OR_RETURN(blocks_, SectionCheck::Open(from, file_));
    return OkStatus();
  }

  // kCorruption.
  Status Update(std::span<const std::byte> piece) {
    if (blocks_) return blocks_->Update(piece);
    hash_.Update(piece);
    return OkStatus();
  }

  Status Finish() const {
    if (blocks_ || hash_.Digest() == file_.sha256) return OkStatus();
    return CorruptionError(file_.name + " is damaged: its hash isn't the one it had");
  }

  const FileRef& file() const { return file_; }

 private:
  const FileRef& file_;
  std::optional<SectionCheck> blocks_;
  Sha256 hash_;
};

}  // namespace akidb::storage
