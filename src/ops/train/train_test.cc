#include <gtest/gtest.h>

#include <algorithm>

#include "kernel/evaluate.h"
#include "ops/kernel_testing.h"
#include "ops/register.h"
#include "sync/thread_pool.h"

namespace headrace {
namespace {

class TrainTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    RegisterStateOps(OpRegistry::Global());
    RegisterTrainOps(OpRegistry::Global());
  }

  static std::shared_ptr<Variable> MakeVariable(const Tensor& value) {
    auto variable = std::make_shared<Variable>(value.dtype(), value.shape());
    variable->Assign(*value.Clone());
    return variable;
  }
  Tensor Handle(const std::string& name) {
    return (*EvaluateOp("VarHandleOp", {}, {{"shared_name", name}, {"dtype", DType::kFloat}, {"shape", PartialShape()}},
                        &resources_))[0];
  }
  void Assign(const std::string& name, const Tensor& value) {
    ASSERT_TRUE(EvaluateOp("AssignVariableOp", {Handle(name), *value.Clone()}, {}, &resources_).ok());
  }
  Tensor Read(const std::string& name) { return (*resources_.Lookup<Variable>("", name))->Read(); }

  ResourceManager resources_;
};

Tensor Filled(int64_t count, float value) {
  Tensor tensor = *Tensor::Allocate(DType::kFloat, Shape({count}));
  std::ranges::fill(tensor.mutable_data<float>(), value);
  return tensor;
}

TEST_F(TrainTest, ADenseUpdateIsInPlaceAndLeavesASnapshotAlone) {
  Assign("v", Filled(3, 1));
  const void* data = Read("v").raw();
  const std::vector<Tensor> inputs = {Handle("v"), Tensor::Scalar(0.5f), Filled(3, 1)};
  ASSERT_TRUE(EvaluateOp("ResourceApplyGradientDescent", inputs, {}, &resources_).ok());
  EXPECT_EQ(Read("v").raw(), data);
  const Tensor snapshot = Read("v");
  ASSERT_TRUE(EvaluateOp("ResourceApplyGradientDescent", inputs, {}, &resources_).ok());
  EXPECT_EQ(snapshot.data<float>()[0], 0.5f);
  EXPECT_EQ(Read("v").data<float>()[0], 0.0f);
}

TEST_F(TrainTest, ALargeUpdateOnAllThreadsReachesEveryElement) {
  constexpr int64_t kCount = 1'000'003;
  Assign("v", Filled(kCount, 1));
  Assign("a", Filled(kCount, 3));
  const std::vector<Tensor> inputs = {Handle("v"), Handle("a"), Tensor::Scalar(2.0f), Filled(kCount, 1)};
  ASSERT_TRUE(EvaluateOp("ResourceApplyAdagrad", inputs, {}, &resources_).ok());
  const Tensor variable = Read("v"), accumulator = Read("a");
  EXPECT_TRUE(std::ranges::all_of(variable.data<float>(), [](float x) { return x == 0; }));
  EXPECT_TRUE(std::ranges::all_of(accumulator.data<float>(), [](float x) { return x == 4; }));
}

TEST_F(TrainTest, AFailedSparseUpdateChangesNothing) {
  Assign("v", Filled(2, 1));
  Assign("a", Filled(2, 1));
  const Status status =
      EvaluateOp("ResourceSparseApplyAdagrad",
                 {Handle("v"), Handle("a"), Tensor::Scalar(1.0f), Filled(2, 1), Tensor::Vector<int32_t>({0, 2})}, {},
                 &resources_)
          .status();
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_EQ(Read("v").data<float>()[0], 1.0f);
  EXPECT_EQ(Read("a").data<float>()[0], 1.0f);
}

TEST_F(TrainTest, RefTwinsUpdateTheSameWayAndHandTheVariableOn) {
  const auto variable = MakeVariable(Filled(2, 1)), momentum = MakeVariable(Filled(2, 2));
  KeptKernel apply("ApplyMomentum", {{.variable = variable},
                                     {.variable = momentum},
                                     {Tensor::Scalar(0.5f)},
                                     {Filled(2, 1)},
                                     {Tensor::Scalar(0.25f)}});
  const Result<std::vector<InputValue>> outputs = apply.Run();
  ASSERT_TRUE(outputs.ok()) << outputs.status().ToString();
  EXPECT_EQ((*outputs)[0].variable, variable);
  EXPECT_EQ(momentum->Read().data<float>()[1], 1.5f);
  EXPECT_EQ(variable->Read().data<float>()[1], 0.25f);
  KeptKernel uninitialized("ApplyGradientDescent",
                           {{.variable = std::make_shared<Variable>(DType::kFloat, PartialShape({2}))},
                            {Tensor::Scalar(0.5f)},
                            {Filled(2, 1)}});
  EXPECT_EQ(uninitialized.Run().status().code(), Code::kFailedPrecondition);
}

TEST_F(TrainTest, UpdatesThatNameTheSameVariablesInAnyOrderDoNotDeadlock) {
  const auto a = MakeVariable(Filled(16, 1)), b = MakeVariable(Filled(16, 1));
  const auto apply = [](const std::shared_ptr<Variable>& first, const std::shared_ptr<Variable>& second) {
    KeptKernel kernel("ApplyAdagrad",
                      {{.variable = first}, {.variable = second}, {Tensor::Scalar(0.0f)}, {Filled(16, 1)}});
    for (int i = 0; i < 2000; ++i) ASSERT_TRUE(kernel.Run().ok());
  };
  const std::unique_ptr<ThreadPool> pool = MakeThreadPool("test", 2);
  pool->ParallelFor(4, 1e9, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) i % 2 == 0 ? apply(a, b) : apply(b, a);
  });
  EXPECT_EQ(a->Read().data<float>()[0] + b->Read().data<float>()[0], 8002.0f);
}

}  // namespace
}  // namespace headrace
