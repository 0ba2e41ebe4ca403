#include "base/utf8.h"
#include "cli/documents/child_process.h"
#include "cli/documents/document_reader.h"
#include "cli/documents/format_readers.h"

namespace akidb::cli {
namespace {

constexpr size_t kSignatureWindowBytes = 1024;

Status Failure(const ChildOutput& output) {
  std::string reason = output.error_text.substr(0, output.error_text.find('\n'));
  if (reason.empty()) reason = "exit code " + std::to_string(output.exit_code);
  return UnsupportedError("pdftotext cannot read the file: " + reason);
}

}  // namespace

Result<Document> ReadPdf(const SourceFile& source) {
  if (source.bytes.substr(0, kSignatureWindowBytes).find("%PDF-") == std::string_view::npos) {
    return UnsupportedError("the file is not a PDF (it does not begin with %PDF-)");
  }
  // "./" keeps a name that begins with a dash from being taken for an option.
  std::string path = source.path.starts_with('/') ? source.path : "./" + source.path;
  ChildProcess child;
  child.arguments = {"pdftotext", "-q", "-enc", "UTF-8", path, "-"};
  child.output_bytes_max = kDocumentBytesMax;
  Result<ChildOutput> run = RunChildProcess(child);
  if (!run.ok() && run.status().code() == ErrorCode::kNotFound) {
    return UnavailableError("reading PDF needs the program pdftotext: install poppler-utils");
  }
  if (!run.ok()) return run.status();
  if (run->exit_code != 0) return Failure(*run);

  DocumentBuilder builder;
  std::string text = ReplaceInvalidUtf8(run->output);
  std::string_view rest = text;
  uint32_t page = 0;
  while (!rest.empty()) {
    size_t end = rest.find('\f');
    AddParagraphs(rest.substr(0, end), ++page, builder);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
  Document document = builder.Finish(source.stem);
  if (document.blocks.empty()) {
    return UnsupportedError("the PDF holds no text (scanned pages need OCR first)");
  }
  return document;
}

}  // namespace akidb::cli
