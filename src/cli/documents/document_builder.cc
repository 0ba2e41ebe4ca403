#include "cli/documents/document_builder.h"

#include <algorithm>
#include <utility>

#include "base/utf8.h"

namespace akidb::cli {
namespace {

constexpr size_t kHeadingBytesMax = 300;
constexpr size_t kHeadingsMax = 12;
constexpr size_t kAsidesMax = 64;
constexpr int kAsideLevel = 7;  // below h6

std::string Shortened(std::string_view heading) {
  std::string text = CollapseWhitespace(heading);
  if (text.size() <= kHeadingBytesMax) return text;
  return std::string(TruncateUtf8(text, kHeadingBytesMax)) + "…";
}

bool IsBlank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n\f\v") == std::string_view::npos;
}

// Bytes of the white space that `text` begins with, and whether it separates words.
std::pair<size_t, bool> LeadingSpace(std::string_view text) {
  switch (text[0]) {
    case ' ':
    case '\t':
    case '\n':
    case '\r':
    case '\f':
    case '\v':
      return {1, true};
    default:
      break;
  }
  if (text.starts_with("\xC2\xA0")) return {2, true};       // no-break space
  if (text.starts_with("\xC2\xAD")) return {2, false};      // soft hyphen
  if (text.starts_with("\xE2\x80\x8B")) return {3, false};  // zero-width space
  if (text.starts_with("\xEF\xBB\xBF")) return {3, false};  // byte order mark
  return {0, false};
}

}  // namespace

std::string CollapseWhitespace(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool pending = false;
  while (!text.empty()) {
    auto [bytes, separates] = LeadingSpace(text);
    if (bytes > 0) {
      pending = pending || separates;
      text.remove_prefix(bytes);
      continue;
    }
    if (pending && !out.empty()) out += ' ';
    pending = false;
    out += text[0];
    text.remove_prefix(1);
  }
  return out;
}

void DocumentBuilder::SetRoot(std::string heading) { Heading(0, heading); }

void DocumentBuilder::SetTitle(std::string_view title) {
  if (document_.title.empty()) document_.title = Shortened(title);
}

void DocumentBuilder::Heading(int level, std::string_view heading) {
  std::string text = Shortened(heading);
  if (text.empty()) return;
  while (!headings_.empty() && headings_.back().level >= level) headings_.pop_back();
  section_stale_ = true;
  // A page that repeats its chapter's name as its first heading gains nothing by saying it twice.
  if (!headings_.empty() && headings_.back().text == text) return;
  if (headings_.size() < kHeadingsMax) headings_.push_back({level, std::move(text)});
}

void DocumentBuilder::EnterAside() {
  if (saved_.size() < kAsidesMax) saved_.push_back(headings_);
  section_stale_ = true;
}

void DocumentBuilder::AsideHeading(std::string_view heading) {
  Heading(kAsideLevel + static_cast<int>(saved_.size()), heading);
}

void DocumentBuilder::LeaveAside() {
  if (saved_.empty()) return;
  headings_ = std::move(saved_.back());
  saved_.pop_back();
  section_stale_ = true;
}

void DocumentBuilder::BeginRecord(std::vector<std::string> path, std::optional<Payload> fields) {
  if (path.size() > kHeadingsMax) path.resize(kHeadingsMax);
  for (std::string& heading : path) heading = Shortened(heading);
  std::erase(path, "");
  document_.sections.push_back({std::move(path), std::move(fields)});
  section_stale_ = false;
}

std::vector<std::string> DocumentBuilder::Path() const {
  std::vector<std::string> path;
  path.reserve(headings_.size());
  for (const OpenHeading& heading : headings_) path.push_back(heading.text);
  return path;
}

void DocumentBuilder::Add(Block block) {
  if (IsBlank(block.text)) return;
  if (section_stale_) {
    std::vector<std::string> path = Path();
    if (document_.sections.empty() || document_.sections.back().path != path) {
      document_.sections.push_back({std::move(path), std::nullopt});
    }
    section_stale_ = false;
  }
  block.section = document_.sections.size() - 1;
  document_.blocks.push_back(std::move(block));
}

Document DocumentBuilder::Finish(std::string_view fallback_title) {
  if (document_.title.empty() && !document_.sections.empty()) {
    const Section& first = document_.sections.front();
    if (!first.path.empty() && !first.fields) document_.title = first.path.front();
  }
  SetTitle(fallback_title);
  return std::move(document_);
}

}  // namespace akidb::cli
