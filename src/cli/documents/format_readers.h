// One reader per format, called by ParseDocument, which has checked the size and repaired the
// encoding (but for PDF, whose bytes are passed on as they are). Functions are thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "cli/documents/document.h"
#include "cli/documents/document_builder.h"

namespace akidb::cli {

struct SourceFile {
  const std::string& path;
  std::string_view stem;  // the file's name without its ending: the title of last resort
  std::string_view bytes;
};

Result<Document> ReadText(const SourceFile& source);
// Headings of either style; a front matter block gives the title.
Result<Document> ReadMarkdown(const SourceFile& source);
// Navigation, scripts and styles are left out; DocBook's, Sphinx's and plain pages are understood.
Result<Document> ReadHtml(const SourceFile& source);
// One object a line: `text` (or `content`, `body`), `title`, `section` (string or array of
// strings); all other members are kept as fields of the passage.
Result<Document> ReadJsonLines(const SourceFile& source);
// Through the program pdftotext (package poppler-utils), which reads `source.path` by itself.
Result<Document> ReadPdf(const SourceFile& source);

// Splits at blank lines and adds each paragraph; lines of unindented paragraphs are joined. With a
// page, words divided at a line's end are put together again and lines are not counted.
void AddParagraphs(std::string_view text, uint32_t page, DocumentBuilder& builder);

}  // namespace akidb::cli
