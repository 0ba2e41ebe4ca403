// What a file is turned into before it is cut into passages: blocks of text in reading order, each
// under the headings that lead to it. Plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "types/payload.h"

namespace akidb::cli {

enum class BlockKind : uint8_t { kParagraph, kListItem, kTableRow, kPreformatted };

struct Block {
  size_t section = 0;  // index into Document::sections
  BlockKind kind = BlockKind::kParagraph;
  std::string text;   // valid UTF-8, never empty; line ends only where they carry meaning
  uint32_t line = 0;  // of the file, from 1; 0 where a line means nothing (PDF)
  uint32_t page = 0;  // from 1; 0 for formats without pages
};

struct Section {
  std::vector<std::string> path;  // headings from the outermost; may be empty
  std::optional<Payload> fields;  // the other members of a JSON Lines record
};

struct Document {
  std::string title;  // never empty: the file's name where it carries no title
  std::vector<Section> sections;
  std::vector<Block> blocks;
};

}  // namespace akidb::cli
