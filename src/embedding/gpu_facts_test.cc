#include "embedding/gpu_facts.h"

#include <gtest/gtest.h>

namespace akidb::embedding {
namespace {

TEST(KernelDriver, IsTheFirstVersion) {
  EXPECT_EQ(KernelDriver("NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat\nGCC"),
            "535.104.05");
  EXPECT_EQ(KernelDriver("NVRM version: NVIDIA UNIX Open Kernel Module for aarch64  580.00  R"),
            "580.00");
  EXPECT_EQ(KernelDriver("no version . here"), "");
  EXPECT_EQ(KernelDriver(""), "");
}

TEST(LibraryVersions, AreSpelledOut) {
  EXPECT_EQ(CudaVersionText(13000), "13.0");
  EXPECT_EQ(CudaVersionText(12060), "12.6");
  EXPECT_EQ(TensorRtVersionText(101602), "10.16.2");
  EXPECT_EQ(TensorRtVersionText(8601), "8.6.1");
  EXPECT_EQ(TensorRtVersionText(0), "");
  EXPECT_EQ(TensorRtVersionText(-1), "");
}

}  // namespace
}  // namespace akidb::embedding
