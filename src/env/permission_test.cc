#include "env/permission.h"

#include <cerrno>

#include <gtest/gtest.h>

#include "env/posix_calls.h"

namespace akidb::env {
namespace {

TEST(Permission, IsToldFromOtherErrors) {
  for (const int error : {EACCES, EPERM}) {
    const Status status = ErrnoStatus("can't open", "/a: b", error);
    EXPECT_TRUE(LacksPermission(status));
    EXPECT_TRUE(LacksPermission(status.WithContext("manifest")));
  }
  for (const int error : {EIO, ENOENT, EROFS, ENOSPC, EISDIR}) {
    EXPECT_FALSE(LacksPermission(ErrnoStatus("can't open", "/a", error))) << error;
  }
  EXPECT_FALSE(LacksPermission(OkStatus()));
}

}  // namespace
}  // namespace akidb::env
