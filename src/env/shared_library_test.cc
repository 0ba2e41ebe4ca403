#include "env/shared_library.h"

#include <array>

#include <gtest/gtest.h>

namespace akidb::env {
namespace {

TEST(SharedLibrary, OpensTheFirstThatIsThere) {
  constexpr std::array<const char*, 2> kNames = {"libakidb-no-such-library.so", "libm.so.6"};
  const std::optional<SharedLibrary> library = SharedLibrary::Open(kNames);
  ASSERT_TRUE(library);
  EXPECT_EQ(library->name(), "libm.so.6");
  auto* cosine = library->Find<double(double)>("cos");
  ASSERT_NE(cosine, nullptr);
  EXPECT_EQ(cosine(0), 1);
  EXPECT_EQ(library->Find<void()>("akidb_no_such_function"), nullptr);
}

TEST(SharedLibrary, IsNothingWhereNoneIs) {
  constexpr std::array<const char*, 1> kNames = {"libakidb-no-such-library.so"};
  EXPECT_FALSE(SharedLibrary::Open(kNames));
}

}  // namespace
}  // namespace akidb::env
