// The one writer of JSON: appends to a string, keeps track of commas, allocates nothing else.
//
// Floats are written as the shortest decimal that reads back to the same float32 ("0.19"), with
// ".0" added when neither '.' nor 'e' was printed; doubles likewise as float64. NaN and infinities
// can't be written in JSON and become null.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace akidb {

class JsonWriter {
 public:
  // Appends to `out`, which outlives the writer.
  explicit JsonWriter(std::string& out) : out_(out) {}

  void BeginObject();
  void EndObject();
  void BeginArray();
  void EndArray();
  // Inside an object, before each value.
  void Key(std::string_view key);

  // Invalid UTF-8 is replaced by U+FFFD.
  void String(std::string_view value);
  void Int(int64_t value);
  void Uint(uint64_t value);
  void Float(float value);
  void Double(double value);
  void Bool(bool value);
  void Null();
  // `json` is one complete, valid JSON value, copied as it is.
  void Raw(std::string_view json);
  void Floats(std::span<const float> values);  // an array

 private:
  void Separate();

  std::string& out_;
  bool comma_ = false;  // a value stands before, so the next one needs a comma
};

// value as JSON text appended to out; the rules above.
void AppendJsonFloat(float value, std::string& out);
void AppendJsonDouble(double value, std::string& out);
void AppendJsonString(std::string_view value, std::string& out);

}  // namespace akidb
