// The body of snapshots/upload: its file goes to the disk as it arrives.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "api/rest/http_message.h"
#include "api/rest/multipart_file.h"
#include "service/service.h"

namespace akidb::rest {

class SnapshotUploadBody final : public HttpBodySink {
 public:
  // `service` outlives the object. The file is made with the first piece.
  SnapshotUploadBody(MultipartFile multipart, service::Service& service)
      : multipart_(std::move(multipart)), service_(service) {}

  Status Append(std::string_view piece) override;
  // After the last piece: the file, and what the client calls it. As MultipartFile::Finish.
  Result<std::unique_ptr<service::SnapshotUpload>> Finish();
  const std::string& file_name() const { return multipart_.file_name(); }

 private:
  MultipartFile multipart_;
  service::Service& service_;
  std::unique_ptr<service::SnapshotUpload> file_;
  std::string content_;
};

}  // namespace akidb::rest
