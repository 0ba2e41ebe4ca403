#include "embedding/tokenizer/normalizer_json.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "embedding/tokenizer/base64.h"
#include "embedding/tokenizer/text_cutter.h"

namespace akidb::embedding {
namespace {

using testing::HasSubstr;

Result<std::unique_ptr<TextNormalizer>> Read(const std::string& normalizer) {
  simdjson::dom::parser parser;
  simdjson::dom::element element;
  std::string json = "{\"normalizer\":" + normalizer + "}";
  EXPECT_EQ(parser.parse(json).get(element), simdjson::SUCCESS) << json;
  return ReadNormalizer(Component::Of(element, "tokenizer").value());
}

std::string Apply(const std::string& normalizer, std::string_view text) {
  auto read = Read(normalizer);
  EXPECT_TRUE(read.ok()) << read.status().ToString();
  return read.ok() ? Normalized(**read, text) : "";
}

void ExpectRefused(const std::string& normalizer, ErrorCode code, const std::string& message) {
  Status status = Read(normalizer).status();
  EXPECT_EQ(status.code(), code) << status.ToString();
  EXPECT_THAT(std::string(status.message()), HasSubstr(message));
}

// The rules "x" -> "yy" and "\u00E9" -> "": a trie of 256 units at 256, children at 256 ^ label.
std::string Charsmap() {
  constexpr uint32_t kHasLeaf = 256;
  std::vector<uint32_t> units(4 * 256, 0);
  auto unit = [](uint32_t offset, uint32_t label, bool leaf) {
    return offset << 10 | label | (leaf ? kHasLeaf : 0);
  };
  units[0] = unit(256, 0, false);
  units[256 ^ 'x'] = unit(512, 'x', true);
  units[256 ^ 'x' ^ 512] = 1u << 31 | 0;
  units[256 ^ 0xC3] = unit(768 ^ 256, 0xC3, false);
  units[256 ^ 0xC3 ^ (768 ^ 256) ^ 0xA9] = unit(1, 0xA9, true);
  units[256 ^ 0xC3 ^ (768 ^ 256) ^ 0xA9 ^ 1] = 1u << 31 | 2;
  std::string bytes;
  auto append = [&](uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(value >> shift & 0xFF);
  };
  append(static_cast<uint32_t>(units.size() * 4));
  for (uint32_t value : units) append(value);
  return bytes + std::string("yy\0\0", 4);
}

std::string Base64(std::string_view bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t bits = 0;
    for (size_t k = 0; k < 3; ++k) {
      bits = bits << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    }
    for (size_t k = 0; k < 4; ++k)
      text += i + k > bytes.size() ? '=' : kDigits[bits >> (18 - 6 * k) & 63];
  }
  return text;
}

std::string Precompiled(std::string_view bytes) {
  return R"({"type":"Precompiled","precompiled_charsmap":")" + Base64(bytes) + "\"}";
}

TEST(DecodeBase64, ReadsWholeBytesOnly) {
  for (size_t size = 0; size < 9; ++size) {
    std::string bytes = std::string("\x00\xFFz\x80\n+/=a", 9).substr(0, size);
    EXPECT_EQ(DecodeBase64(Base64(bytes)), bytes);
  }
  for (const char* text : {"a", "ab", "abc", "ab=c", "a===", "ab c", "====", "abc\xFF"}) {
    EXPECT_EQ(DecodeBase64(text), std::nullopt) << text;
  }
}

TEST(PrecompiledCharsmap, ReplacesShortClustersWhole) {
  std::string map = Precompiled(Charsmap());
  EXPECT_EQ(Apply(map, "axb"), "ayyb");
  EXPECT_EQ(Apply(map, "\u00E9e"), "e");
  EXPECT_EQ(Apply(map, "x\u0301"), "yy");                                // the mark disappears
  EXPECT_EQ(Apply(map, "x\u0301\u0301\u0301"), "yy\u0301\u0301\u0301");  // more than 5 bytes
  EXPECT_EQ(Apply(map, "a\u0301x"), "a\u0301yy");
  EXPECT_EQ(Apply(map, "x\xFF"), "yy\uFFFD");
}

