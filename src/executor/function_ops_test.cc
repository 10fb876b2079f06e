// The ops that call functions, run by plans: loops, errors, cancellation; and lists and TensorArrays in loops.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "executor/function_testing.h"
#include "kernel/runtime.h"

namespace headrace {
namespace {

using Endpoints = std::vector<Endpoint>;
using ::testing::HasSubstr;

class FunctionOpsTest : public ::testing::Test {
 protected:
  const GraphBuilder& b() const { return program_.builder(); }
  static Endpoint Next(const GraphBuilder& body, Endpoint i) { return body.Op("AddV2", {i, body.Scalar<int32_t>(1)}); }
  static FunctionProgram::Build IsBelow(int32_t limit) {
    return [limit](const GraphBuilder& body, const Endpoints& v) {
      return Endpoints{body.Op("Less", {v[0], body.Scalar<int32_t>(limit)})};
    };
  }
  Endpoint EmptyList() const {
    const Endpoint unknown = b().Scalar<int32_t>(-1);
    return b().Op("EmptyTensorList", {unknown, unknown}, {{"element_dtype", DType::kInt32}});
  }

  FunctionProgram program_;
};

TEST_F(FunctionOpsTest, AHundredThousandIterationsNeedNoStack) {
  const Endpoint i =
      program_.While({b().Scalar<int32_t>(0)}, IsBelow(100'000),
                     [](const GraphBuilder& body, const Endpoints& v) { return Endpoints{Next(body, v[0])}; })[0];
  const auto results = program_.Run({i});
  ASSERT_TRUE(results.ok()) << results.status().ToString();
  EXPECT_EQ((*results)[0].scalar<int32_t>(), 100'000);
}

TEST_F(FunctionOpsTest, AnEndlessLoopEndsWhenTheStepIsCancelled) {
  const Endpoint i = program_.While(
      {b().Scalar<int32_t>(0)}, [](const GraphBuilder& body, const Endpoints&) { return Endpoints{body.Scalar(true)}; },
      [](const GraphBuilder& body, const Endpoints& v) { return Endpoints{body.Op("Neg", {v[0]})}; })[0];
  CancellationToken token;
  Runtime::Default()->blocking->Schedule([&token] { token.Cancel(Cancelled("enough")); });
  const auto results = program_.Run({i}, &token);
  EXPECT_EQ(results.status().code(), Code::kCancelled) << results.status().ToString();
  EXPECT_THAT(results.status().message(), HasSubstr("enough"));
}

TEST_F(FunctionOpsTest, ErrorsNameTheNodeAndTheFunction) {
  const Endpoint y =
      program_.Call({b().Const(Tensor::Vector<float>({1, 2}))}, [](const GraphBuilder& body, const Endpoints& v) {
        const Endpoint three = body.Const(Tensor::Vector<float>({1, 2, 3}));
        return Endpoints{body.WithNamePrefix("deep").Op("AddV2", {v[0], three})};
      })[0];
  const Status status = program_.Run({y}).status();
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("{{node deep/AddV2}}"));
  EXPECT_THAT(status.message(), HasSubstr("in function 'function'"));
}

TEST_F(FunctionOpsTest, ACondRunsOneBranch) {
  const auto fail = [](const GraphBuilder& body, const Endpoints& v) {
    return Endpoints{body.Op("AddV2", {v[0], body.Const(Tensor::Vector<float>({1, 2, 3}))})};
  };
  const auto negate = [](const GraphBuilder& body, const Endpoints& v) { return Endpoints{body.Op("Neg", {v[0]})}; };
  const Endpoint y = program_.If(b().Scalar<int32_t>(5), {b().Const(Tensor::Vector<float>({1, 2}))}, negate, fail)[0];
  const auto results = program_.Run({y});
  ASSERT_TRUE(results.ok()) << results.status().ToString();
  EXPECT_EQ((*results)[0].data<float>()[1], -2);
}

TEST_F(FunctionOpsTest, AFunctionThatIsNotThereIsNotFound) {
  const Endpoint y = b().Op("PartitionedCall", {b().Scalar(1.0f)},
                            {{"f", FunctionRef{"nowhere", nullptr}}, {"Tout", std::vector<DType>{DType::kFloat}}});
  EXPECT_EQ(program_.Run({y}).status().code(), Code::kNotFound);
}

// Copying the list in each iteration would be 4e8 tensors.
TEST_F(FunctionOpsTest, ALoopPushesInPlace) {
  const Endpoints ends = program_.While(
      {b().Scalar<int32_t>(0), EmptyList()}, IsBelow(20'000), [](const GraphBuilder& body, const Endpoints& v) {
        return Endpoints{Next(body, v[0]), body.Op("TensorListPushBack", {v[1], v[0]})};
      });
  const Endpoint sum = b().Op("Sum", {b().Op("TensorListStack", {ends[1], b().Const(Tensor::Vector<int32_t>({}))},
                                             {{"element_dtype", DType::kInt32}}),
                                      b().Const(Tensor::Vector<int32_t>({0}))});
  const auto results = program_.Run({b().Op("TensorListLength", {ends[1]}), sum});
  ASSERT_TRUE(results.ok()) << results.status().ToString();
  EXPECT_EQ((*results)[0].scalar<int32_t>(), 20'000);
  EXPECT_EQ((*results)[1].scalar<int32_t>(), 199'990'000);
}

TEST_F(FunctionOpsTest, AListThatOthersHoldStaysAsItIs) {
  const Endpoint list = EmptyList(), longer = b().Op("TensorListPushBack", {list, b().Scalar<int32_t>(7)});
  const auto results =
      program_.Run({b().Op("TensorListLength", {list}), b().Op("TensorListLength", {longer}),
                    b().Op("TensorListLength", {b().Op("TensorListPushBack", {longer, b().Scalar<int32_t>(8)})})});
  ASSERT_TRUE(results.ok()) << results.status().ToString();
  for (int32_t i = 0; i < 3; ++i) EXPECT_EQ((*results)[static_cast<size_t>(i)].scalar<int32_t>(), i);
}

TEST_F(FunctionOpsTest, ATensorArrayIsWrittenInALoop) {
  Node* array =
      b().AddNode("TensorArrayV3", {b().Scalar<int32_t>(0)}, {{"dtype", DType::kInt32}, {"dynamic_size", true}});
  const Endpoints ends = program_.While(
      {b().Scalar<int32_t>(0), Endpoint{array, 1}, Endpoint{array, 0}}, IsBelow(5),
      [](const GraphBuilder& body, const Endpoints& v) {
        return Endpoints{Next(body, v[0]), body.Op("TensorArrayWriteV3", {v[2], v[0], v[0], v[1]}), v[2]};
      });
  const Endpoint order = b().Const(Tensor::Vector<int32_t>({4, 0, 2}));
  const Endpoint picked = b().Op("TensorArrayGatherV3", {ends[2], order, ends[1]}, {{"dtype", DType::kInt32}});
  const auto results = program_.Run({picked});
  ASSERT_TRUE(results.ok()) << results.status().ToString();
  EXPECT_THAT((*results)[0].data<int32_t>(), ::testing::ElementsAre(4, 0, 2));
}

}  // namespace
}  // namespace headrace
