#include "api/rest/multipart_file.h"

#include <algorithm>

namespace akidb::rest {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr size_t kBoundaryBytesMax = 70;  // RFC 2046, 5.1.1
constexpr size_t kBoundaryLineMax = 1024;
constexpr size_t kHeadersMax = 8u << 10;

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool StartsWith(std::string_view text, std::string_view lower) {
  return text.size() >= lower.size() && std::equal(lower.begin(), lower.end(), text.begin(),
                                                   [](char a, char b) { return a == Lower(b); });
}

std::string_view Trimmed(std::string_view text) {
  const size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
  const size_t end = text.find_last_not_of(" \t");
  return end == text.npos ? "" : text.substr(begin, end - begin + 1);
}

// The value of parameter `name` in "form-data; name=\"a\"; filename=b"; in quotes a backslash
// stands before a character that counts as such.
std::string Parameter(std::string_view header, std::string_view name) {
  size_t at = std::min(header.find(';'), header.size());
  while (at < header.size()) {
    const std::string_view rest = header.substr(at + 1);
    const size_t equals = rest.find('=');
    if (equals == rest.npos) return "";
    const std::string_view key = Trimmed(rest.substr(0, equals));
    size_t i = equals + 1;
    std::string value;
    if (i < rest.size() && rest[i] == '"') {
      for (++i; i < rest.size() && rest[i] != '"'; ++i) {
        if (rest[i] == '\\' && i + 1 < rest.size()) ++i;
        value += rest[i];
      }
      i = std::min(rest.find(';', i), rest.size());
    } else {
      const size_t end = std::min(rest.find(';', i), rest.size());
      value = Trimmed(rest.substr(i, end - i));
      i = end;
    }
    if (key.size() == name.size() && StartsWith(key, name)) return value;
    at += 1 + i;
  }
  return "";
}

Status Malformed(std::string_view what) {
  return InvalidArgumentError("the multipart/form-data body " + std::string(what));
}

}  // namespace

MultipartFile::MultipartFile(std::string_view boundary, std::string_view field)
    : delimiter_("\r\n--" + std::string(boundary)), field_(field) {}

Result<MultipartFile> MultipartFile::Make(std::string_view content_type, std::string_view field) {
  if (!StartsWith(content_type, "multipart/form-data")) {
    return InvalidArgumentError("content-type: expected multipart/form-data, got `" +
                                std::string(content_type) + "`");
  }
  const std::string boundary = Parameter(content_type, "boundary");
  if (boundary.empty() || boundary.size() > kBoundaryBytesMax) {
    return InvalidArgumentError("content-type: expected a boundary of 1 to 70 characters");
  }
  return MultipartFile(boundary, field);
}

Status MultipartFile::Append(std::string_view piece, std::string& file) {
  if (place_ == Place::kEnd) return OkStatus();
  waiting_.append(piece);
  for (bool more = true; more;) {
    AKIDB_ASSIGN_OR_RETURN(more, Step(file));
  }
  return OkStatus();
}

Status MultipartFile::Finish() const {
  if (!found_) return Malformed("has no file called `" + field_ + "`");
  return whole_ ? OkStatus() : Malformed("is cut off");
}

Result<bool> MultipartFile::Step(std::string& file) {
  switch (place_) {
    case Place::kBefore:
      return TakeContent(nullptr);
    case Place::kFile:
      return TakeContent(&file);
    case Place::kBoundary:
      return TakeBoundaryLine();
    case Place::kHeaders:
      return TakeHeaders();
    case Place::kEnd:
      waiting_.clear();
      return false;
  }
  return false;
}

bool MultipartFile::TakeContent(std::string* file) {
  const size_t end = waiting_.find(delimiter_);
  // What may be the beginning of a delimiter waits for the rest.
  const size_t content =
      end != waiting_.npos ? end : waiting_.size() - std::min(waiting_.size(), delimiter_.size());
  if (file != nullptr) file->append(waiting_, 0, content);
  waiting_.erase(0, end != waiting_.npos ? end + delimiter_.size() : content);
  if (end == waiting_.npos) return false;
  if (place_ == Place::kFile) whole_ = true;
  place_ = Place::kBoundary;
  return true;
}

Result<bool> MultipartFile::TakeBoundaryLine() {
  if (waiting_.size() < kLineEnd.size()) return false;
  if (waiting_.starts_with("--")) {
    place_ = Place::kEnd;
    return true;
  }
  const size_t end = waiting_.find(kLineEnd);
  if (end == waiting_.npos) {
    if (waiting_.size() > kBoundaryLineMax) return Malformed("has a boundary without an end");
    return false;
  }
  if (!Trimmed(std::string_view(waiting_).substr(0, end)).empty()) {
    return Malformed("has more than its boundary on a boundary's line");
  }
  // The line's end is left: it begins an empty list of headers, too.
  waiting_.erase(0, end);
  place_ = Place::kHeaders;
  return true;
}

Result<bool> MultipartFile::TakeHeaders() {
  const size_t end = waiting_.find("\r\n\r\n");
  if (end == waiting_.npos) {
    if (waiting_.size() > kHeadersMax) return Malformed("has a part with too long headers");
    return false;
  }
  bool is_ours = false;
  for (size_t at = kLineEnd.size(); at < end;) {
    const size_t line_end = waiting_.find(kLineEnd, at);
    AKIDB_RETURN_IF_ERROR(
        ReadHeader(std::string_view(waiting_).substr(at, line_end - at), is_ours));
    at = line_end + kLineEnd.size();
  }
  // An empty part's boundary begins with the end of the headers' last line.
  waiting_.erase(0, end + kLineEnd.size());
  if (is_ours && found_) return Malformed("has two files called `" + field_ + "`");
  found_ = found_ || is_ours;
  place_ = is_ours ? Place::kFile : Place::kBefore;
  if (is_ours) waiting_.erase(0, kLineEnd.size());
  return true;
}

Status MultipartFile::ReadHeader(std::string_view line, bool& is_ours) {
  if (!StartsWith(line, "content-disposition:")) return OkStatus();
  if (Parameter(line, "name") != field_) return OkStatus();
  is_ours = true;
  file_name_ = Parameter(line, "filename");
  const size_t folder = file_name_.find_last_of("/\\");
  if (folder != file_name_.npos) file_name_.erase(0, folder + 1);
  return OkStatus();
}

}  // namespace akidb::rest
