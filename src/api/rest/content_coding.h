// Compressed answers: which coding a client takes (RFC 9110, 12.5.3), and the coding itself. Any
// thread; nothing is kept between calls.
#pragma once

#include <string>
#include <string_view>

#include "api/rest/http_message.h"

namespace akidb::rest {

enum class ContentCoding : unsigned char { kIdentity, kGzip, kZstd };

// Of an Accept-Encoding header: the coding with the highest weight; of equal ones zstd, then gzip.
// kIdentity where the header is empty, names neither, or prefers `identity`. An element whose
// weight is no number from 0 to 1 counts as refused.
ContentCoding ChooseCoding(std::string_view accept_encoding);

// Compresses the body of `response` where the client takes it and it pays: JSON and texts from
// 2 KiB to 64 MiB, whatever doesn't come from a source. Such answers get `vary` in any case. Fast
// levels: 1 of both. On errors of the libraries (out of memory) the body stays as it was.
void CompressBody(std::string_view accept_encoding, HttpResponse& response);

}  // namespace akidb::rest
