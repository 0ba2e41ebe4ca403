#include "embedding/runtime_error.h"

#include <gtest/gtest.h>

namespace akidb::embedding {
namespace {

struct Message {
  const char* text;
  ErrorCode code;
};

class RuntimeErrorTest : public testing::TestWithParam<Message> {};

TEST_P(RuntimeErrorTest, IsToldByItsWords) {
  const Status status = RuntimeError(GetParam().text);
  EXPECT_EQ(status.code(), GetParam().code);
  EXPECT_EQ(status.message(), GetParam().text);
}

// As the library puts them: its allocators, CUDA's strings, cuBLAS.
constexpr Message kMessages[] = {
    Message{"CUDA failure 2: out of memory ; GPU=0 ; hostname=thor", ErrorCode::kResourceExhausted},
    Message{"bfc_arena.cc:376 AllocateRawInternal Failed to allocate memory for requested "
            "buffer of size 1073741824",
            ErrorCode::kResourceExhausted},
    Message{"Non-zero status code returned while running MatMul node. std::bad_alloc",
            ErrorCode::kResourceExhausted},
    Message{"CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED", ErrorCode::kResourceExhausted},
    Message{"CUDA failure 700: an illegal memory access was encountered ; GPU=0",
            ErrorCode::kUnavailable},
    Message{"CUDA failure 719: unspecified launch failure", ErrorCode::kUnavailable},
    Message{"CUDA failure 710: device-side assert triggered", ErrorCode::kUnavailable},
    Message{"uncorrectable ECC error encountered", ErrorCode::kUnavailable},
    Message{"Invalid input name: mask", ErrorCode::kInternal},
    Message{"", ErrorCode::kInternal}};

INSTANTIATE_TEST_SUITE_P(All, RuntimeErrorTest, testing::ValuesIn(kMessages));

}  // namespace
}  // namespace akidb::embedding
