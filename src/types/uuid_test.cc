#include "types/uuid.h"

#include <gtest/gtest.h>

namespace akidb {
namespace {

constexpr char kText[] = "936da01f-9abd-4d9d-80c7-02af85c822a8";

TEST(Uuid, ReadsEveryFormAndWritesTheHyphenatedOne) {
  for (const char* form :
       {kText, "936da01f9abd4d9d80c702af85c822a8", "936DA01F-9ABD-4D9D-80C7-02AF85C822A8",
        "urn:uuid:936da01f-9abd-4d9d-80c7-02af85c822a8",
        "{936da01f-9abd-4d9d-80c7-02af85c822a8}"}) {
    std::optional<Uuid> uuid = Uuid::Parse(form);
    ASSERT_TRUE(uuid) << form;
    EXPECT_EQ(uuid->ToString(), kText);
  }
}

TEST(Uuid, RefusesEverythingElse) {
  for (const char* text :
       {"", "936da01f", "936da01f-9abd-4d9d-80c7-02af85c822a",
        "936da01f-9abd-4d9d-80c7-02af85c822ag", "936da01f9-abd-4d9d-80c7-02af85c822a8",
        "urn:uuid:936da01f9abd4d9d80c702af85c822a8", "936da01f-9abd-4d9d-80c7-02af85c822a8 "}) {
    EXPECT_FALSE(Uuid::Parse(text)) << text;
  }
}

// RFC 9562, appendix A.4: version 5 of "www.example.com" in the DNS namespace.
TEST(Uuid, MakesNamesAsTheStandardDoes) {
  Uuid dns = *Uuid::Parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
  EXPECT_EQ(Uuid::FromName(dns, "www.example.com").ToString(),
            "2ed6657d-e927-568b-95e1-2665a8aea6a2");
}

TEST(Uuid, RandomOnesCarryVersionAndVariant) {
  std::array<std::byte, 16> random;
  random.fill(std::byte{0xFF});
  EXPECT_EQ(Uuid::FromRandom(random).ToString(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
}

}  // namespace
}  // namespace akidb
