#include "body_maker.h"

#include <vector>

#include "base/json_writer.h"

namespace akidb::fuzz {
namespace {

using rest::Field;
using rest::Shape;
using Kind = Shape::Kind;

constexpr int kDepthMax = 14;
constexpr size_t kBytesMax = 64u << 10;

constexpr const char* kWrongValues[] = {"null",
                                        "true",
                                        "-1",
                                        "0",
                                        "1",
                                        "1.0",
                                        "1.5",
                                        "-0.0",
                                        "1e308",
                                        "-1e308",
                                        "5e-324",
                                        "1e400",
                                        "18446744073709551615",
                                        "18446744073709551616",
                                        "9223372036854775808",
                                        "-9223372036854775808",
                                        "999999999",
                                        "4294967296",
                                        "\"\"",
                                        "\"x\"",
                                        "\"$score\"",
                                        "\"\\u0000\"",
                                        "\"\\ud800\"",
                                        "\"\xff\"",
                                        "[]",
                                        "{}",
                                        "[[]]",
                                        "[{}]",
                                        "{\"\":null}",
                                        "[null]",
                                        "{\"a\":1,\"a\":2}",
                                        "",
                                        "{\"key\":\"city\"}",
                                        "[1,2,3,4]",
                                        "{\"text\":\"x\"}",
                                        "NaN",
                                        "'",
                                        "[1,",
                                        "{\"must\":[]}"};

constexpr const char* kNumbers[] = {"0",
                                    "1",
                                    "2",
                                    "3",
                                    "5",
                                    "10",
                                    "64",
                                    "100",
                                    "1990",
                                    "65536",
                                    "999999999",
                                    "4294967295",
                                    "18446744073709551615"};
constexpr const char* kReals[] = {"0.0",    "1",     "-1",     "0.5", "0.25", "-0.1", "1e-30",
                                  "3.5e38", "1e300", "1e-320", "90",  "-180", "1e6",  "2"};
constexpr const char* kWords[] = {"city",
                                  "year",
                                  "place",
                                  "made",
                                  "parts",
                                  "name",
                                  "words",
                                  "",
                                  "bodies",
                                  "other",
                                  "Rome",
                                  "parts[].name",
                                  "parts[0]",
                                  "a.b",
                                  "\"quoted key\".x",
                                  "a[",
                                  "[]",
                                  ".",
                                  "$score",
                                  "$score[0]",
                                  "$score[99]",
                                  "$score[",
                                  "english",
                                  "none",
                                  "de",
                                  "2024-05-01",
                                  "2024-05-01T12:00:00Z",
                                  "2024-02-30T00:00:00Z",
                                  "9999-12-31T23:59:59.999999+23:59",
                                  "0000-01-01",
                                  "1",
                                  "1.5",
                                  "null",
                                  "5c56c793-69f3-4fbf-87e6-c4bf54c28c26",
                                  "5c56c79369f34fbf87e6c4bf54c28c26",
                                  "urn:uuid:5c56c793-69f3-4fbf-87e6-c4bf54c28c26",
                                  "fox",
                                  "the quick brown fox",
                                  "qdrant/bm25",
                                  "small",
                                  "\xE6\x89\x8B\xE5\x86\x8C",
                                  "\xF0\x9F\xA6\x8A",
                                  "e\xCC\x81",
                                  "a\xE2\x80\x8D"
                                  "b",
                                  "(.*)+$",
                                  "%s%n",
                                  "../../etc/passwd"};

}  // namespace

std::string BodyMaker::Make(const Shape& shape) {
  out_.clear();
  Append(shape, 0);
  return out_;
}

void BodyMaker::Append(const Shape& shape, int depth) {
  if (wrong_one_in_ != 0 && choices_.OneIn(wrong_one_in_)) return AppendWrong();
  // An example fits what is there, so it leads deeper than a made value.
  const bool is_deep = depth >= kDepthMax || out_.size() > kBytesMax;
  if (!shape.example.empty() && (is_deep || choices_.OneIn(3))) {
    out_ += shape.example;
    return;
  }
  switch (shape.kind) {
    case Kind::kAny:
      return AppendAnything(depth);
    case Kind::kNull:
      out_ += "null";
      return;
    case Kind::kBool:
      out_ += choices_.OneIn(2) ? "true" : "false";
      return;
    case Kind::kUint:
    case Kind::kInteger:
    case Kind::kNumber:
      return AppendNumber(shape);
    case Kind::kString:
    case Kind::kChoice:
      return AppendText(shape);
    case Kind::kObject:
      return AppendObject(shape, depth);
    case Kind::kMap:
      return AppendMap(shape, depth);
    case Kind::kArray:
      return AppendArray(shape, depth);
    case Kind::kOneOf:
      // The first options are those without others in them.
      return Append(*shape.options[is_deep ? 0 : choices_.Below(shape.options.size())], depth + 1);
  }
}

void BodyMaker::AppendWrong() {
  switch (choices_.Below(40)) {
    case 0:
      out_ += std::string(choices_.Below(400), '[');
      return;
    case 1: {
      const size_t deep = choices_.Below(200);
      out_ += std::string(deep, '[') + std::string(deep, ']');
      return;
    }
    case 2: {
      out_ += "[0";
      for (size_t i = choices_.Below(3000); i > 0; --i) out_ += ",1";
      out_ += ']';
      return;
    }
    case 3:
      return AppendQuoted(std::string(choices_.Below(20000), 'a'));
    default:
      out_ += choices_.Of(kWrongValues);
  }
}

void BodyMaker::AppendNumber(const Shape& shape) {
  if (shape.kind == Kind::kNumber) {
    out_ += choices_.OneIn(3) ? choices_.Of(kNumbers) : choices_.Of(kReals);
    return;
  }
  if (shape.min > 0 && choices_.OneIn(2)) {
    out_ += std::to_string(static_cast<uint64_t>(shape.min) + choices_.Below(4));
    return;
  }
  if (shape.kind == Kind::kInteger && choices_.OneIn(4)) out_ += '-';
  out_ += choices_.OneIn(4) ? choices_.Of(kNumbers) : std::to_string(choices_.Below(8));
}

void BodyMaker::AppendText(const Shape& shape) {
  if (shape.kind == Kind::kString) return AppendQuoted(choices_.Of(kWords));
  std::vector<std::string_view> words;
  rest::ForEachChoice(shape.choices, [&](std::string_view word) { words.push_back(word); });
  AppendQuoted(choices_.OneOf(words));
}

void BodyMaker::AppendQuoted(std::string_view text) { AppendJsonString(text, out_); }

void BodyMaker::AppendObject(const Shape& shape, int depth) {
  // More of them make bodies that contradict themselves.
  const size_t optional_one_in = depth >= kDepthMax ? 1000 : 2 + choices_.Below(6);
  bool any = false;
  out_ += '{';
  const auto add = [&](const Field& field) {
    if (any) out_ += ',';
    any = true;
    AppendQuoted(field.name);
    out_ += ':';
    Append(*field.shape, depth + 1);
  };
  for (const Field& field : shape.fields) {
    const bool forgotten = wrong_one_in_ != 0 && choices_.OneIn(4 * wrong_one_in_);
    if (field.required ? !forgotten : choices_.OneIn(optional_one_in)) add(field);
    if (wrong_one_in_ != 0 && choices_.OneIn(8 * wrong_one_in_)) add(field);  // twice
  }
  if (wrong_one_in_ != 0 && choices_.OneIn(8 * wrong_one_in_)) {
    out_ += any ? "," : "";
    AppendQuoted(choices_.Of(kWords));
    out_ += ":1";
  }
  out_ += '}';
}

void BodyMaker::AppendMap(const Shape& shape, int depth) {
  out_ += '{';
  const size_t count = depth >= kDepthMax ? 0 : choices_.Below(4);
  for (size_t i = 0; i < count; ++i) {
    out_ += i == 0 ? "" : ",";
    AppendQuoted(choices_.Of(kWords));
    out_ += ':';
    Append(*shape.element, depth + 1);
  }
  out_ += '}';
}

void BodyMaker::AppendArray(const Shape& shape, int depth) {
  size_t count = depth >= kDepthMax ? shape.items_min : shape.items_min + choices_.Below(4);
  if (choices_.OneIn(200)) count = choices_.Below(300);
  out_ += '[';
  for (size_t i = 0; i < count; ++i) {
    out_ += i == 0 ? "" : ",";
    Append(*shape.element, depth + 1);
  }
  out_ += ']';
}

void BodyMaker::AppendAnything(int depth) {
  if (depth >= kDepthMax || choices_.OneIn(2)) {
    out_ += choices_.OneIn(2) ? choices_.Of(kNumbers) : choices_.Of(kReals);
    return;
  }
  if (choices_.OneIn(2)) return AppendQuoted(choices_.Of(kWords));
  const bool is_object = choices_.OneIn(2);
  out_ += is_object ? '{' : '[';
  const size_t count = choices_.Below(4);
  for (size_t i = 0; i < count; ++i) {
    out_ += i == 0 ? "" : ",";
    if (is_object) {
      AppendQuoted(choices_.Of(kWords));
      out_ += ':';
    }
    AppendAnything(depth + 1);
  }
  out_ += is_object ? '}' : ']';
}

}  // namespace akidb::fuzz
