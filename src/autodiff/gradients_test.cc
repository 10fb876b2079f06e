// Tests of gradients.h, indexed_slices.h and check_gradient.h.
#include "autodiff/gradients.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autodiff/check_gradient.h"
#include "autodiff/indexed_slices.h"
#include "ops/register.h"

namespace headrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::vector<float> Floats(const Tensor& tensor) { return {tensor.data<float>().begin(), tensor.data<float>().end()}; }

struct GradientsTest : testing::Test {
  GradientsTest() { RegisterAllOps(); }

  Endpoint Input(PartialShape shape = PartialShape::Scalar()) {
    return builder.Op("Placeholder", {}, {{"dtype", DType::kFloat}, {"shape", std::move(shape)}});
  }
  std::vector<Gradient> Gradients(const std::vector<Endpoint>& ys, const std::vector<Endpoint>& xs,
                                  const std::vector<Endpoint>& grad_ys = {}) {
    Result<std::vector<Gradient>> gradients = AddGradients(builder, ys, xs, grad_ys);
    EXPECT_TRUE(gradients.ok()) << gradients.status().ToString();
    return gradients.ok() ? *gradients : std::vector<Gradient>(xs.size());
  }
  std::vector<float> Value(const Gradient& gradient, const std::vector<FedTensor>& feeds) {
    Result<std::vector<Tensor>> values = EvaluateEndpoints({ToDense(builder, gradient)}, feeds);
    EXPECT_TRUE(values.ok()) << values.status().ToString();
    return values.ok() ? Floats(values->front()) : std::vector<float>();
  }

  Graph graph;
  Status status;
  GraphBuilder builder{&graph, &status};
};

TEST_F(GradientsTest, TheChainRuleHolds) {
  const Endpoint x = Input();
  const Endpoint y = builder.Op("Square", {builder.Op("Exp", {x})});  // e^2x
  const Gradient gradient = Gradients({y}, {x})[0];
  EXPECT_THAT(gradient.dense()->node->name(), StartsWith("gradients/Exp_grad/"));
  EXPECT_THAT(Value(gradient, {{x, Tensor::Scalar(0.0f)}}), ElementsAre(2.0f));
}

TEST_F(GradientsTest, PathsThatMeetAreAdded) {
  const Endpoint x = Input();
  const Endpoint y = builder.Op("AddV2", {builder.Op("Mul", {x, x}), x});  // x^2 + x
  EXPECT_THAT(Value(Gradients({y}, {x})[0], {{x, Tensor::Scalar(3.0f)}}), ElementsAre(7.0f));
}

TEST_F(GradientsTest, AConditionOfSwitchAndMergeIsAnErrorAndNotAZero) {
  const Endpoint x = Input();
  const Endpoint pred = builder.Op("Placeholder", {}, {{"dtype", DType::kBool}, {"shape", PartialShape::Scalar()}});
  Node* const choice = builder.AddNode("Switch", {x, pred});
  const Endpoint y =
      builder.Op("Merge", {builder.Op("Neg", {Endpoint{choice, 0}}), builder.Op("Square", {Endpoint{choice, 1}})});
  const Status outcome = AddGradients(builder, {y}, {x}).status();
  EXPECT_EQ(outcome.code(), Code::kUnimplemented);
  EXPECT_THAT(outcome.message(), HasSubstr("'Merge' (Merge) is part of a v1 condition or loop"));
}

TEST_F(GradientsTest, ALoopOfSingleNodesIsAnErrorAndNotAZero) {
  const Endpoint x = Input();
  const Endpoint entered = builder.Op("Enter", {x}, {{"frame_name", std::string("loop")}});
  const Status outcome = AddGradients(builder, {builder.Op("Exit", {builder.Op("Neg", {entered})})}, {x}).status();
  EXPECT_EQ(outcome.code(), Code::kUnimplemented);
  EXPECT_THAT(outcome.message(), HasSubstr("'Exit' (Exit) is part of a v1 condition or loop"));
}

TEST_F(GradientsTest, AnXInTheMiddleGetsItsOwnGradient) {
  const Endpoint x = Input();
  const Endpoint middle = builder.Op("Square", {x});
  const Endpoint y = builder.Op("Square", {middle});
  const std::vector<Gradient> gradients = Gradients({y}, {x, middle});
  EXPECT_THAT(Value(gradients[1], {{x, Tensor::Scalar(2.0f)}}), ElementsAre(8.0f));
  EXPECT_THAT(Value(gradients[0], {{x, Tensor::Scalar(2.0f)}}), ElementsAre(32.0f));
}

TEST_F(GradientsTest, GivenGradientsOfYWeighTheResult) {
  const Endpoint x = Input({2});
  const Endpoint y = builder.Op("Square", {x});
  const Endpoint weights = builder.Const(Tensor::Vector<float>({10, 100}));
  EXPECT_THAT(Value(Gradients({y}, {x}, {weights})[0], {{x, Tensor::Vector<float>({1, 2})}}),
              ElementsAre(20.0f, 400.0f));
}

