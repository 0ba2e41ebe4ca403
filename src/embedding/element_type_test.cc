#include "embedding/element_type.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace akidb::embedding {
namespace {

using testing::ElementsAre;

template <typename T>
std::vector<float> Converted(ElementType type, const std::vector<T>& values,
                             const Dequantization& dequantization = {}) {
  std::vector<float> out(values.size());
  ToFloat32(type, values.data(), dequantization, out);
  return out;
}

TEST(ElementType, HasNames) {
  for (ElementType type :
       {ElementType::kFloat32, ElementType::kFloat16, ElementType::kBfloat16, ElementType::kUint8,
        ElementType::kInt8, ElementType::kInt32, ElementType::kInt64}) {
    EXPECT_EQ(ElementTypeOf(NameOf(type)), type);
    EXPECT_GT(BytesOf(type), 0u);
  }
  EXPECT_EQ(ElementTypeOf("double"), std::nullopt);
}

TEST(ElementType, ReadsHalves) {
  EXPECT_THAT(
      Converted<uint16_t>(ElementType::kFloat16, {0x0000, 0x3C00, 0xBC00, 0x3555, 0x7BFF, 0x0001,
                                                  0x8001, 0x03FF, 0x0400, 0x7C00, 0xFC00}),
      ElementsAre(0.0f, 1.0f, -1.0f, 0x1.554p-2f, 65504.0f, 0x1p-24f, -0x1p-24f, 0x1.ff8p-15f,
                  0x1p-14f, std::numeric_limits<float>::infinity(),
                  -std::numeric_limits<float>::infinity()));
  EXPECT_TRUE(std::isnan(Converted<uint16_t>(ElementType::kFloat16, {0x7E00})[0]));
  EXPECT_TRUE(std::signbit(Converted<uint16_t>(ElementType::kFloat16, {0x8000})[0]));
}

TEST(ElementType, ReadsBfloats) {
  EXPECT_THAT(Converted<uint16_t>(ElementType::kBfloat16, {0x3F80, 0xC000, 0x3EAB}),
              ElementsAre(1.0f, -2.0f, 0x1.56p-2f));
}

TEST(ElementType, ReadsBytesByScaleAndZeroPoint) {
  const Dequantization by_half{0.5f, 128};
  EXPECT_THAT(Converted<uint8_t>(ElementType::kUint8, {0, 128, 255}, by_half),
              ElementsAre(-64.0f, 0.0f, 63.5f));
  EXPECT_THAT(Converted<int8_t>(ElementType::kInt8, {-128, 0, 127}, {0.5f, 0}),
              ElementsAre(-64.0f, 0.0f, 63.5f));
}

}  // namespace
}  // namespace akidb::embedding
