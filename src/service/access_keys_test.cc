#include "service/access_keys.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace akidb::service {
namespace {

// What a key comes to.
std::string RightOf(const AccessKeys& keys, std::string_view key) {
  const Result<Caller> caller = keys.CallerOf(key);
  if (!caller.ok()) return std::string(caller.status().message());
  return caller->MayManage().ok() ? "manages" : caller->MayReadAll().ok() ? "reads" : "some";
}

constexpr const char* kWrong = "Invalid API key or JWT";
constexpr const char* kMissing = "Must provide an API key or an Authorization bearer token";

TEST(AccessKeys, WithoutKeysEverythingIsAllowed) {
  EXPECT_FALSE(AccessKeys().enabled());
  EXPECT_EQ(RightOf(AccessKeys(), ""), "manages");
  EXPECT_FALSE(AccessKeys::Create({})->enabled());
}

TEST(AccessKeys, EachKeyHasItsRight) {
  const AccessKeys keys = *AccessKeys::Create({"first", "second", "third"});
  EXPECT_TRUE(keys.enabled());
  EXPECT_EQ(RightOf(keys, "first"), "manages");
  EXPECT_EQ(RightOf(keys, "second"), "manages");
  EXPECT_EQ(RightOf(keys, "third"), "reads");
  for (std::string_view key : {"firs", "first ", "firstt", "First", "fourth"}) {
    EXPECT_EQ(RightOf(keys, key), kWrong) << key;
  }
  EXPECT_EQ(RightOf(keys, ""), kMissing);
}

TEST(AccessKeys, AReadOnlyKeyAloneLetsNobodyWrite) {
  const AccessKeys keys = *AccessKeys::Create({"", "", "reader"});
  EXPECT_TRUE(keys.enabled());
  EXPECT_EQ(RightOf(keys, "reader"), "reads");
  EXPECT_EQ(RightOf(keys, ""), kMissing);
}

TEST(AccessKeys, WhatNoHeaderCarriesIsRefused) {
  for (const char* key : {"two words", "line\nbreak", "kl\xC3\xA9", "\x7F"}) {
    EXPECT_FALSE(AccessKeys::Create({key, "", ""}).ok());
  }
  EXPECT_FALSE(AccessKeys::Create({"same", "", "same"}).ok());
  EXPECT_TRUE(AccessKeys::Create({"same", "same", ""}).ok());
}

std::string Base64Url(std::string_view bytes) {
  static constexpr char kLetters[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t three = 0;
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    for (size_t j = 0; j < 3; ++j) {
      three = three << 8 | (j < count ? static_cast<uint8_t>(bytes[i + j]) : 0);
    }
    for (size_t j = 0; j <= count; ++j) text += kLetters[three >> (18 - 6 * j) & 63];
  }
  return text;
}

std::string Signed(const std::string& key, const std::string& claims) {
  const std::string text = Base64Url(R"({"alg":"HS256"})") + "." + Base64Url(claims);
  const Sha256Digest digest =
      HmacSha256(std::as_bytes(std::span(key)), std::as_bytes(std::span(text)));
  return text + "." + Base64Url({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

TEST(AccessKeys, TokensAreTakenWhereTheyAreAskedFor) {
  env::ManualClock clock;  // at 1,000,000,000 seconds
  const AccessKeys without = *AccessKeys::Create({"first", "second", "third", nullptr});
  const AccessKeys keys = *AccessKeys::Create({"first", "second", "third", &clock});
  EXPECT_EQ(RightOf(without, Signed("first", "{}")), kWrong);
  EXPECT_EQ(RightOf(keys, Signed("first", "{}")), "manages");
  EXPECT_EQ(RightOf(keys, Signed("second", R"({"access":"r"})")), "reads");
  EXPECT_EQ(RightOf(keys, Signed("second", R"({"access":[]})")), "some");
  EXPECT_EQ(RightOf(keys, Signed("third", "{}")), "InvalidSignature");
  EXPECT_EQ(keys.CallerOf(Signed("third", "{}")).status().code(), ErrorCode::kPermissionDenied);
  std::string changed = Signed("first", R"({"access":"r"})");
  changed[25] = changed[25] == 'A' ? 'B' : 'A';
  EXPECT_EQ(RightOf(keys, changed), "InvalidSignature");
  EXPECT_EQ(RightOf(keys, Signed("first", R"({"access":"x"})")),
            "Invalid JWT: `access` to everything is `r` or `m`");
  EXPECT_EQ(RightOf(keys, "a.b.c"), kWrong);
}

TEST(AccessKeys, TokensExpireAfterHalfAMinuteOfGrace) {
  env::ManualClock clock;
  const AccessKeys keys = *AccessKeys::Create({"first", "", "", &clock});
  EXPECT_EQ(RightOf(keys, Signed("first", R"({"exp":999999970})")), "manages");
  EXPECT_EQ(RightOf(keys, Signed("first", R"({"exp":999999969})")), "ExpiredSignature");
  clock.SetUnixMicros(-5);
  EXPECT_EQ(RightOf(keys, Signed("first", R"({"exp":0})")), "manages");
}

TEST(AccessKeys, TokensCountFromHalfAMinuteBeforeTheirTime) {
  env::ManualClock clock;
  const AccessKeys keys = *AccessKeys::Create({"first", "", "", &clock});
  EXPECT_EQ(RightOf(keys, Signed("first", R"({"nbf":1000000030})")), "manages");
  EXPECT_EQ(RightOf(keys, Signed("first", R"({"nbf":1000000031})")), "ImmatureSignature");
  EXPECT_EQ(RightOf(keys, Signed("first", R"({"nbf":null})")), "manages");
  EXPECT_EQ(RightOf(keys, Signed("first", R"({"nbf":18446744073709551615})")), "ImmatureSignature");
  EXPECT_EQ(RightOf(keys, Signed("first", R"({"nbf":0,"exp":999999969})")), "ExpiredSignature");
  clock.SetUnixMicros(-5);
  EXPECT_EQ(RightOf(keys, Signed("first", R"({"nbf":31})")), "ImmatureSignature");
  EXPECT_EQ(RightOf(keys, Signed("first", R"({"nbf":30})")), "manages");
}

}  // namespace
}  // namespace akidb::service