TEST_F(GradientsTest, NothingFlowsOnThroughWhatStops) {
  const Endpoint x = Input();
  const Endpoint middle = builder.Op("Square", {x});
  const Endpoint y = builder.Op("Mul", {middle, x});  // x^3, and x m where m is a constant
  Result<std::vector<Gradient>> gradients = AddGradients(builder, {y}, {x, middle}, {}, {middle});
  ASSERT_TRUE(gradients.ok()) << gradients.status().ToString();
  EXPECT_THAT(Value((*gradients)[0], {{x, Tensor::Scalar(3.0f)}}), ElementsAre(9.0f));
  EXPECT_THAT(Value((*gradients)[1], {{x, Tensor::Scalar(3.0f)}}), ElementsAre(3.0f));
}

TEST_F(GradientsTest, NothingFlowsWhereYDoesNotDepend) {
  const Endpoint x = Input(), other = Input();
  const Endpoint stopped = builder.Op("StopGradient", {builder.Op("Square", {x})});
  const Endpoint y = builder.Op("Mul", {stopped, other});
  const std::vector<Gradient> gradients = Gradients({y}, {x, other});
  EXPECT_FALSE(gradients[0].exists());
  EXPECT_TRUE(gradients[1].exists());
}

TEST_F(GradientsTest, IntegersHaveNoGradient) {
  const Endpoint x = Input();
  EXPECT_EQ(AddGradients(builder, {builder.Op("Cast", {x}, {{"DstT", DType::kInt32}})}, {x}).status().code(),
            Code::kInvalidArgument);
}

TEST_F(GradientsTest, RowsOfAVariableComeBackAsSlices) {
  const AttrMap attrs = {{"dtype", DType::kFloat}, {"shape", PartialShape({4, 2})}, {"shared_name", "table"}};
  const Endpoint table = builder.Op("VarHandleOp", {}, attrs);
  const Endpoint ids = builder.Const(Tensor::Vector<int32_t>({1, 3, 1}));
  const Endpoint rows = builder.Op("ResourceGather", {table, ids}, {{"dtype", DType::kFloat}});
  const Gradient once = Gradients({rows}, {table})[0];
  ASSERT_NE(once.slices(), nullptr);
  EXPECT_THAT(Value(once, {}), ElementsAre(0, 0, 2, 2, 0, 0, 1, 1)) << "repeated rows add up";

  const Endpoint more =
      builder.Op("ResourceGather", {table, builder.Const(Tensor::Vector<int32_t>({0}))}, {{"dtype", DType::kFloat}});
  const Gradient twice = Gradients({rows, more}, {table})[0];
  ASSERT_NE(twice.slices(), nullptr) << "slices that meet stay slices";
  EXPECT_THAT(Value(twice, {}), ElementsAre(1, 1, 2, 2, 0, 0, 1, 1));

  const Endpoint all = builder.Op("ReadVariableOp", {table}, {{"dtype", DType::kFloat}});
  const Gradient mixed = Gradients({rows, all}, {table})[0];
  EXPECT_NE(mixed.dense(), nullptr) << "with a whole gradient they become one";
  EXPECT_THAT(Value(mixed, {}), ElementsAre(1, 1, 3, 3, 1, 1, 2, 2));
}

TEST_F(GradientsTest, SummedDuplicatesNameEachRowOnce) {
  const IndexedSlices slices = {
      builder.Const(Tensor::Vector<int64_t>({5, 2, 5})), builder.Const(Tensor::Vector<float>({1, 2, 4})), {}};
  const IndexedSlices summed = SumDuplicateIndices(builder, slices);
  const Result<std::vector<Tensor>> values = EvaluateEndpoints({summed.indices, summed.values}, {});
  ASSERT_TRUE(values.ok()) << values.status().ToString();
  EXPECT_THAT((*values)[0].data<int64_t>(), ElementsAre(5, 2));
  EXPECT_THAT(Floats((*values)[1]), ElementsAre(5, 2));
}

TEST_F(GradientsTest, ADeepGraphNeedsNoStack) {
  const Endpoint x = Input();
  Endpoint y = x;
  for (int i = 0; i < 20'000; ++i) y = builder.Op("Identity", {y});
  ASSERT_TRUE(status.ok());
  EXPECT_TRUE(Gradients({y}, {x})[0].exists());
}

TEST(CheckGradientTest, AcceptsARightGradientAndRefusesAWrongInput) {
  RegisterAllOps();
  const Tensor a = Tensor::FromValues<double>({1, 2, 3, 4, 5, 6}, {2, 3}),
               b = Tensor::FromValues<double>({1, -1, 2, -2, 3, -3}, {3, 2});
  EXPECT_TRUE(CheckGradient("MatMul", {a, b}).ok());
  EXPECT_FALSE(CheckGradient("MatMul", {a, a}).ok());
  const Status none = CheckGradient("Floor", {a});
  EXPECT_THAT(none.message(), HasSubstr("no input has a gradient"));
}

}  // namespace
}  // namespace headrace
