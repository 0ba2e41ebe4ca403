#include "service/access_keys.h"

#include <gtest/gtest.h>

namespace akidb::service {
namespace {

TEST(AccessKeys, WithoutKeysEverythingIsAllowed) {
  EXPECT_FALSE(AccessKeys().enabled());
  EXPECT_EQ(AccessKeys().AccessOf(""), Access::kFull);
  EXPECT_FALSE(AccessKeys::Create({})->enabled());
}

TEST(AccessKeys, EachKeyHasItsRight) {
  const AccessKeys keys = *AccessKeys::Create({"first", "second", "third"});
  EXPECT_TRUE(keys.enabled());
  EXPECT_EQ(keys.AccessOf("first"), Access::kFull);
  EXPECT_EQ(keys.AccessOf("second"), Access::kFull);
  EXPECT_EQ(keys.AccessOf("third"), Access::kRead);
  for (std::string_view key : {"", "firs", "first ", "firstt", "First", "fourth"}) {
    EXPECT_EQ(keys.AccessOf(key), Access::kNone) << key;
  }
}

TEST(AccessKeys, AReadOnlyKeyAloneLetsNobodyWrite) {
  const AccessKeys keys = *AccessKeys::Create({"", "", "reader"});
  EXPECT_TRUE(keys.enabled());
  EXPECT_EQ(keys.AccessOf("reader"), Access::kRead);
  EXPECT_EQ(keys.AccessOf(""), Access::kNone);
}

TEST(AccessKeys, WhatNoHeaderCarriesIsRefused) {
  for (const char* key : {"two words", "line\nbreak", "kl\xC3\xA9", "\x7F"}) {
    EXPECT_FALSE(AccessKeys::Create({key, "", ""}).ok());
  }
  EXPECT_FALSE(AccessKeys::Create({"same", "", "same"}).ok());
  EXPECT_TRUE(AccessKeys::Create({"same", "same", ""}).ok());
}

}  // namespace
}  // namespace akidb::service
