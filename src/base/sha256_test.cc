#include "base/sha256.h"

#include <string_view>

#include <gtest/gtest.h>

namespace akidb {
namespace {

std::span<const std::byte> Bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

TEST(Sha256, AgreesWithThePublishedExamples) {
  EXPECT_EQ(Sha256Hex(Bytes("")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex(Bytes("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, ADigestMayBeTakenInBetween) {
  Sha256 hash;
  hash.Update(Bytes("ab"));
  EXPECT_EQ(ToHex(hash.Digest()), Sha256Hex(Bytes("ab")));
  hash.Update(Bytes("c"));
  EXPECT_EQ(ToHex(hash.Digest()), Sha256Hex(Bytes("abc")));
}

// RFC 4231, test cases 2, 1 and 6.
TEST(HmacSha256, AgreesWithThePublishedExamples) {
  EXPECT_EQ(ToHex(HmacSha256(Bytes("Jefe"), Bytes("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  const std::string twenty(20, '\x0b');
  EXPECT_EQ(ToHex(HmacSha256(Bytes(twenty), Bytes("Hi There"))),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  const std::string longer(131, '\xaa');
  EXPECT_EQ(ToHex(HmacSha256(Bytes(longer),
                             Bytes("Test Using Larger Than Block-Size Key - Hash Key First"))),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(EqualInConstantTime, IsEquality) {
  Sha256Digest a{};
  for (size_t i = 0; i < a.size(); ++i) {
    Sha256Digest b = a;
    EXPECT_TRUE(EqualInConstantTime(a, b));
    b[i] = 1;
    EXPECT_FALSE(EqualInConstantTime(a, b));
  }
}

}  // namespace
}  // namespace akidb
