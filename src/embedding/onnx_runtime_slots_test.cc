// Holds our list of slots against the official header. Compiled into the tests only where
// onnxruntime_c_api.h is found (AKIDB_ORT_INCLUDE_DIR; docs/internals/embedding.md says from
// where).
#include "embedding/onnx_runtime_slots.h"

#include <cstddef>

#include <gtest/gtest.h>
#include <onnxruntime_c_api.h>

namespace akidb::embedding {
namespace {

#define AKIDB_ORT_SLOT_(function, place)                              \
  static_assert(offsetof(OrtApi, function) == place * sizeof(void*)); \
  static_assert(static_cast<unsigned>(OrtSlot::k##function) == place);
AKIDB_ORT_SLOTS(AKIDB_ORT_SLOT_)
AKIDB_ORT_LATER_SLOTS(AKIDB_ORT_SLOT_)
#undef AKIDB_ORT_SLOT_

static_assert(kOrtApiVersion <= ORT_API_VERSION && kOrtLaterApiVersion <= ORT_API_VERSION);
// The enumerators that onnx_runtime.cc passes as numbers.
static_assert(ORT_LOGGING_LEVEL_ERROR == 3 && ORT_ENABLE_ALL == 99);
static_assert(OrtDeviceAllocator == 0 && OrtMemTypeDefault == 0);
static_assert(ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT == 1 && ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64 == 7);

TEST(OnnxRuntimeSlots, AgreeWithTheOfficialHeader) {
  // The static assertions above are the test; this shows in the report that they were compiled.
  EXPECT_EQ(offsetof(OrtApi, Run), 9 * sizeof(void*));
}

}  // namespace
}  // namespace akidb::embedding
