#include "base/utf8.h"

#include <string>

#include <gtest/gtest.h>

namespace akidb {
namespace {

std::string Encode(uint32_t code) {
  std::string out;
  auto tail = [&](int shift) { out.push_back(static_cast<char>(0x80 | (code >> shift & 0x3F))); };
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xC0 | code >> 6));
    tail(0);
  } else if (code < 0x10000) {
    out.push_back(static_cast<char>(0xE0 | code >> 12));
    tail(6);
    tail(0);
  } else {
    out.push_back(static_cast<char>(0xF0 | code >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
  return out;
}

TEST(Utf8, AcceptsExactlyTheScalarValues) {
  for (uint32_t code = 0; code < 0x120000; ++code) {
    bool scalar = code < 0x110000 && (code < 0xD800 || code > 0xDFFF);
    std::string text = Encode(code);
    ASSERT_EQ(IsValidUtf8(text), scalar) << code;
    ASSERT_EQ(Utf8SequenceLength(text), scalar ? text.size() : 0) << code;
  }
}

TEST(Utf8, RefusesOverlongFormsStrayBytesAndCutSequences) {
  for (const char* text : {"\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xF0\x8F\xBF\xBF", "\x80",
                           "\xBF", "\xFE", "\xFF", "\xC3", "\xE2\x82", "\xF0\x9F\x98", "\xC3(",
                           "\xE2(\xA1", "long ascii text and then \xE2\x82"}) {
    EXPECT_FALSE(IsValidUtf8(text));
  }
  EXPECT_TRUE(IsValidUtf8(""));
  EXPECT_TRUE(IsValidUtf8(std::string("a\0b", 3)));
}

TEST(Utf8, FindsABadByteAtEveryPositionOfALongText) {
  for (size_t length = 1; length < 40; ++length) {
    for (size_t at = 0; at < length; ++at) {
      std::string text(length, 'a');
      ASSERT_TRUE(IsValidUtf8(text));
      text[at] = '\xFF';
      ASSERT_FALSE(IsValidUtf8(text)) << length << " " << at;
    }
  }
}

TEST(Utf8, ReplacesEachByteThatBelongsToNoSequence) {
  EXPECT_EQ(ReplaceInvalidUtf8("a\xFFz"), "a\uFFFDz");
  EXPECT_EQ(ReplaceInvalidUtf8("\xE2\x82"), "\uFFFD\uFFFD");
  EXPECT_EQ(ReplaceInvalidUtf8("caf\u00E9 \U0001F600"), "caf\u00E9 \U0001F600");
}

TEST(Utf8, TruncatesBetweenCodePoints) {
  std::string text = "a\u00E9\u20AC\U0001F600";  // 1 + 2 + 3 + 4 bytes
  size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
  for (size_t bytes_max = 0; bytes_max < 12; ++bytes_max) {
    EXPECT_EQ(TruncateUtf8(text, bytes_max).size(), expected[bytes_max]) << bytes_max;
  }
}

TEST(Utf8, TruncatesInvalidTextAtTheBound) {
  EXPECT_EQ(TruncateUtf8(std::string(100, '\x80'), 50).size(), 50u);
}

}  // namespace
}  // namespace akidb
