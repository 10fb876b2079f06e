// Tests of shapes, dtypes, buffers and tensors.
#include <gtest/gtest.h>

#include <cmath>

#include "tensor/tensor.h"

namespace headrace {
namespace {

TEST(ShapeTest, RefusesNegativeAndOverflowingExtents) {
  EXPECT_EQ(Shape::Make(std::vector<int64_t>{2, -1}).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(Shape::Make(std::vector<int64_t>{int64_t{1} << 40, int64_t{1} << 40}).status().code(),
            Code::kInvalidArgument);
  EXPECT_EQ(Shape::Make(std::vector<int64_t>{0, int64_t{1} << 62}).value().num_elements(), 0);
  EXPECT_FALSE(Shape::Make(std::vector<int64_t>(255, 1)).ok());
}

TEST(ShapeTest, KeepsManyDimensions) {
  Shape shape({1, 2, 3, 4, 5, 6});
  EXPECT_EQ(shape.ToString(), "[1,2,3,4,5,6]");
  EXPECT_EQ(shape.WithoutDim(1).num_elements(), 360);
  shape.SetDim(5, 1);
  EXPECT_EQ(shape.num_elements(), 120);
}

TEST(PartialShapeTest, MergesWhatBothKnow) {
  EXPECT_EQ(PartialShape({2, -1}).MergeWith(PartialShape({-1, 3}))->ToString(), "[2,3]");
  EXPECT_EQ(PartialShape().MergeWith(PartialShape({-1}))->ToString(), "[?]");
  EXPECT_FALSE(PartialShape({2}).MergeWith(PartialShape({3})).ok());
}

TEST(DTypeTest, ReadsAllSpellings) {
  for (int number = 1; number <= 30; ++number) {
    const DType type{number};
    for (const DType t : {type, MakeRef(type)}) {
      EXPECT_EQ(ParseDType(DTypeName(t)), t) << number;
      EXPECT_EQ(ParseDType(DTypeShortName(t)), t) << number;
      EXPECT_EQ(ParseDType(DTypeEnumName(t)), t) << number;
    }
    EXPECT_GT(DTypeSize(type), 0);
  }
  EXPECT_EQ(ParseDType("no such"), DType::kInvalid);
}

TEST(HalfTest, ConvertsEveryPatternThereAndBack) {
  for (int bits = 0; bits < 0x10000; ++bits) {
    const Half half = Half::FromBits(static_cast<uint16_t>(bits));
    const float value = half;
    if (std::isnan(value)) continue;
    EXPECT_EQ(Half(value).bits, half.bits) << bits;
  }
  EXPECT_EQ(Half(65519.0f).bits, 0x7bff);
  EXPECT_TRUE(std::isinf(float(Half(65520.0f))));
}

TEST(TensorTest, SharesUntilItOwns) {
  Tensor a = Tensor::Vector<float>({1, 2, 3, 4});
  EXPECT_TRUE(a.OwnsBuffer());
  Tensor b = a.Reshaped(Shape({2, 2})).Slice(1, 2);
  EXPECT_FALSE(a.OwnsBuffer());
  EXPECT_EQ(b.Summary(), "f32[1,2] = 3 4");
  Result<Tensor> copy = b.Clone();
  a.mutable_data<float>()[2] = 9;
  EXPECT_EQ(b.data<float>()[0], 9);
  EXPECT_EQ(copy->data<float>()[0], 3);
}

TEST(TensorTest, RefusesWhatIsOverTheBudgetWithoutTrying) {
  auto account = std::make_shared<MemoryAccount>(1000);
  Result<Tensor> small = Tensor::Allocate(DType::kFloat, Shape({200}), account);
  ASSERT_TRUE(small.ok());
  EXPECT_EQ(account->used_bytes(), 800);
  const Status status = Tensor::Allocate(DType::kFloat, Shape({int64_t{1} << 40}), account).status();
  EXPECT_EQ(status.code(), Code::kResourceExhausted);
  EXPECT_NE(status.message().find("OOM when allocating tensor with shape[1099511627776]"), std::string::npos)
      << status.message();
  small = Status(Code::kUnknown, "dropped");
  EXPECT_EQ(account->used_bytes(), 0);
}

TEST(TensorTest, ReusesLargeBlocks) {
  const void* first = Tensor::Allocate(DType::kUint8, Shape({1 << 20})).value().raw();
  const void* second = Tensor::Allocate(DType::kUint8, Shape({1 << 20})).value().raw();
  EXPECT_EQ(first, second);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(first) % 64, 0u);
}

TEST(TensorTest, HoldsStrings) {
  Tensor text = Tensor::Vector<std::string>({"a", std::string(100, 'b')});
  EXPECT_EQ(text.Clone()->data<std::string>()[1].size(), 100u);
  EXPECT_EQ(text.Slice(0, 1).Summary(), "str[1] = \"a\"");
}

}  // namespace
}  // namespace headrace
