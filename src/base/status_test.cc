#include "base/status.h"

#include <memory>
#include <set>

#include <gtest/gtest.h>

namespace akidb {
namespace {

TEST(Status, DefaultIsOkAndSaysSo) {
  Status status;
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(status.code(), ErrorCode::kOk);
  EXPECT_EQ(status.message(), "");
  EXPECT_EQ(status.ToString(), "ok");
}

TEST(Status, CarriesCodeAndMessage) {
  Status status = InvalidArgumentError("expected dim: 4, got 3");
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(status.code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(status.ToString(), "invalid_argument: expected dim: 4, got 3");
}

TEST(Status, CopiesAreIndependent) {
  Status first = IoError("disk");
  Status second = first;
  first = OkStatus();
  EXPECT_EQ(second.message(), "disk");
  second = *&second;
  EXPECT_EQ(second.message(), "disk");
}

TEST(Status, ContextStandsBeforeTheMessageAndKeepsTheCode) {
  Status status = CorruptionError("bad header").WithContext("file x").WithContext("collection y");
  EXPECT_EQ(status.ToString(), "corruption: collection y: file x: bad header");
  EXPECT_TRUE(OkStatus().WithContext("file x").ok());
}

TEST(Status, EveryCodeHasItsOwnName) {
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(ErrorCode::kInternal); ++code) {
    std::string_view name = ErrorCodeName(static_cast<ErrorCode>(code));
    EXPECT_NE(name, "unknown") << code;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
}

Result<std::unique_ptr<int>> Half(int value) {
  if (value % 2 != 0) return InvalidArgumentError("odd");
  return std::make_unique<int>(value / 2);
}

Result<int> Quarter(int value) {
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<int> half, Half(value));
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<int> quarter, Half(*half));
  return *quarter;
}

Status CheckQuarter(int value) {
  AKIDB_RETURN_IF_ERROR(Quarter(value).status());
  return OkStatus();
}

TEST(Result, PassesValuesAndErrorsThroughTheMacros) {
  Result<int> quarter = Quarter(12);
  ASSERT_TRUE(quarter.ok());
  EXPECT_EQ(*quarter, 3);
  EXPECT_EQ(Quarter(6).status().message(), "odd");
  EXPECT_TRUE(CheckQuarter(8).ok());
  EXPECT_EQ(CheckQuarter(7).code(), ErrorCode::kInvalidArgument);
}

TEST(ResultDeathTest, ReadingTheValueOfAnErrorAborts) {
  Result<int> result = NotFoundError("nothing");
  EXPECT_DEATH((void)*result, "check failed");
}

}  // namespace
}  // namespace akidb
