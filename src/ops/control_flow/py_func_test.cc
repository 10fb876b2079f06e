// PyFunc with functions of this process; one of another process is in tests/cases/control_flow.
#include <gtest/gtest.h>

#include "kernel/host_functions.h"
#include "ops/kernel_testing.h"
#include "ops/register.h"
#include "sync/notification.h"

namespace headrace {
namespace {

class PyFuncTest : public testing::Test {
 protected:
  PyFuncTest() { RegisterAllOps(); }
  ~PyFuncTest() override { HostFunctions::Global().Remove("f"); }

  /// The kernel that calls `function` with 1 and 2.5 and expects a float.
  static KeptKernel Calling(HostFunction function) {
    HostFunctions::Global().Add("f", std::move(function));
    return KeptKernel("PyFunc", {{.tensor = Tensor::Scalar<int32_t>(1)}, {.tensor = Tensor::Scalar<double>(2.5)}},
                      {{"token", std::string("f")},
                       {"Tin", std::vector<DType>{DType::kInt32, DType::kDouble}},
                       {"Tout", std::vector<DType>{DType::kFloat}}});
  }
  static HostFunction Returning(std::vector<Tensor> results) {
    return [results](const std::vector<Tensor>&) { return results; };
  }
};

TEST_F(PyFuncTest, AFunctionGetsTheInputsAndGivesTheOutputs) {
  KeptKernel kernel = Calling([](const std::vector<Tensor>& args) {
    const double sum = args[0].scalar<int32_t>() + args[1].scalar<double>();
    return std::vector<Tensor>{Tensor::Scalar(static_cast<float>(sum))};
  });
  const Result<Tensor> sum = kernel.RunTensor();
  ASSERT_TRUE(sum.ok()) << sum.status().ToString();
  EXPECT_EQ(sum->scalar<float>(), 3.5F);
}

TEST_F(PyFuncTest, ItsErrorIsTheStepsError) {
  EXPECT_EQ(
      Calling([](const std::vector<Tensor>&) { return Unimplemented("not yet"); }).RunTensor().status().ToString(),
      "UNIMPLEMENTED: not yet");
}

TEST_F(PyFuncTest, OtherResultsThanTheOpDeclaresAreRefused) {
  EXPECT_EQ(Calling(Returning({})).RunTensor().status().ToString(),
            "INVALID_ARGUMENT: f returns 0 values, but expects to see 1 values.");
  EXPECT_EQ(Calling(Returning({Tensor::Scalar<double>(1)})).RunTensor().status().ToString(),
            "INVALID_ARGUMENT: 0-th value returned by f is double, but expects float");
}

TEST_F(PyFuncTest, ACancelledStepDoesNotWaitForTheFunctionAndDropsItsResult) {
  CancellationToken token;
  const auto step_ended = std::make_shared<Notification>(), function_ended = std::make_shared<Notification>();
  KeptKernel kernel = Calling([&token, step_ended, function_ended](const std::vector<Tensor>&) {
    token.Cancel(Cancelled("enough"));
    step_ended->Wait();
    function_ended->Notify();
    return std::vector<Tensor>{Tensor::Scalar<float>(1)};
  });
  EXPECT_EQ(kernel.Run(&token).status().code(), Code::kCancelled);
  step_ended->Notify();
  function_ended->Wait();
}

TEST_F(PyFuncTest, AStepThatIsCancelledAlreadyDoesNotCall) {
  CancellationToken token;
  token.Cancel(Cancelled("enough"));
  bool called = false;
  KeptKernel kernel = Calling([&](const std::vector<Tensor>&) {
    called = true;
    return std::vector<Tensor>{Tensor::Scalar<float>(1)};
  });
  EXPECT_EQ(kernel.Run(&token).status().code(), Code::kCancelled);
  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace headrace
