// control_flow.h, run in this process.
#include "api/control_flow.h"

#include "api/api_testing.h"

namespace headrace::api {
namespace {

using testing::ElementsAre;
using testing::FloatNear;
using testing::HasSubstr;
using testing::Pointwise;

struct ControlFlowTest : LocalGraphTest {
  const Output zero = Constant(root, Tensor::Scalar<int32_t>(0));
};

TEST_F(ControlFlowTest, CondRunsTheBranchThatIsFed) {
  const Output pred = Placeholder(root, DType::kBool, {}), x = Constant(root, Tensor::Vector<float>({1, 2}));
  const Output outer = Constant(root, 10.0f);
  const std::vector<Output> y = Cond(
      pred, {x}, [&](Output v) { return v + outer; }, [](Output v) { return v * v * v; });
  ASSERT_EQ(y.size(), 1u);
  const Output dx = Gradients(ReduceSum(y[0]), std::vector<Output>{x})[0];
  Session session = Open();
  EXPECT_THAT(Floats(session.Run(y[0], {.feeds = {{pred, Tensor::Scalar(true)}}})), ElementsAre(11, 12));
  EXPECT_THAT(Floats(session.Run(y[0], {.feeds = {{pred, Tensor::Scalar(false)}}})), ElementsAre(1, 8));
  EXPECT_THAT(Floats(session.Run(dx, {.feeds = {{pred, Tensor::Scalar(true)}}})), ElementsAre(1, 1));
  EXPECT_THAT(Floats(session.Run(dx, {.feeds = {{pred, Tensor::Scalar(false)}}})), ElementsAre(3, 12));
}

// The numbers are TensorFlow's.
TEST_F(ControlFlowTest, ALoopLearnsItsCapturedVariable) {
  const Output x = Constant(root, Tensor::Vector<float>({0.1f, -0.2f}));
  const Variable w(root.WithName("w"), Filled({}, 0.7));
  const std::vector<Output> ends = WhileLoop(
      {zero, x}, [](Output i, Output) { return Less(i, 4); },
      [&](Output i, Output y) {
        return std::array{i + 1, Tanh(y * w) + x};
      });
  ASSERT_EQ(ends.size(), 2u);
  EXPECT_EQ(ends[1].shape(), PartialShape({2}));
  const Output loss = ReduceSum(Square(ends[1]));
  const Output dx = Gradients(loss, std::vector<Output>{x})[0], dw = Gradients(loss, std::vector<Variable>{w})[0];
  Session session = Open();
  ASSERT_TRUE(session.Run(GlobalVariablesInitializer(root)).ok());
  EXPECT_THAT(Floats(session.Run(loss)), Pointwise(FloatNear(1e-5f), {0.35909081f}));
  EXPECT_THAT(Floats(session.Run(dx)), Pointwise(FloatNear(1e-5f), {1.47415507f, -2.62633538f}));
  EXPECT_THAT(Floats(session.Run(dw)), Pointwise(FloatNear(1e-5f), {1.19515109f}));
}

TEST_F(ControlFlowTest, ALoopInABranchUsesWhatIsAroundBoth) {
  const Output x = Constant(root, 2.0f), factor = Constant(root, 3.0f);
  const std::vector<Output> y = Cond(
      Constant(root, Tensor::Scalar(true)), {x, zero},
      [&](Output v, Output begin) {
        return WhileLoop(
            {begin, v}, [](Output i, Output) { return Less(i, 3); },
            [&](Output i, Output p) {
              return std::array{i + 1, p * factor};
            })[1];
      },
      [](Output v, Output) { return v; });
  ASSERT_EQ(y.size(), 1u);
  const Output slope = Gradients(y[0], std::vector<Output>{factor})[0];
  Session session = Open();
  EXPECT_THAT(Floats(session.Run(y[0])), ElementsAre(54));
  EXPECT_THAT(Floats(session.Run(slope)), ElementsAre(54));
}

TEST_F(ControlFlowTest, MistakesSayWhatIsWrong) {
  const Output x = Constant(root, 2.0f);
  Cond(
      Constant(root, Tensor::Scalar(true)), {x}, [](Output v) { return v; },
      [](Output v) { return Cast(v, DType::kInt32); });
  EXPECT_THAT(root.status().message(), HasSubstr("Cond: the branches return different types: (f32) and (i32)"));
  EXPECT_THAT(root.status().message(), HasSubstr("control_flow_test.cc"));
}

TEST_F(ControlFlowTest, AVariableThatGrowsNeedsAnInvariant) {
  const Output x = Constant(root, Tensor::Vector<float>({1, 2}));
  const auto cond = [](Output i, Output) { return Less(i, 2); };
  const auto body = [](Output i, Output v) { return std::array{i + 1, Concat({v, v}, 0)}; };
  const std::vector<Output> ends =
      WhileLoop({zero, x}, cond, body, {.shape_invariants = {PartialShape::Scalar(), {-1}}});
  Session session = Open();
  EXPECT_THAT(Floats(session.Run(ends[1])), ElementsAre(1, 2, 1, 2, 1, 2, 1, 2));
  WhileLoop({zero, x}, cond, body);
  EXPECT_THAT(root.status().message(), HasSubstr("give shape_invariants"));
}

}  // namespace
}  // namespace headrace::api
