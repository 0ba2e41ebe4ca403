// Cuts a Document into passages that fit a model's window.
//
// Blocks of one section are put together up to a target; a section that is longer is cut into parts
// of about equal length between blocks, and a block that alone is too long at the ends of its
// sentences, lines or words, in this order. Passages never span sections and don't overlap; their
// texts, in order, hold every word of the document. Thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cli/documents/document.h"

namespace akidb::cli {

struct SplitterOptions {
  size_t target_tokens = 200;
  size_t window_tokens = 256;  // of the model, its special tokens included; at least 32
};

struct Passage {
  size_t section = 0;  // index into Document::sections
  std::string text;
  std::string embedded_text;  // what the model sees: the headings, then the text
  uint32_t line = 0;          // where it begins; 0 where lines mean nothing
  uint32_t page = 0;
};

std::vector<Passage> SplitDocument(const Document& document, const SplitterOptions& options);

}  // namespace akidb::cli
