#include "service/access_token_json.h"

#include <gtest/gtest.h>

namespace akidb::service {
namespace {

// The example of RFC 7515, A.1: its key and signature.
constexpr std::string_view kHeader = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9";
constexpr std::string_view kClaims =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlf"
    "Q";
constexpr std::string_view kSignature = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

std::string Token(std::string_view a, std::string_view b, std::string_view c) {
  return std::string(a) + "." + std::string(b) + "." + std::string(c);
}

Status Error(std::string_view claims) { return ParseAccessClaims(claims).status(); }

TEST(ParseSignedToken, ReadsThePublishedExample) {
  const std::string token = Token(kHeader, kClaims, kSignature);
  const std::optional<SignedToken> parts = ParseSignedToken(token);
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->signed_text, token.substr(0, token.rfind('.')));
  EXPECT_NE(parts->claims_json.find("\"exp\":1300819380"), std::string::npos);
  EXPECT_EQ(parts->signature[0], 0x74);
  EXPECT_EQ(ParseAccessClaims(parts->claims_json)->expires, 1300819380u);
}

TEST(ParseSignedToken, KnowsNoOtherAlgorithmAndNoOtherForm) {
  const std::string_view none = "eyJhbGciOiJub25lIn0";    // {"alg":"none"}
  const std::string_view hs512 = "eyJhbGciOiJIUzUxMiJ9";  // {"alg":"HS512"}
  for (const std::string& token :
       {Token(none, kClaims, kSignature), Token(none, kClaims, ""),
        Token(hs512, kClaims, kSignature), Token("e30", kClaims, kSignature),
        Token("W10", kClaims, kSignature), Token("", kClaims, kSignature), std::string(".."),
        std::string("a.b.c"), std::string("a.b"), Token(kHeader, kClaims, kSignature) + ".",
        Token(kHeader, kClaims, kSignature) + "=", Token(kHeader, kClaims, "dBjf"),
        Token(kHeader, "eyJ+", kSignature), Token(kHeader, "eyJ0e", kSignature)}) {
    EXPECT_FALSE(ParseSignedToken(token)) << token;
  }
  // The last letter of a signature of 32 bytes has two bits that belong to no byte.
  std::string other(kSignature);
  other.back() = 'l';
  EXPECT_FALSE(ParseSignedToken(Token(kHeader, kClaims, other)));
}

TEST(ParseAccessClaims, WithoutAccessEverythingIsAllowed) {
  const AccessClaims claims = *ParseAccessClaims(R"({"sub":"x","unknown":[1]})");
  EXPECT_FALSE(claims.expires);
  EXPECT_TRUE(claims.caller.MayManage().ok());
  EXPECT_EQ(claims.caller.required_point(), nullptr);
}

TEST(ParseAccessClaims, ReadsAccess) {
  EXPECT_TRUE(ParseAccessClaims(R"({"access":"m"})")->caller.MayManage().ok());
  const Caller reader = ParseAccessClaims(R"({"access":"r"})")->caller;
  EXPECT_EQ(reader.MayManage().message(), "Global manage access is required");
  EXPECT_TRUE(reader.MayReadAll().ok());
  EXPECT_TRUE(reader.Sees("any"));
  EXPECT_EQ(reader.MayUse("any", CollectionRight::kWritePoints).message(),
            "Global manage access is required");
  const Caller some = ParseAccessClaims(R"({"access":[{"collection":"a","access":"r"},
      {"collection":"b","access":"prw","payload":null},{"collection":"c","access":"rw"}]})")
                          ->caller;
  EXPECT_EQ(some.MayManage().message(), "Global access is required");
  EXPECT_EQ(some.MayReadAll().message(), "Global access is required");
  EXPECT_TRUE(some.Sees("a"));
  EXPECT_FALSE(some.Sees("A"));
  EXPECT_EQ(some.MayUse("d", CollectionRight::kRead).message(),
            "Access to collection d is required");
  EXPECT_EQ(some.MayUse("a", CollectionRight::kWritePoints).message(),
            "Write access to collection a is required");
  EXPECT_TRUE(some.MayUse("b", CollectionRight::kWritePoints).ok());
  EXPECT_FALSE(some.MayUse("b", CollectionRight::kWrite).ok());
  EXPECT_TRUE(some.MayUse("c", CollectionRight::kWrite).ok());
  EXPECT_FALSE(ParseAccessClaims(R"({"access":[]})")->caller.Sees("a"));
}

TEST(ParseAccessClaims, ReadsThePointThatMustBeThere) {
  const auto point = ParseAccessClaims(R"({"value_exists":{"collection":"users","matches":[
      {"key":"id","value":7},{"key":"a.b","value":"x"},{"key":"ok","value":true}]}})")
                         ->caller.required_point();
  ASSERT_NE(point, nullptr);
  EXPECT_EQ(point->collection, "users");
  ASSERT_EQ(point->filter->must.size(), 3u);
  const auto& id = std::get<FieldCondition>(point->filter->must[0]);
  EXPECT_EQ(id.key.text(), "id");
  EXPECT_EQ(std::get<MatchValue>(id.predicate).value, MatchScalar(int64_t{7}));
}

TEST(ParseAccessClaims, RefusesWhatItDoesNotUnderstand) {
  for (const char* claims :
       {"",
        "[]",
        "7",
        "{",
        R"({"exp":-1})",
        R"({"exp":1.5})",
        R"({"exp":"soon"})",
        R"({"nbf":-1})",
        R"({"nbf":1.5})",
        R"({"nbf":"later"})",
        R"({"access":null})",
        R"({"access":"rw"})",
        R"({"access":7})",
        R"({"access":["a"]})",
        R"({"access":[{"collection":"a"}]})",
        R"({"access":[{"access":"r"}]})",
        R"({"access":[{"collection":"a","access":"m"}]})",
        R"({"access":[{"collection":"a","access":"r"},{"collection":"a","access":"rw"}]})",
        R"({"access":[{"collection":"a","access":"r","payload":{"k":1}}]})",
        R"({"value_exists":7})",
        R"({"value_exists":{"collection":"a"}})",
        R"({"value_exists":{"collection":"a","matches":[{"key":"k"}]}})",
        R"({"value_exists":{"collection":"a","matches":[{"key":"k","value":1.5}]}})",
        R"({"value_exists":{"collection":"a","matches":[{"key":"a[","value":1}]}})"}) {
    EXPECT_EQ(Error(claims).code(), ErrorCode::kUnauthenticated) << claims;
  }
}

TEST(Caller, MayLookUpWhereItMayRead) {
  QueryStage stage;
  stage.prefetch.emplace_back();
  stage.prefetch[0].prefetch.emplace_back();
  stage.prefetch[0].prefetch[0].lookup_from = LookupFrom{"other", std::nullopt};
  EXPECT_TRUE(Caller::Reader().MayLookUp(stage).ok());
  EXPECT_TRUE(Caller::Of({{"other", CollectionRight::kRead}}).MayLookUp(stage).ok());
  EXPECT_FALSE(Caller::Of({{"one", CollectionRight::kWrite}}).MayLookUp(stage).ok());
  EXPECT_FALSE(Caller().Sees(""));
}

}  // namespace
}  // namespace akidb::service
