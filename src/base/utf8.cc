#include "base/utf8.h"

#include <cstdint>
#include <cstring>

namespace akidb {
namespace {

bool IsContinuation(unsigned char c) { return (c & 0xC0) == 0x80; }

// Leading bytes that are ASCII, counted in whole words.
size_t AsciiPrefix(std::string_view text) {
  size_t count = 0;
  for (; text.size() - count >= sizeof(uint64_t); count += sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, text.data() + count, sizeof word);
    if ((word & 0x8080808080808080) != 0) break;
  }
  return count;
}

}  // namespace

size_t Utf8SequenceLength(std::string_view text) {
  if (text.empty()) return 0;
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if (!IsContinuation(byte(i))) return 0;
  }
  // The second byte rules out overlong forms, surrogates and values above U+10FFFF (RFC 3629, 4).
  if (lead == 0xE0 && byte(1) < 0xA0) return 0;
  if (lead == 0xED && byte(1) > 0x9F) return 0;
  if (lead == 0xF0 && byte(1) < 0x90) return 0;
  if (lead == 0xF4 && byte(1) > 0x8F) return 0;
  return length;
}

bool IsValidUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    i += AsciiPrefix(text.substr(i));
    if (i == text.size()) break;
    size_t length = Utf8SequenceLength(text.substr(i));
    if (length == 0) return false;
    i += length;
  }
  return true;
}

std::string ReplaceInvalidUtf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    size_t length = Utf8SequenceLength(text.substr(i));
    if (length == 0) {
      out.append("\xEF\xBF\xBD");
      ++i;
    } else {
      out.append(text.substr(i, length));
      i += length;
    }
  }
  return out;
}

std::string_view TruncateUtf8(std::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  // A sequence is at most 4 bytes, so its lead is at most 3 bytes before the cut.
  for (size_t back = 1; back <= 3 && back <= bytes_max; ++back) {
    size_t lead = bytes_max - back;
    if (Utf8SequenceLength(text.substr(lead)) > back) return text.substr(0, lead);
  }
  return text.substr(0, bytes_max);
}

}  // namespace akidb
