// Arrays of numbers read straight from JSON text into floats, several times as fast as by way of a
// parsed body. It knows the numbers that programs write and gives up on everything else, so
// whoever calls it needs a second way for what it doesn't read.
//
// Numbers become what a double that is rounded to a float becomes (ReadFloats of
// api/dialect/input_json.h), bit for bit.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace akidb::rest {

class FloatArrayReader {
 public:
  // The array whose '[' is at `begin`: the place behind its ']', or null for anything but at least
  // one number, all of them JSON numbers (RFC 8259, 6) within a double's range, integers of at most
  // 18 digits. Reads nothing at or behind `end`. Linear; its memory grows to 4 bytes a number.
  const char* Read(const char* begin, const char* end);

  // Of the last array. Valid until the next one.
  std::span<const float> floats() const { return std::span(buffer_).first(count_); }

 private:
  std::vector<float> buffer_;  // as long as the longest array so far, or longer
  size_t count_ = 0;
};

}  // namespace akidb::rest
