#include "kernel/strided_copy.h"

#include <numeric>
#include <random>

#include "gtest/gtest.h"

namespace headrace {
namespace {

class StridedCopyTest : public ::testing::Test {
 protected:
  StridedCopyTest() {
    step_.run_inline = true;
    context_.emplace(&step_, nullptr, std::span<InputValue>(), std::span<InputValue>());
  }
  StepContext step_;
  std::optional<KernelContext> context_;
};

// Moves element by element.
template <typename T> void Reference(const std::vector<CopyDim>& dims, size_t d, const T* from, T* to) {
  if (d == dims.size()) {
    *to = *from;
    return;
  }
  for (int64_t i = 0; i < dims[d].extent; ++i)
    Reference(dims, d + 1, from + i * dims[d].from_stride, to + i * dims[d].to_stride);
}

template <typename T>
void CheckTranspose(const KernelContext& context, const std::vector<int64_t>& extents,
                    const std::vector<size_t>& order) {
  const std::vector<int64_t> from = DenseStrides(extents);
  std::vector<int64_t> moved;
  for (size_t axis : order) moved.push_back(extents[axis]);
  const std::vector<int64_t> to = DenseStrides(moved);
  std::vector<CopyDim> dims;
  for (size_t d = 0; d < order.size(); ++d) dims.push_back({moved[d], from[order[d]], to[d]});
  const int64_t count = std::accumulate(extents.begin(), extents.end(), int64_t{1}, std::multiplies<>());
  std::vector<T> source(static_cast<size_t>(count)), expected(source.size()), actual(source.size());
  std::iota(source.begin(), source.end(), T(1));
  Reference(dims, 0, source.data(), expected.data());
  StridedCopy(context, kDTypeOf<T>, dims, source.data(), actual.data());
  EXPECT_EQ(actual, expected);
}

TEST_F(StridedCopyTest, TransposesPlanesOfAnySize) {
  for (const int64_t rows : {1, 2, 15, 16, 17, 40}) {
    for (const int64_t columns : {1, 3, 16, 33}) {
      CheckTranspose<float>(*context_, {rows, columns}, {1, 0});
      CheckTranspose<int64_t>(*context_, {rows, columns}, {1, 0});
      CheckTranspose<uint8_t>(*context_, {rows, columns}, {1, 0});
    }
  }
}

TEST_F(StridedCopyTest, PermutesFiveDimensionsInAnyOrder) {
  std::mt19937 random(1);
  std::vector<size_t> order = {0, 1, 2, 3, 4};
  for (int round = 0; round < 30; ++round) {
    std::shuffle(order.begin(), order.end(), random);
    CheckTranspose<float>(*context_, {3, 2, 18, 1, 5}, order);
    CheckTranspose<int16_t>(*context_, {3, 2, 18, 1, 5}, order);
  }
}

TEST_F(StridedCopyTest, MovesStrings) {
  const std::vector<std::string> from = {"a", "b", "c", "d", "e", "f"};
  std::vector<std::string> to(6);
  StridedCopy(*context_, DType::kString, std::vector<CopyDim>{{3, 1, 2}, {2, 3, 1}}, from.data(), to.data());
  EXPECT_EQ(to, (std::vector<std::string>{"a", "d", "b", "e", "c", "f"}));
}

TEST_F(StridedCopyTest, ReadsBackwardsAndRepeats) {
  const std::vector<float> from = {1, 2, 3};
  std::vector<float> to(6);
  StridedCopy(*context_, DType::kFloat, std::vector<CopyDim>{{2, 0, 3}, {3, -1, 1}}, from.data() + 2, to.data());
  EXPECT_EQ(to, (std::vector<float>{3, 2, 1, 3, 2, 1}));
}

TEST_F(StridedCopyTest, AnEmptyDimensionCopiesNothing) {
  float to = 7;
  StridedCopy(*context_, DType::kFloat, std::vector<CopyDim>{{3, 1, 1}, {0, 1, 1}}, nullptr, &to);
  EXPECT_EQ(to, 7);
}

}  // namespace
}  // namespace headrace
