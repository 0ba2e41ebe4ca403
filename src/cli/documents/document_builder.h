// Collects headings and blocks in reading order into a Document; used by every reader. Not
// thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/documents/document.h"

namespace akidb::cli {

class DocumentBuilder {
 public:
  // The outermost heading, for files that are a part of a larger work. Level 0.
  void SetRoot(std::string heading);
  // The first title that is not empty stays.
  void SetTitle(std::string_view title);

  // Opens the section `heading` at `level` (1 is the outermost), closing those of the same and of
  // deeper levels. An empty heading is left out.
  void Heading(int level, std::string_view heading);

  // Sidebars interrupt a section: LeaveAside restores what EnterAside saved. They may nest.
  void EnterAside();
  void AsideHeading(std::string_view heading);
  void LeaveAside();

  // The members that the blocks up to the next call carry (JSON Lines). Opens a section of its own.
  void BeginRecord(std::vector<std::string> path, std::optional<Payload> fields);

  // Text that is empty, or white space alone, is left out.
  void Add(Block block);

  // `fallback_title` is used where neither a title nor a heading was seen. The builder is spent.
  Document Finish(std::string_view fallback_title);

 private:
  struct OpenHeading {
    int level;
    std::string text;
  };
  std::vector<std::string> Path() const;

  Document document_;
  std::vector<OpenHeading> headings_;
  std::vector<std::vector<OpenHeading>> saved_;
  bool section_stale_ = true;  // the next block must open a new section
};

// `text` without white space at both ends and with each run of it inside turned into one space;
// no-break spaces count, soft hyphens and zero-width spaces vanish.
std::string CollapseWhitespace(std::string_view text);

}  // namespace akidb::cli
