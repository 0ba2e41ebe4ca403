#include "simd/named_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simd/code_kernels.h"
#include "simd/kernels.h"

namespace akidb::simd {
namespace {

using ::testing::HasSubstr;

struct FloatTables {
  static std::vector<const Kernels*> Available() { return AvailableKernels(); }
  static Result<const Kernels*> Find(std::string_view name) { return FindKernels(name); }
};

struct CodeTables {
  static std::vector<const CodeKernels*> Available() { return AvailableCodeKernels(); }
  static Result<const CodeKernels*> Find(std::string_view name) { return FindCodeKernels(name); }
};

template <class Tables>
class NamedTable : public ::testing::Test {};

using EveryKind = ::testing::Types<FloatTables, CodeTables>;
TYPED_TEST_SUITE(NamedTable, EveryKind);

TYPED_TEST(NamedTable, OffersScalarLastAndFindsEveryTableByName) {
  const auto tables = TypeParam::Available();
  ASSERT_FALSE(tables.empty());
  EXPECT_STREQ(tables.back()->name, "scalar");
  for (const auto* table : tables) {
    const auto found = TypeParam::Find(table->name);
    ASSERT_TRUE(found.ok());
    EXPECT_EQ(*found, table);
  }
  EXPECT_EQ(*TypeParam::Find(""), tables.front());
}

TYPED_TEST(NamedTable, NamesWhatTheProcessorOffersWhenTheNameIsUnknown) {
  const auto found = TypeParam::Find("sse9");
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.status().code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(std::string(found.status().message()), HasSubstr("sse9"));
  for (const auto* table : TypeParam::Available()) {
    EXPECT_THAT(std::string(found.status().message()), HasSubstr(table->name));
  }
}

}  // namespace
}  // namespace akidb::simd
