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

TEST(ProviderError, IsForGoodUnlessSomethingRanOut) {
  EXPECT_EQ(ProviderError("libcudnn.so.9: cannot open shared object file").code(),
            ErrorCode::kUnsupported);
  EXPECT_EQ(ProviderError("CUDA execution provider is not enabled in this build.").code(),
            ErrorCode::kUnsupported);
  EXPECT_EQ(ProviderError("libcudnn.so.9: failed to map segment from shared object: Cannot "
                          "allocate memory")
                .code(),
            ErrorCode::kResourceExhausted);
  EXPECT_EQ(
      ProviderError("libcudnn.so.9: cannot open shared object file: Too many open files").code(),
      ErrorCode::kResourceExhausted);
}

struct Refusal {
  int code;  // OrtErrorCode
  const char* text;
  ErrorCode meant;
};

class SessionErrorTest : public testing::TestWithParam<Refusal> {};

TEST_P(SessionErrorTest, IsForGoodWhereTheGraphIsToBlame) {
  const Status status = SessionError({GetParam().code, GetParam().text});
  EXPECT_EQ(status.code(), GetParam().meant);
  EXPECT_EQ(status.message(), GetParam().text);
}

constexpr Refusal kRefusals[] = {
    {7, "Failed to load model because protobuf parsing failed.", ErrorCode::kCorruption},
    {10, "This is an invalid model. Error: two nodes with same node name", ErrorCode::kCorruption},
    {9, "Could not find an implementation for NoSuchOp(1)", ErrorCode::kCorruption},
    {2, "Unrecognized input", ErrorCode::kCorruption},
    {1, "Fatal error: com.x:Foo(-1) is not a registered function/op", ErrorCode::kCorruption},
    {1, "CUDA failure 100: no CUDA-capable device is detected ; GPU=-1", ErrorCode::kUnsupported},
    {1, "CUDA failure 35: CUDA driver version is insufficient", ErrorCode::kUnsupported},
    {1, "CUDA failure 999: unknown error ; GPU=0", ErrorCode::kInternal},
    {11, "TensorRT EP failed to create engine from network", ErrorCode::kInternal},
    {11, "TensorRT EP could not deserialize engine from cache", ErrorCode::kInternal},
    {6, "pthread_create failed, error code: 11", ErrorCode::kInternal},
    {5, "the device has crashed", ErrorCode::kInternal},
    {1, "CUDA failure 2: out of memory ; GPU=0", ErrorCode::kResourceExhausted},
    {10, "std::bad_alloc", ErrorCode::kResourceExhausted},
    {1, "CUDA failure 700: an illegal memory access", ErrorCode::kUnavailable}};

INSTANTIATE_TEST_SUITE_P(All, SessionErrorTest, testing::ValuesIn(kRefusals));

}  // namespace
}  // namespace akidb::embedding
