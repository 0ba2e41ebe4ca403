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

}  // namespace
}  // namespace akidb
