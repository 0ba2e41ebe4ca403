#include "api/rest/content_coding.h"

#include <algorithm>
#include <new>
#include <optional>

#include <zlib.h>
#include <zstd.h>

namespace akidb::rest {
namespace {

constexpr size_t kBodyMin = 2u << 10;   // below, what is saved fits into the same packet or two
constexpr size_t kBodyMax = 64u << 20;  // beyond, a thread would be taken for a second and more
constexpr int kLevel = 1;
constexpr int kGzipWindowBits = 15 + 16;  // zlib.h: 16 asks for gzip's header and trailer
constexpr int kGzipMemoryLevel = 8;       // zlib's default

std::string_view Trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// `lower` is in small letters.
bool IsToken(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

// In thousandths; RFC 9110, 12.4.2: at most three digits behind the point. 0: no such number.
int ParseWeight(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return 0;
  int weight = (text[0] - '0') * 1000;
  if (text.size() == 1) return weight;
  if (text[1] != '.') return 0;
  for (int i = 2, unit = 100; i < static_cast<int>(text.size()); ++i, unit /= 10) {
    const char digit = text[static_cast<size_t>(i)];
    if (digit < '0' || digit > '9') return 0;
    weight += (digit - '0') * unit;
  }
  return weight <= 1000 ? weight : 0;
}

// Of one element, `gzip;q=0.5`: cut off `element`, whose name stays.
int TakeWeight(std::string_view& element) {
  const size_t semicolon = element.find(';');
  if (semicolon == element.npos) return 1000;
  const std::string_view parameter = Trimmed(element.substr(semicolon + 1));
  element = Trimmed(element.substr(0, semicolon));
  if (parameter.size() < 2 || !IsToken(parameter.substr(0, 2), "q=")) return 0;
  return ParseWeight(parameter.substr(2));
}

// Those that a header names.
struct Weights {
  std::optional<int> gzip;
  std::optional<int> zstd;
  std::optional<int> identity;
  std::optional<int> others;
};

Weights ParseAcceptEncoding(std::string_view header) {
  Weights weights;
  while (!header.empty()) {
    const size_t comma = std::min(header.find(','), header.size());
    std::string_view name = Trimmed(header.substr(0, comma));
    header.remove_prefix(std::min(comma + 1, header.size()));
    const int weight = TakeWeight(name);
    if (IsToken(name, "gzip") || IsToken(name, "x-gzip")) {
      weights.gzip = weight;
    } else if (IsToken(name, "zstd")) {
      weights.zstd = weight;
    } else if (IsToken(name, "identity")) {
      weights.identity = weight;
    } else if (name == "*") {
      weights.others = weight;
    }
  }
  return weights;
}

bool IsCompressible(std::string_view content_type) {
  return content_type.starts_with("application/json") || content_type.starts_with("text/");
}

bool Gzip(std::string_view in, std::string& out) {
  z_stream stream{};
  if (deflateInit2(&stream, kLevel, Z_DEFLATED, kGzipWindowBits, kGzipMemoryLevel,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    return false;
  }
  out.resize(deflateBound(&stream, in.size()));
  // zlib doesn't write to its input; its type is older than const.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return result == Z_STREAM_END;
}

bool Zstd(std::string_view in, std::string& out) {
  out.resize(ZSTD_compressBound(in.size()));
  const size_t bytes = ZSTD_compress(out.data(), out.size(), in.data(), in.size(), kLevel);
  if (ZSTD_isError(bytes) != 0) return false;
  out.resize(bytes);
  return true;
}

// False: not done.
bool Compress(ContentCoding coding, std::string_view in, std::string& out) {
  try {
    switch (coding) {
      case ContentCoding::kIdentity:
        return false;
      case ContentCoding::kGzip:
        return Gzip(in, out);
      case ContentCoding::kZstd:
        return Zstd(in, out);
    }
  } catch (const std::bad_alloc&) {
  }
  return false;
}

}  // namespace

ContentCoding ChooseCoding(std::string_view accept_encoding) {
  const Weights weights = ParseAcceptEncoding(accept_encoding);
  const int gzip = weights.gzip.value_or(weights.others.value_or(0));
  const int zstd = weights.zstd.value_or(weights.others.value_or(0));
  // Who doesn't name it takes it, but hasn't asked for it.
  const int identity = weights.identity.value_or(0);
  const int best = std::max(gzip, zstd);
  if (best == 0 || best < identity) return ContentCoding::kIdentity;
  return zstd >= gzip ? ContentCoding::kZstd : ContentCoding::kGzip;
}

void CompressBody(std::string_view accept_encoding, HttpResponse& response) {
  if (response.source || !IsCompressible(response.content_type)) return;
  if (response.body.size() < kBodyMin || response.body.size() > kBodyMax) return;
  response.headers += "vary: accept-encoding\r\n";
  const ContentCoding coding = ChooseCoding(accept_encoding);
  std::string compressed;
  if (!Compress(coding, response.body, compressed)) return;
  if (compressed.size() >= response.body.size()) return;
  compressed.shrink_to_fit();
  response.body = std::move(compressed);
  response.headers +=
      coding == ContentCoding::kGzip ? "content-encoding: gzip\r\n" : "content-encoding: zstd\r\n";
}

}  // namespace akidb::rest
