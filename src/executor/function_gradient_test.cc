// Gradients through functions, conds and loops: the numbers are TensorFlow's, for the same formulas.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autodiff/gradients.h"
#include "autodiff/indexed_slices.h"
#include "executor/function_testing.h"

namespace headrace {
namespace {

using Endpoints = std::vector<Endpoint>;

class FunctionGradientTest : public ::testing::Test {
 protected:
  FunctionGradientTest()
      : x_(b().Const(Tensor::Vector<float>({0.1f, -0.2f}))),
        w_(b().Const(Tensor::Scalar(0.7f))),
        zero_(b().Scalar<int32_t>(0)) {}

  const GraphBuilder& b() const { return program_.builder(); }
  Endpoint SumOfSquares(Endpoint y) const {
    return b().Op("Sum", {b().Op("Square", {y}), b().Const(Tensor::Vector<int32_t>({0}))});
  }
  static Endpoint Next(const GraphBuilder& body, Endpoint i) { return body.Op("AddV2", {i, body.Scalar<int32_t>(1)}); }
  static FunctionProgram::Build IsBelow(int32_t limit) {
    return [limit](const GraphBuilder& body, const Endpoints& v) {
      return Endpoints{body.Op("Less", {v[0], body.Scalar<int32_t>(limit)})};
    };
  }
  /// tanh(y * w) + x
  static Endpoint Cell(const GraphBuilder& body, Endpoint y, Endpoint w, Endpoint x) {
    return body.Op("AddV2", {body.Op("Tanh", {body.Op("Mul", {y, w})}), x});
  }

  Endpoints GradientsOf(Endpoint y, const Endpoints& xs) {
    const auto gradients = AddGradients(b(), {y}, xs);
    EXPECT_TRUE(gradients.ok()) << gradients.status().ToString();
    Endpoints dense;
    for (size_t i = 0; gradients.ok() && i < xs.size(); ++i) dense.push_back(ToDense(b(), (*gradients)[i]));
    return dense;
  }
  /// All elements of what is fetched, one tensor behind the other.
  std::vector<float> Run(const Endpoints& fetches) {
    const auto results = program_.Run(fetches);
    EXPECT_TRUE(results.ok()) << results.status().ToString();
    std::vector<float> values;
    for (size_t i = 0; results.ok() && i < results->size(); ++i) {
      const auto data = (*results)[i].data<float>();
      values.insert(values.end(), data.begin(), data.end());
    }
    return values;
  }
  void ExpectNear(const std::vector<float>& actual, const std::vector<float>& expected) {
    EXPECT_THAT(actual, ::testing::Pointwise(::testing::FloatNear(2e-5f), expected));
  }
  Endpoint Loop(int32_t steps) {
    return program_.While({zero_, x_, w_, x_}, IsBelow(steps), [](const GraphBuilder& body, const Endpoints& v) {
      return Endpoints{Next(body, v[0]), Cell(body, v[1], v[2], v[3]), v[2], v[3]};
    })[1];
  }

