#include "cli/documents/document_reader.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "base/utf8.h"
#include "cli/documents/format_readers.h"

namespace akidb::cli {
namespace {

constexpr size_t kBinaryProbeBytes = 8192;

std::string_view FileName(std::string_view path) {
  size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string_view FileStem(std::string_view path) {
  std::string_view name = FileName(path);
  size_t dot = name.rfind('.');
  return dot == std::string_view::npos || dot == 0 ? name : name.substr(0, dot);
}

Status CheckIsText(std::string_view bytes) {
  if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF")) {
    return UnsupportedError("the file is UTF-16; convert it with iconv -t UTF-8");
  }
  if (bytes.substr(0, kBinaryProbeBytes).find('\0') != std::string_view::npos) {
    return UnsupportedError(
        "the file is binary; text, Markdown, HTML, JSON Lines and PDF are read");
  }
  return OkStatus();
}

Result<Document> Parse(const SourceFile& source, DocumentFormat format) {
  if (format == DocumentFormat::kPdf) return ReadPdf(source);
  AKIDB_RETURN_IF_ERROR(CheckIsText(source.bytes));
  SourceFile text = source;
  if (text.bytes.starts_with("\xEF\xBB\xBF")) text.bytes.remove_prefix(3);
  std::string repaired;
  if (!IsValidUtf8(text.bytes)) {
    repaired = ReplaceInvalidUtf8(text.bytes);
    text.bytes = repaired;
  }
  switch (format) {
    case DocumentFormat::kText:
      return ReadText(text);
    case DocumentFormat::kMarkdown:
      return ReadMarkdown(text);
    case DocumentFormat::kHtml:
      return ReadHtml(text);
    case DocumentFormat::kJsonLines:
      return ReadJsonLines(text);
    case DocumentFormat::kPdf:
      break;
  }
  return InternalError("unknown document format");
}

}  // namespace

std::optional<DocumentFormat> FormatOfName(std::string_view path) {
  static constexpr std::array<std::pair<std::string_view, DocumentFormat>, 12> kEndings = {{
      {"txt", DocumentFormat::kText},
      {"text", DocumentFormat::kText},
      {"rst", DocumentFormat::kText},
      {"log", DocumentFormat::kText},
      {"md", DocumentFormat::kMarkdown},
      {"markdown", DocumentFormat::kMarkdown},
      {"html", DocumentFormat::kHtml},
      {"htm", DocumentFormat::kHtml},
      {"xhtml", DocumentFormat::kHtml},
      {"jsonl", DocumentFormat::kJsonLines},
      {"ndjson", DocumentFormat::kJsonLines},
      {"pdf", DocumentFormat::kPdf},
  }};
  std::string_view name = FileName(path);
  size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return std::nullopt;
  std::string ending(name.substr(dot + 1));
  for (char& c : ending) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const auto& [known, format] : kEndings) {
    if (ending == known) return format;
  }
  return std::nullopt;
}

Result<std::string> LoadDocument(env::FileSystem& fs, const std::string& path) {
  return env::ReadWholeFile(fs, path, kDocumentBytesMax);
}

Result<Document> ParseDocument(const std::string& path, std::string_view bytes) {
  SourceFile source{path, FileStem(path), bytes};
  Result<Document> document = Parse(source, FormatOfName(path).value_or(DocumentFormat::kText));
  if (!document.ok()) return document.status().WithContext(path);
  return document;
}

}  // namespace akidb::cli
