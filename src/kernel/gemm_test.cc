#include "kernel/gemm.h"

#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace headrace {
namespace {

std::vector<float> RandomValues(int64_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = uniform(random);
  return values;
}

// The definition, in double.
std::vector<double> Product(const Gemm& gemm, const std::vector<float>& a, const std::vector<float>& b) {
  std::vector<double> c(static_cast<size_t>(gemm.m * gemm.n), 0.0);
  for (int64_t i = 0; i < gemm.m; ++i) {
    for (int64_t j = 0; j < gemm.n; ++j) {
      for (int64_t p = 0; p < gemm.k; ++p) {
        const float left = a[static_cast<size_t>(gemm.transpose_a ? p * gemm.m + i : i * gemm.k + p)];
        const float right = b[static_cast<size_t>(gemm.transpose_b ? j * gemm.k + p : p * gemm.n + j)];
        c[static_cast<size_t>(i * gemm.n + j)] += static_cast<double>(left) * static_cast<double>(right);
      }
    }
  }
  return c;
}

void ExpectNear(const std::vector<float>& actual, const std::vector<double>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) ASSERT_NEAR(actual[i], expected[i], 1e-4) << "element " << i;
}

// m, n, k, and which operands are transposed: sizes on both sides of the switch to oneDNN.
class GemmTest : public ::testing::TestWithParam<std::tuple<int64_t, int, int>> {
 protected:
  GemmTest() {
    const auto [size, transpose_a, transpose_b] = GetParam();
    gemm_ = {.transpose_a = transpose_a != 0, .transpose_b = transpose_b != 0, .m = size, .n = size + 3, .k = size + 5};
    a_ = RandomValues(gemm_.m * gemm_.k, 1);
    b_ = RandomValues(gemm_.k * gemm_.n, 2);
    c_.assign(static_cast<size_t>(gemm_.m * gemm_.n), -77.0f);
  }
  Gemm gemm_;
  std::vector<float> a_, b_, c_;
};

TEST_P(GemmTest, RowsInTwoPiecesAreTheProduct) {
  const int64_t half = gemm_.m / 2;
  gemm_.Rows(a_.data(), b_.data(), c_.data(), 0, half);
  gemm_.Rows(a_.data(), b_.data(), c_.data(), half, gemm_.m);
  ExpectNear(c_, Product(gemm_, a_, b_));
}

TEST_P(GemmTest, ColumnsInTwoPiecesAreTheProduct) {
  const int64_t third = gemm_.n / 3;
  gemm_.FloatColumns(a_.data(), b_.data(), c_.data(), 0, third);
  gemm_.FloatColumns(a_.data(), b_.data(), c_.data(), third, gemm_.n);
  ExpectNear(c_, Product(gemm_, a_, b_));
}

TEST_P(GemmTest, DoubleIsTheProduct) {
  const std::vector<double> a(a_.begin(), a_.end()), b(b_.begin(), b_.end());
  std::vector<double> c(c_.size());
  gemm_.Rows(a.data(), b.data(), c.data(), 0, gemm_.m);
  const std::vector<double> expected = Product(gemm_, a_, b_);
  for (size_t i = 0; i < c.size(); ++i) ASSERT_NEAR(c[i], expected[i], 1e-12);
}

INSTANTIATE_TEST_SUITE_P(Sizes, GemmTest,
                         ::testing::Combine(::testing::Values(1, 3, 17, 64), ::testing::Values(0, 1),
                                            ::testing::Values(0, 1)));

}  // namespace
}  // namespace headrace
