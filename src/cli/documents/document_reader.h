// Files to Documents: plain text, Markdown, HTML, JSON Lines and PDF, chosen by the name's ending.
// Functions are thread-safe.
//
// Errors: kUnsupported (not text: binary, UTF-16, PDF that isn't one), kTooLarge, kMalformed (with
// file and line), kUnavailable (pdftotext missing), kIo, kNotFound. Invalid UTF-8 is replaced.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "cli/documents/document.h"
#include "env/file_system.h"

namespace akidb::cli {

enum class DocumentFormat : uint8_t { kText, kMarkdown, kHtml, kJsonLines, kPdf };

inline constexpr uint64_t kDocumentBytesMax = uint64_t{256} << 20;

// By the ending, any case: txt text rst log; md markdown; html htm xhtml; jsonl ndjson; pdf.
std::optional<DocumentFormat> FormatOfName(std::string_view path);

// The bytes as they are, for hashing and parsing. kTooLarge above kDocumentBytesMax.
Result<std::string> LoadDocument(env::FileSystem& fs, const std::string& path);

// `bytes` are those of `path`; a name with an unknown ending is read as plain text.
Result<Document> ParseDocument(const std::string& path, std::string_view bytes);

}  // namespace akidb::cli
