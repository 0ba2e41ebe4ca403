#include "api/rest/content_coding.h"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

namespace akidb::rest {
namespace {

std::string Json(size_t bytes) {
  std::string text = "[";
  for (size_t i = 0; text.size() + 8 < bytes; ++i) text += std::to_string(i * i % 9973) + ",";
  text.resize(bytes - 1, ' ');
  return text + "]";
}

std::string Gunzipped(std::string_view in, size_t bytes) {
  std::string out(bytes + 1, '\0');
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  EXPECT_EQ(stream.avail_in, 0u);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

std::string Unzstded(std::string_view in, size_t bytes) {
  std::string out(bytes + 1, '\0');
  const size_t got = ZSTD_decompress(out.data(), out.size(), in.data(), in.size());
  EXPECT_EQ(ZSTD_isError(got), 0u);
  out.resize(std::min(got, out.size()));
  return out;
}

bool IsVaried(const HttpResponse& response) {
  return response.headers.find("vary: accept-encoding\r\n") != response.headers.npos;
}

TEST(ChooseCoding, GoesByTheWeights) {
  using enum ContentCoding;
  const std::pair<std::string_view, ContentCoding> cases[] = {
      {"", kIdentity},
      {"gzip", kGzip},
      {"GZip", kGzip},
      {"x-gzip", kGzip},
      {"zstd", kZstd},
      {"gzip, deflate", kGzip},
      {"gzip, deflate, br, zstd", kZstd},
      {"gzip, compress, deflate, br", kGzip},
      {"gzip;q=1.0, zstd;q=0.5", kGzip},
      {"gzip ; q=0.5 ,\tzstd ; Q=0.501", kZstd},
      {"br", kIdentity},
      {"identity", kIdentity},
      {"gzip;q=0", kIdentity},
      {"gzip;q=0.000, zstd;q=0", kIdentity},
      {"*", kZstd},
      {"*;q=0", kIdentity},
      {"zstd;q=0, *", kGzip},
      {"gzip;q=0.2, *;q=0", kGzip},
      {"identity;q=1, gzip;q=0.5", kIdentity},
      {"identity;q=0.5, gzip;q=1", kGzip},
      {"identity;q=0, gzip;q=0.001", kGzip},
      {",, ,gzip,", kGzip},
  };
  for (const auto& [header, coding] : cases) EXPECT_EQ(ChooseCoding(header), coding) << header;
}

TEST(ChooseCoding, TakesABrokenWeightForARefusal) {
  for (std::string_view weight :
       {"q", "q=", "q=2", "q=1.001", "q=-1", "q=0.1234", "q=.5", "q=a", "q=0x1", "level=1", ""}) {
    EXPECT_EQ(ChooseCoding("gzip;" + std::string(weight)), ContentCoding::kIdentity) << weight;
  }
}

TEST(CompressBody, WhatIsCompressedReadsTheSame) {
  for (size_t bytes : {size_t{2048}, size_t{70'000}, size_t{3} << 20}) {
    const std::string json = Json(bytes);
    HttpResponse gzip;
    gzip.body = json;
    CompressBody("gzip", gzip);
    EXPECT_NE(gzip.headers.find("content-encoding: gzip\r\n"), gzip.headers.npos);
    EXPECT_TRUE(IsVaried(gzip));
    EXPECT_LT(gzip.body.size(), bytes);
    EXPECT_TRUE(Gunzipped(gzip.body, bytes) == json) << bytes;
    HttpResponse zstd;
    zstd.body = json;
    CompressBody("zstd", zstd);
    EXPECT_NE(zstd.headers.find("content-encoding: zstd\r\n"), zstd.headers.npos);
    EXPECT_LT(zstd.body.size(), bytes);
    EXPECT_TRUE(Unzstded(zstd.body, bytes) == json) << bytes;
  }
}

TEST(CompressBody, TellsCachesWhatTheAnswerDependsOn) {
  HttpResponse response;
  response.body = Json(2048);
  CompressBody("", response);
  EXPECT_EQ(response.headers, "vary: accept-encoding\r\n");
  EXPECT_EQ(response.body, Json(2048));
}

TEST(CompressBody, LeavesSmallBodiesAndOtherTypes) {
  HttpResponse small;
  small.body = Json(2047);
  CompressBody("gzip", small);
  HttpResponse archive;
  archive.content_type = "application/x-tar";
  archive.body = Json(5000);
  CompressBody("gzip", archive);
  for (const HttpResponse& response : {small, archive}) {
    EXPECT_EQ(response.headers, "");
    EXPECT_EQ(response.body.back(), ']');
  }
}

TEST(CompressBody, LeavesWhatDoesNotBecomeSmaller) {
  HttpResponse response;
  for (uint64_t seed = 1; response.body.size() < 4096; seed = seed * 6364136223846793005u + 1) {
    response.body += static_cast<char>(seed >> 56);
  }
  const std::string body = response.body;
  CompressBody("gzip", response);
  EXPECT_EQ(response.headers, "vary: accept-encoding\r\n");
  EXPECT_EQ(response.body, body);
}

}  // namespace
}  // namespace akidb::rest