TEST(PrecompiledCharsmap, RefusesAndSurvivesDamage) {
  std::string bytes = Charsmap();
  for (size_t size : {size_t{0}, size_t{3}, size_t{4}, size_t{100}, size_t{4099}}) {
    ExpectRefused(Precompiled(bytes.substr(0, size)), ErrorCode::kMalformed,
                  "tokenizer.normalizer.precompiled_charsmap");
  }
  ExpectRefused(R"({"type":"Precompiled","precompiled_charsmap":"abc"})", ErrorCode::kMalformed,
                "base64");
  std::string bad = bytes;
  bad[bad.size() - 2] = '\xFF';
  ExpectRefused(Precompiled(bad), ErrorCode::kMalformed, "UTF-8");
  // Units that point anywhere.
  for (size_t i = 4; i < bytes.size() - 4; ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x55);
    auto read = Read(Precompiled(damaged));
    ASSERT_TRUE(read.ok());
    Normalized(**read, "x\u00E9 abc");
  }
}

TEST(ReadNormalizer, DoesWhatEachStepSays) {
  EXPECT_EQ(Apply("null", " A  b\xFF"), " A  b\uFFFD");
  EXPECT_EQ(Apply(R"({"type":"NFC"})", "e\u0301"), "\u00E9");
  EXPECT_EQ(Apply(R"({"type":"NFKC"})", "\uFF21"), "A");
  EXPECT_EQ(Apply(R"({"type":"Nmt"})", "a\x01\tb\u200B\u2581"), "a b  ");
  EXPECT_EQ(Apply(R"({"type":"Lowercase"})", "A\u0130\u03A3"), "ai\u0307\u03C3");
  EXPECT_EQ(Apply(R"({"type":"Strip","strip_left":true,"strip_right":false})", "\t\u3000a "), "a ");
  EXPECT_EQ(Apply(R"({"type":"Strip","strip_left":false,"strip_right":true})", " a\u3000\n"), " a");
  EXPECT_EQ(Apply(R"({"type":"Prepend","prepend":"_"})", "a"), "_a");
  EXPECT_EQ(Apply(R"({"type":"Prepend","prepend":"_"})", ""), "");
  EXPECT_EQ(Apply(R"({"type":"Replace","pattern":{"String":"aa"},"content":"b"})", "aaaxaa"),
            "baxb");
  EXPECT_EQ(Apply(R"({"type":"Replace","pattern":{"Regex":" {2,}"},"content":"_"})", "a  b c    "),
            "a_b c_");
  EXPECT_EQ(Apply(R"({"type":"Sequence","normalizers":[{"type":"Lowercase"},)"
                  R"({"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"A"}]}]})",
                  "B"),
            "Ab");
}

TEST(ReadNormalizer, NamesWhatIsNotImplemented) {
  ExpectRefused(R"({"type":"StripAccents"})", ErrorCode::kUnsupported,
                "tokenizer.normalizer: `StripAccents`");
  ExpectRefused(R"({"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"NFD"}]})",
                ErrorCode::kUnsupported, "tokenizer.normalizer.normalizers[1]: `NFD`");
  ExpectRefused(R"({"type":"Replace","pattern":{"Regex":"\\s+"},"content":" "})",
                ErrorCode::kUnsupported, "tokenizer.normalizer.pattern.Regex: `\\s+`");
  ExpectRefused(R"({"type":"Replace","pattern":{"String":""},"content":" "})",
                ErrorCode::kUnsupported, "tokenizer.normalizer.pattern.String");
  ExpectRefused(R"({"type":"NFC","form":1})", ErrorCode::kUnsupported, "tokenizer.normalizer.form");
  ExpectRefused(R"({"type":"Strip","strip_left":true})", ErrorCode::kMalformed,
                "tokenizer.normalizer.strip_right: missing");
}

// Cut where they permit it, parts become what the whole becomes.
TEST(ReadNormalizer, PermitsOnlyCutsThatChangeNothing) {
  std::string text = "ab  cd e\u0301 x  y 12 , z\u3000 Q ab cd";
  for (const std::string& normalizer :
       {std::string(R"({"type":"NFKC"})"), std::string(R"({"type":"Prepend","prepend":"_"})"),
        std::string(R"({"type":"Strip","strip_left":true,"strip_right":true})"),
        std::string(R"({"type":"Replace","pattern":{"String":"d "},"content":" "})"),
        std::string(R"({"type":"Replace","pattern":{"Regex":" {2,}"},"content":" "})"),
        Precompiled(Charsmap())}) {
    auto read = Read(normalizer).value();
    std::string whole = Normalized(*read, text);
    for (size_t from = 1; from < text.size(); ++from) {
      size_t cut = read->CutAt(text, from);
      std::string parts;
      read->Append(text.substr(0, cut), true, parts);
      read->Append(text.substr(cut), false, parts);
      EXPECT_EQ(parts, whole) << normalizer << cut;
    }
  }
}

}  // namespace
}  // namespace akidb::embedding
