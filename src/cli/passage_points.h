// Passages of one file as points of a collection, and what the collection holds of them already.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "cli/backend.h"
#include "cli/documents/document.h"
#include "cli/documents/passage_splitter.h"

namespace akidb::cli {

// A file as it is now.
struct SourceVersion {
  const std::string& collection;
  const std::string& path;
  const std::string& sha256;
};

// Version of a passage in the collection: equal to that of the source, or outdated.
struct HeldPassages {
  std::vector<bool> current;      // by passage number: there, and of this version
  std::vector<PointId> all;       // by passage number; only those that exist
  std::vector<uint64_t> numbers;  // of `all`
  uint64_t total = 0;             // that the current version has; 0: not known

  // Every passage of the current version is there, and no other.
  bool Complete() const;
};

// Looks the ids up from 0 on, until a long stretch of them is missing.
Result<HeldPassages> FindHeld(Backend& backend, const SourceVersion& source);

// Of passage `number` of `total`. Payload: text, title, section, file, position {passage, of, line,
// page}, sha256, and the fields of a JSON Lines record that don't collide with these.
TextPoint MakePoint(const SourceVersion& source, const Document& document,
                    std::vector<Passage>& passages, uint64_t number);

}  // namespace akidb::cli