  FunctionProgram program_;
  const Endpoint x_, w_, zero_;
};

TEST_F(FunctionGradientTest, OfALoopWithCapturedInputs) {
  const Endpoint loss = SumOfSquares(Loop(4));
  const Endpoints gradients = GradientsOf(loss, {x_, w_});
  ExpectNear(Run({loss, gradients[0], gradients[1]}), {0.35909081f, 1.47415507f, -2.62633538f, 1.19515109f});
}

TEST_F(FunctionGradientTest, OfALoopThatNeverRuns) {
  const Endpoint loss = SumOfSquares(Loop(0));
  const Endpoints gradients = GradientsOf(loss, {x_, w_});
  ExpectNear(Run({loss, gradients[0], gradients[1]}), {0.05f, 0.2f, -0.4f, 0});
}

TEST_F(FunctionGradientTest, TwiceOfTheSameLoop) {
  const Endpoint loss = SumOfSquares(Loop(4));
  const Endpoints first = GradientsOf(loss, {x_}), second = GradientsOf(loss, {w_});
  ExpectNear(Run({first[0], second[0]}), {1.47415507f, -2.62633538f, 1.19515109f});
}

TEST_F(FunctionGradientTest, OfALoopInALoop) {
  const Endpoint start = b().Op("AddV2", {x_, b().Scalar(1.0f)});
  const std::vector<DType> types = {DType::kInt32, DType::kFloat, DType::kInt32, DType::kFloat, DType::kFloat};
  const FunctionRef cond = program_.Function("inner_cond", types, [](const GraphBuilder& body, const Endpoints& v) {
    return Endpoints{body.Op("Less", {v[0], v[2]})};
  });
  const FunctionRef inner = program_.Function("inner_body", types, [](const GraphBuilder& body, const Endpoints& v) {
    const Endpoint y = body.Op("AddV2", {body.Op("Sin", {body.Op("Mul", {v[1], v[3]})}), v[4]});
    return Endpoints{Next(body, v[0]), y, v[2], v[3], v[4]};
  });
  const Endpoint y =
      program_.While({zero_, start, w_, x_}, IsBelow(4), [&](const GraphBuilder& body, const Endpoints& v) {
        const Endpoint deep =
            body.Op("While", {body.Scalar<int32_t>(0), v[1], v[0], v[2], v[3]}, {{"cond", cond}, {"body", inner}}, 1);
        return Endpoints{Next(body, v[0]), body.Op("Mul", {deep, v[1]}), v[2], v[3]};
      })[1];
  const Endpoint loss = SumOfSquares(y);
  const Endpoints gradients = GradientsOf(loss, {x_, w_});
  ExpectNear(Run({loss, gradients[0], gradients[1]}), {0.06723177f, 2.39849973f, -0.00191636f, 0.94996172f});
}

TEST_F(FunctionGradientTest, OfACondInALoop) {
  const std::vector<DType> types = {DType::kFloat, DType::kFloat, DType::kFloat};
  const FunctionRef even = program_.Function("even", types, [](const GraphBuilder& body, const Endpoints& v) {
    return Endpoints{Cell(body, v[0], v[1], v[2])};
  });
  const FunctionRef odd = program_.Function("odd", types, [](const GraphBuilder& body, const Endpoints& v) {
    return Endpoints{body.Op("Mul", {body.Op("Square", {v[0]}), v[1]})};
  });
  const Endpoint y = program_.While({zero_, x_, w_, x_}, IsBelow(5), [&](const GraphBuilder& body, const Endpoints& v) {
    const Endpoint rest = body.Op("FloorMod", {v[0], body.Scalar<int32_t>(2)});
    const Endpoint is_even = body.Op("Equal", {rest, body.Scalar<int32_t>(0)});
    const Endpoint next =
        body.Op("StatelessIf", {is_even, v[1], v[2], v[3]},
                {{"then_branch", even}, {"else_branch", odd}, {"Tout", std::vector<DType>{DType::kFloat}}});
    return Endpoints{Next(body, v[0]), next, v[2], v[3]};
  })[1];
  const Endpoint loss = SumOfSquares(y);
  const Endpoints gradients = GradientsOf(loss, {x_, w_});
  ExpectNear(Run({loss, gradients[0], gradients[1]}), {0.04737174f, 0.24328716f, -0.35615537f, 0.0063126f});
}

class CondGradientTest : public FunctionGradientTest, public ::testing::WithParamInterface<bool> {};

TEST_P(CondGradientTest, OfTheBranchThatIsTaken) {
  const Endpoint y = program_.If(
      b().Scalar(GetParam()), {x_, w_},
      [](const GraphBuilder& body, const Endpoints& v) {
        return Endpoints{body.Op("Mul", {body.Op("Exp", {v[0]}), v[1]})};
      },
      [](const GraphBuilder& body, const Endpoints& v) { return Endpoints{body.Op("Square", {v[0]})}; })[0];
  const Endpoint loss = SumOfSquares(y);
  const Endpoints gradients = GradientsOf(loss, {x_, w_});
  ExpectNear(Run({loss, gradients[0], gradients[1]}),
             GetParam() ? std::vector<float>{0.9269442f, 1.19697475f, 0.65691364f, 2.64841199f}
                        : std::vector<float>{0.0017f, 0.004f, -0.032f, 0});
}
INSTANTIATE_TEST_SUITE_P(Branches, CondGradientTest, ::testing::Bool());

TEST_F(FunctionGradientTest, OfACall) {
  const FunctionProgram::Build layer = [](const GraphBuilder& body, const Endpoints& v) {
    return Endpoints{Cell(body, v[0], v[1], v[0])};
  };
  const Endpoint once = program_.Call({x_, w_}, layer)[0];
  const Endpoint loss = SumOfSquares(program_.Call({once, w_}, layer)[0]);
  const Endpoints gradients = GradientsOf(loss, {x_, w_});
  ExpectNear(Run({loss, gradients[0], gradients[1]}), {0.41038287f, 1.65313447f, -3.20704746f, 0.93342477f});
}

TEST_F(FunctionGradientTest, OfAGradientOfALoop) {
  const Endpoint y = program_.While({zero_, x_, w_, x_}, IsBelow(3), [](const GraphBuilder& body, const Endpoints& v) {
    const Endpoint sine = body.Op("Sin", {body.Op("Mul", {v[3], v[2]})});
    return Endpoints{Next(body, v[0]), body.Op("Mul", {v[1], sine}), v[2], v[3]};
  })[1];
  const Endpoint first = GradientsOf(y, {x_})[0];
  const Endpoints second = GradientsOf(SumOfSquares(first), {x_, w_});
  ExpectNear(Run({first, second[0], second[1]}), {0.00136697f, -0.01081556f, 0.00011184f, -0.00347479f, 0.00100877f});
}

TEST_F(FunctionGradientTest, OfAVariableOfWhichALoopGathersRows) {
  const Endpoint handle = b().Op("VarHandleOp", {}, {{"dtype", DType::kFloat}, {"shape", PartialShape({3})}});
  Node* assign = b().AddNode("AssignVariableOp", {handle, b().Const(Tensor::Vector<float>({0.5f, 0.25f, -1}))});
  const GraphBuilder after = b().WithControlInputs({assign});
  const Endpoint start = after.Op("Identity", {b().Scalar(2.0f)});
  const Endpoint y =
      program_.While({zero_, start, handle}, IsBelow(3), [](const GraphBuilder& body, const Endpoints& v) {
        const auto row = [&](Endpoint i) { return body.Op("ResourceGather", {v[2], i}, {{"dtype", DType::kFloat}}); };
        const Endpoint i = body.Op("FloorMod", {v[0], body.Scalar<int32_t>(2)});
        const Endpoint next = body.Op("AddV2", {body.Op("Mul", {v[1], row(i)}), row(body.Scalar<int32_t>(2))});
        return Endpoints{Next(body, v[0]), next, v[2]};
      })[1];
  const auto gradients = AddGradients(after, {y}, {handle});
  ASSERT_TRUE(gradients.ok()) << gradients.status().ToString();
  ExpectNear(Run({y, ToDense(after, (*gradients)[0])}), {-1.5f, -0.75f, 0, 1.625f});
}

TEST_F(FunctionGradientTest, AFunctionThatCallsItselfIsRefused) {
  FunctionDef endless;
  endless.signature = *OpSignature::Parse("endless(a: f32) -> (c: f32)");
  endless.nodes = {{.name = "again",
                    .op = "PartitionedCall",
                    .device = "",
                    .inputs = {"a"},
                    .attrs = {{"f", FunctionRef{"endless", nullptr}},
                              {"Tin", std::vector<DType>{DType::kFloat}},
                              {"Tout", std::vector<DType>{DType::kFloat}}}}};
  endless.returns = {{"c", "again:output:0"}};
  ASSERT_TRUE(program_.graph().functions().Add(std::move(endless)).ok());
  const Endpoint y = b().Op("PartitionedCall", {w_},
                            {{"f", FunctionRef{"endless", nullptr}}, {"Tout", std::vector<DType>{DType::kFloat}}});
  EXPECT_EQ(AddGradients(b(), {y}, {w_}).status().code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace headrace
