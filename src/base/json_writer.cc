#include "base/json_writer.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/utf8.h"

namespace akidb {
namespace {

template <typename T>
void AppendNumber(T value, std::string& out) {
  char buffer[40];
  char* end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  out.append(buffer, end);
}

template <typename T>
void AppendFloating(T value, std::string& out) {
  if (!std::isfinite(value)) {
    out.append("null");
    return;
  }
  size_t start = out.size();
  AppendNumber(value, out);
  if (out.find_first_of(".e", start) == std::string::npos) out.append(".0");
}

bool NeedsEscape(unsigned char c) { return c < 0x20 || c == '"' || c == '\\'; }

// From `from` on, the first byte that is not ASCII or has to be escaped. Eight at a time.
size_t SkipPlain(std::string_view text, size_t from) {
  static_assert(std::endian::native == std::endian::little);
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kHighest = 0x8080808080808080;
  for (; text.size() - from >= sizeof(uint64_t); from += sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, text.data() + from, sizeof word);
    const uint64_t quotes = word ^ kOnes * '"';
    const uint64_t backslashes = word ^ kOnes * '\\';
    // A byte's highest bit is set if it was, or if the subtraction went below zero, which marks the
    // right byte first: what is borrowed may mark others above it.
    const uint64_t marked =
        (word | (word - kOnes * 0x20) | (quotes - kOnes) | (backslashes - kOnes)) & kHighest;
    if (marked != 0) return from + static_cast<size_t>(std::countr_zero(marked)) / 8;
  }
  while (from < text.size()) {
    const auto c = static_cast<unsigned char>(text[from]);
    if (c >= 0x80 || NeedsEscape(c)) break;
    ++from;
  }
  return from;
}

void AppendEscaped(unsigned char c, std::string& out) {
  switch (c) {
    case '"':
      out.append("\\\"");
      return;
    case '\\':
      out.append("\\\\");
      return;
    case '\n':
      out.append("\\n");
      return;
    case '\r':
      out.append("\\r");
      return;
    case '\t':
      out.append("\\t");
      return;
    case '\b':
      out.append("\\b");
      return;
    case '\f':
      out.append("\\f");
      return;
    default:
      break;
  }
  static constexpr char kHex[] = "0123456789abcdef";
  out.append("\\u00");
  out.push_back(kHex[c >> 4]);
  out.push_back(kHex[c & 15]);
}

}  // namespace

void AppendJsonFloat(float value, std::string& out) { AppendFloating(value, out); }
void AppendJsonDouble(double value, std::string& out) { AppendFloating(value, out); }

void AppendJsonString(std::string_view value, std::string& out) {
  out.push_back('"');
  size_t start = 0;
  for (size_t i = SkipPlain(value, 0); i < value.size(); i = SkipPlain(value, i)) {
    unsigned char c = static_cast<unsigned char>(value[i]);
    size_t length = c < 0x80 ? 1 : Utf8SequenceLength(value.substr(i));
    if (c >= 0x80 && length != 0) {
      i += length;
      continue;
    }
    out.append(value.substr(start, i - start));
    if (c < 0x80) {
      AppendEscaped(c, out);
    } else {
      out.append("\xEF\xBF\xBD");
    }
    start = ++i;
  }
  out.append(value.substr(start));
  out.push_back('"');
}

void JsonWriter::Separate() {
  if (comma_) out_.push_back(',');
  comma_ = true;
}

void JsonWriter::BeginObject() {
  Separate();
  out_.push_back('{');
  comma_ = false;
}

void JsonWriter::EndObject() {
  out_.push_back('}');
  comma_ = true;
}

void JsonWriter::BeginArray() {
  Separate();
  out_.push_back('[');
  comma_ = false;
}

void JsonWriter::EndArray() {
  out_.push_back(']');
  comma_ = true;
}

void JsonWriter::Key(std::string_view key) {
  Separate();
  AppendJsonString(key, out_);
  out_.push_back(':');
  comma_ = false;
}

void JsonWriter::String(std::string_view value) {
  Separate();
  AppendJsonString(value, out_);
}

void JsonWriter::Int(int64_t value) {
  Separate();
  AppendNumber(value, out_);
}

void JsonWriter::Uint(uint64_t value) {
  Separate();
  AppendNumber(value, out_);
}

void JsonWriter::Float(float value) {
  Separate();
  AppendFloating(value, out_);
}

void JsonWriter::Double(double value) {
  Separate();
  AppendFloating(value, out_);
}

void JsonWriter::Bool(bool value) {
  Separate();
  out_.append(value ? "true" : "false");
}

void JsonWriter::Null() {
  Separate();
  out_.append("null");
}

void JsonWriter::Raw(std::string_view json) {
  Separate();
  out_.append(json);
}

void JsonWriter::Floats(std::span<const float> values) {
  BeginArray();
  for (float value : values) Float(value);
  EndArray();
}

}  // namespace akidb
