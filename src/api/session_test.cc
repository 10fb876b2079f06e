// Programs from end to end in this process: session.h, variable.h, gradients.h, nn.h.
#include <cmath>

#include "api/api_testing.h"

namespace headrace::api {
namespace {

using testing::ElementsAre;
using testing::FloatNear;
using testing::HasSubstr;
using testing::Pointwise;

using SessionTest = LocalGraphTest;

TEST_F(SessionTest, FeedsGoInAndFetchesComeOut) {
  const Output x = Placeholder(root, DType::kFloat, {2}), y = x * 2 + 1;
  Session session = Open();
  EXPECT_THAT(Floats(session.Run(y, {.feeds = {{x, Tensor::Vector<float>({1, 2})}}})), ElementsAre(3, 5));
  EXPECT_THAT(Floats(session.Run(y, {.feeds = {{x, Tensor::Vector<float>({5, 6})}}})), ElementsAre(11, 13));
  EXPECT_EQ(session.Run(y).status().code(), Code::kInvalidArgument) << "a placeholder has to be fed";
}

TEST_F(SessionTest, TheGraphMayGrowAfterOpening) {
  const Output a = Constant(root, 1.0f);
  Session session = Open();
  EXPECT_THAT(Floats(session.Run(a)), ElementsAre(1));
  const Output b = a + 41;
  EXPECT_THAT(Floats(session.Run(b)), ElementsAre(42));
}

TEST_F(SessionTest, VariablesKeepTheirValueBetweenRuns) {
  const Variable v(root.WithName("v"), Filled({2}, 3));
  const Operation add = v.AssignAdd(Constant(root, Tensor::Vector<float>({1, 2})));
  const Output missing = ReportUninitializedVariables(root);
  Session session = Open();
  EXPECT_EQ(session.Run(v.Value()).status().code(), Code::kFailedPrecondition);
  EXPECT_EQ(session.Run(missing)->data<std::string>()[0], "v");
  ASSERT_TRUE(session.Run(GlobalVariablesInitializer(root)).ok());
  EXPECT_EQ(session.Run(missing)->num_elements(), 0);
  ASSERT_TRUE(session.Run(add).ok());
  ASSERT_TRUE(session.Run(add).ok());
  EXPECT_THAT(Floats(session.Run(v.Value())), ElementsAre(5, 7));
}

TEST_F(SessionTest, GradientsAreTheDerivatives) {
  const Output x = Placeholder(root, DType::kFloat, {2});
  const Output y = ReduceSum(Sigmoid(x) * x);
  const std::vector<Output> dx = Gradients(y, std::vector<Output>{x});
  Session session = Open();
  const auto derivative = [](double v) {
    const double s = 1 / (1 + std::exp(-v));
    return static_cast<float>(s + v * s * (1 - s));
  };
  EXPECT_THAT(Floats(session.Run(dx[0], {.feeds = {{x, Tensor::Vector<float>({0.5, -2})}}})),
              ElementsAre(FloatNear(derivative(0.5), 1e-5f), FloatNear(derivative(-2), 1e-5f)));
}

TEST_F(SessionTest, SigmoidCrossEntropyHasTheRightSlopeAtZero) {
  const Output x = Placeholder(root, DType::kFloat, {3}), z = Constant(root, Tensor::Vector<float>({0, 1, 1}));
  const Output loss = SigmoidCrossEntropy(x, z);
  const std::vector<Output> dx = Gradients(loss, std::vector<Output>{x});
  Session session = Open();
  const std::vector<Feed> feeds = {{x, Tensor::Vector<float>({0, 0, -100})}};
  EXPECT_THAT(Floats(session.Run(loss, {.feeds = feeds})),
              ElementsAre(FloatNear(0.6931472f, 1e-6f), FloatNear(0.6931472f, 1e-6f), 100));
  EXPECT_THAT(Floats(session.Run(dx[0], {.feeds = feeds})), ElementsAre(0.5, -0.5, -1));
}

TEST_F(SessionTest, SeededInitializersAreReproducible) {
  SetRandomSeed(root, 7);
  const Variable a(root.WithName("a"), GlorotUniform({3, 4})), b(root.WithName("b"), TruncatedNormal({100}, 0, 0.5));
  const auto values = [&] {
    Session session = Open();
    EXPECT_TRUE(session.Run(GlobalVariablesInitializer(root)).ok());
    return std::pair(Floats(session.Run(a.Value())), Floats(session.Run(b.Value())));
  };
  const auto first = values(), second = values();
  EXPECT_EQ(first, second);
  const float limit = std::sqrt(6.0f / 7);
  for (const float value : first.first) EXPECT_LE(std::abs(value), limit);
  for (const float value : first.second) EXPECT_LE(std::abs(value), 1.0f);
}

TEST_F(SessionTest, NamesWorkToo) {
  const Output x = Placeholder(root.WithName("x"), DType::kFloat, {1});
  const Output y = Square(x.In(root.WithName("y")));
  Session session = Open();
  const Result<std::vector<Tensor>> values = session.RunByName({{"x:0", Tensor::Vector<float>({3})}}, {"y:0"}, {});
  ASSERT_TRUE(values.ok()) << values.status().ToString();
  EXPECT_EQ(values->front().data<float>()[0], 9);
  EXPECT_EQ(session.RunByName({}, {"none:0"}, {}).status().code(), Code::kNotFound);
  EXPECT_TRUE(y.valid());
}

TEST_F(SessionTest, AClosedSessionSaysSo) {
  const Output a = Constant(root, 1.0f);
  Session session = Open();
  EXPECT_TRUE(session.Close().ok());
  EXPECT_EQ(session.Run(a).status().code(), Code::kFailedPrecondition);
}

TEST_F(SessionTest, AnUnknownTargetIsRefused) {
  Constant(root, 1.0f);
  EXPECT_THAT(Session::Open("http://x", root).status().message(), HasSubstr("http://x"));
}

}  // namespace
}  // namespace headrace::api
