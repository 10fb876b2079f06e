#include "kernel/float_loops.h"

#include <cmath>
#include <limits>
#include <vector>

#include "gtest/gtest.h"

namespace headrace {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

std::vector<float> Apply(UnaryLoop loop, const std::vector<float>& x) {
  std::vector<float> y(x.size());
  loop(x.data(), y.data(), static_cast<int64_t>(x.size()));
  return y;
}

// The largest error over [low, high] in units of the last place.
double WorstUlps(UnaryLoop loop, double (*exact)(double), float low, float high) {
  std::vector<float> x(10007);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = low + (high - low) * static_cast<float>(i) / static_cast<float>(x.size());
  const std::vector<float> y = Apply(loop, x);
  double worst = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double expected = exact(static_cast<double>(x[i]));
    const float magnitude = std::abs(static_cast<float>(expected));
    const double ulp = static_cast<double>(std::nextafter(magnitude, kInfinity)) - static_cast<double>(magnitude);
    worst = std::max(worst, std::abs(static_cast<double>(y[i]) - expected) / ulp);
  }
  return worst;
}

TEST(FloatLoopsTest, ApproximationsAreWithinAFewUlps) {
  const FloatLoops& loops = GetFloatLoops();
  EXPECT_LT(WorstUlps(loops.exp, std::exp, -80, 80), 3);
  EXPECT_LT(WorstUlps(loops.log, std::log, 1e-3f, 1e3f), 4);
  EXPECT_LT(WorstUlps(loops.tanh, std::tanh, -9, 9), 5);
  EXPECT_LT(WorstUlps(
                loops.sigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }, -20, 20),
            5);
  EXPECT_LT(WorstUlps(
                loops.rsqrt, [](double x) { return 1 / std::sqrt(x); }, 0.1f, 9),
            2);
}

TEST(FloatLoopsTest, EndsOfTheRangeAreExact) {
  const FloatLoops& loops = GetFloatLoops();
  const std::vector<float> exp = Apply(loops.exp, {kInfinity, -kInfinity, kNan, 1e30f, -1e30f, 0});
  EXPECT_EQ(exp[0], kInfinity);
  EXPECT_EQ(exp[1], 0);
  EXPECT_TRUE(std::isnan(exp[2]));
  EXPECT_EQ(exp[3], kInfinity);
  EXPECT_EQ(exp[4], 0);
  EXPECT_EQ(exp[5], 1);
  const std::vector<float> log = Apply(loops.log, {0, -1, kInfinity, kNan, 1});
  EXPECT_EQ(log[0], -kInfinity);
  EXPECT_TRUE(std::isnan(log[1]));
  EXPECT_EQ(log[2], kInfinity);
  EXPECT_TRUE(std::isnan(log[3]));
  EXPECT_EQ(log[4], 0);
}

TEST(FloatLoopsTest, ResultsDoNotDependOnWhereAnElementStands) {
  for (UnaryLoop loop : {GetFloatLoops().exp, GetFloatLoops().tanh, GetFloatLoops().sigmoid, GetFloatLoops().log}) {
    std::vector<float> x(37);
    for (size_t i = 0; i < x.size(); ++i) x[i] = 0.1f + 0.37f * static_cast<float>(i);
    const std::vector<float> together = Apply(loop, x);
    for (size_t i = 0; i < x.size(); ++i) EXPECT_EQ(Apply(loop, {x[i]})[0], together[i]) << i;
  }
}

TEST(FloatLoopsTest, OperandsThatStandStillAreRepeated) {
  const std::vector<float> x = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  const float ten = 10;
  std::vector<float> z(x.size());
  GetFloatLoops().sub(&ten, x.data(), z.data(), 11, 0, 1);
  for (size_t i = 0; i < x.size(); ++i) EXPECT_EQ(z[i], 10 - x[i]);
  GetFloatLoops().sub(x.data(), &ten, z.data(), 11, 1, 0);
  for (size_t i = 0; i < x.size(); ++i) EXPECT_EQ(z[i], x[i] - 10);
}

TEST(FloatLoopsTest, SumsOfManyElementsStayExact) {
  const std::vector<float> x(1'000'003, 0.1f);
  float sum = 1;
  GetFloatLoops().sum(x.data(), static_cast<int64_t>(x.size()), &sum);
  EXPECT_NEAR(sum, 1 + 100'000.3, 30);
}

TEST(FloatLoopsTest, ANanWinsInMaxAndMin) {
  for (const size_t place : {size_t{0}, size_t{40}, size_t{99}}) {
    std::vector<float> x(100, 1.0f);
    x[place] = kNan;
    float max = -kInfinity, min = kInfinity;
    GetFloatLoops().max(x.data(), 100, &max);
    GetFloatLoops().min(x.data(), 100, &min);
    EXPECT_TRUE(std::isnan(max) && std::isnan(min)) << place;
  }
}

}  // namespace
}  // namespace headrace
