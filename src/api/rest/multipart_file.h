// The one file in a body of multipart/form-data (RFC 7578), taken out of it as it arrives. Not
// thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace akidb::rest {

class MultipartFile {
 public:
  // `content_type` is the request's header; `field` what the file's part is called. Other parts are
  // passed over. kInvalidArgument: not multipart/form-data, or without a boundary.
  static Result<MultipartFile> Make(std::string_view content_type, std::string_view field);

  // Appends to `file` what of the body's next piece belongs to it. kInvalidArgument: not in the
  // format, or a second file.
  Status Append(std::string_view piece, std::string& file);
  // After the last piece. kInvalidArgument: there was no file, or its end is missing.
  Status Finish() const;
  // As the client calls it, without folders; empty when it doesn't.
  const std::string& file_name() const { return file_name_; }

 private:
  // kBefore: nothing that counts, up to a boundary. kBoundary: its line's rest.
  enum class Place : unsigned char { kBefore, kBoundary, kHeaders, kFile, kEnd };

  MultipartFile(std::string_view boundary, std::string_view field);
  // One step; false when more has to come.
  Result<bool> Step(std::string& file);
  bool TakeContent(std::string* file);
  Result<bool> TakeBoundaryLine();
  Result<bool> TakeHeaders();
  Status ReadHeader(std::string_view line, bool& is_ours);

  std::string delimiter_;
  std::string field_;
  std::string waiting_ = "\r\n";  // arrived and not judged; a body may begin with a boundary
  std::string file_name_;
  Place place_ = Place::kBefore;
  bool found_ = false;
  bool whole_ = false;
};

}  // namespace akidb::rest
