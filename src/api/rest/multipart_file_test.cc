#include "api/rest/multipart_file.h"

#include <gtest/gtest.h>

namespace akidb::rest {
namespace {

constexpr std::string_view kType = "multipart/form-data; boundary=cut";

std::string Part(std::string_view disposition, std::string_view content) {
  return "--cut\r\nContent-Disposition: form-data; " + std::string(disposition) +
         "\r\nContent-Type: application/octet-stream\r\n\r\n" + std::string(content) + "\r\n";
}

struct Taken {
  Status status;
  std::string file;
  std::string name;
};

// The body in pieces of `step` bytes.
Taken Take(std::string_view body, size_t step, std::string_view type = kType) {
  auto multipart = MultipartFile::Make(type, "snapshot");
  if (!multipart.ok()) return {multipart.status(), "", ""};
  Taken taken;
  for (size_t at = 0; at < body.size() && taken.status.ok(); at += step) {
    taken.status = multipart->Append(body.substr(at, step), taken.file);
  }
  if (taken.status.ok()) taken.status = multipart->Finish();
  taken.name = multipart->file_name();
  return taken;
}

TEST(MultipartFile, TakesTheFileOutOfAnyPieces) {
  const std::string content = std::string("\r\n--cu\r\n--cuu--\r--cut\n\0x", 23) + "\r\n\r\n--c";
  const std::string body = "preamble\r\n" + Part("name=\"other\"", "x") +
                           Part("name=\"snapshot\"; filename=\"a.snapshot\"", content) +
                           Part("name=\"more\"", "") + "--cut--\r\nepilogue";
  for (size_t step = 1; step <= body.size(); ++step) {
    const Taken taken = Take(body, step);
    ASSERT_TRUE(taken.status.ok()) << step << " " << taken.status.ToString();
    ASSERT_EQ(taken.file, content) << step;
    ASSERT_EQ(taken.name, "a.snapshot");
  }
}

TEST(MultipartFile, KnowsTheFormsOfNames) {
  for (std::string_view disposition :
       {"name=snapshot; filename=b", "filename=\"x;\\\"y\"; name=\"snapshot\"", "name=\"snapshot\"",
        "NAME=\"snapshot\"; FileName=\"C:\\\\dir\\\\../b\""}) {
    const Taken taken = Take(Part(disposition, "content") + "--cut--", 1000);
    EXPECT_TRUE(taken.status.ok()) << taken.status.ToString();
    EXPECT_EQ(taken.file, "content");
    EXPECT_EQ(taken.name.find_first_of("/\\"), std::string::npos) << taken.name;
  }
  const Taken quoted = Take(Part("name=snapshot", "") + "--cut--", 1000,
                            "Multipart/Form-Data; charset=x; boundary=\"cut\"");
  EXPECT_TRUE(quoted.status.ok()) << quoted.status.ToString();
  EXPECT_EQ(quoted.file, "");
}

TEST(MultipartFile, RefusesWhatIsNotInTheFormat) {
  const std::string good = Part("name=\"snapshot\"", "content");
  for (const std::string& body :
       {std::string(), good.substr(0, good.size() - 5), std::string("--cut--"),
        Part("name=\"other\"", "content") + "--cut--", good + good + "--cut--",
        "--cutx\r\n\r\n" + good, "--cut" + std::string(5000, ' '),
        "--cut\r\n" + std::string(20'000, 'h')}) {
    EXPECT_EQ(Take(body, 100).status.code(), ErrorCode::kInvalidArgument) << body.substr(0, 100);
  }
  for (std::string_view type : {"", "application/json", "multipart/form-data",
                                "multipart/form-data; boundary=", "multipart/mixed; boundary=x"}) {
    EXPECT_EQ(MultipartFile::Make(type, "snapshot").status().code(), ErrorCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace akidb::rest
