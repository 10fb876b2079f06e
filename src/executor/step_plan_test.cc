#include "executor/step_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "executor/executor_testing.h"
#include "sync/notification.h"

namespace headrace {
namespace {

using ::testing::HasSubstr;

Tensor F(float value) { return Tensor::Scalar(value); }
float ValueOf(const Result<std::vector<Tensor>>& results, size_t index = 0) {
  return (*results)[index].scalar<float>();
}

TEST(StepPlan, RunsWhatItIsFedAndReturnsWhatIsFetched) {
  TestGraph g;
  const Endpoint x = g.Arg(DType::kFloat, 0), y = g.Arg(DType::kFloat, 1);
  g.Retval(g.Add(x, y), 0);
  g.Retval(y, 1);
  g.Retval(g.Const(F(7)), 2);
  const auto results = g.Run({F(2), F(3)});
  ASSERT_TRUE(results.ok()) << results.status().ToString();
  EXPECT_EQ(ValueOf(results, 0), 5);
  EXPECT_EQ(ValueOf(results, 1), 3);
  EXPECT_EQ(ValueOf(results, 2), 7);
}

TEST(StepPlan, RunsAChainOf50000Nodes) {
  TestGraph g;
  Endpoint value = g.Arg(DType::kFloat, 0);
  const Endpoint one = g.Const(F(1));
  for (int i = 0; i < 50'000; ++i) value = g.Add(value, one);
  g.Retval(value, 0);
  const auto results = g.Run({F(0)});
  ASSERT_TRUE(results.ok()) << results.status().ToString();
  EXPECT_EQ(ValueOf(results), 50'000);
}

TEST(StepPlan, NeverWritesIntoAFeedOrAConstant) {
  TestGraph g;
  const Endpoint one = g.Const(F(1));
  g.Retval(g.Add(g.Arg(DType::kFloat, 0), one), 0);
  const auto plan = g.Compile();
  ASSERT_TRUE(plan.ok());
  const std::vector<Tensor> args = {F(10)};
  for (int step = 0; step < 3; ++step) {
    const auto results = RunStep(**plan, args);
    ASSERT_TRUE(results.ok());
    EXPECT_EQ(ValueOf(results), 11);
  }
  EXPECT_EQ(args[0].scalar<float>(), 10);
}

TEST(StepPlan, ReusesTheBufferOfAnInputThatDies) {
  TestGraph g;
  const Endpoint a = g.Add(g.Arg(DType::kFloat, 0), g.Arg(DType::kFloat, 0 + 1));
  const void* buffer_of_a = nullptr;
  static const void** seen;
  seen = &buffer_of_a;
  static const auto* peek = new OpDefinition(
      OpDefinition("TestPeek(x: f32) -> (z: f32)").Kernels(AnyType(FunctionKernel([](KernelContext& c) -> Status {
        *seen = c.input(0).raw();
        return c.SetOutput(0, c.TakeInput(0));
      }))));
  g.Retval(g.Add(g.Op(*peek, {a}), g.Const(F(1))), 0);
  const auto results = g.Run({F(1), F(2)});
  ASSERT_TRUE(results.ok()) << results.status().ToString();
  EXPECT_EQ(ValueOf(results), 4);
  EXPECT_EQ((*results)[0].raw(), buffer_of_a);
}

TEST(StepPlan, GivesTheFirstErrorItsNodeOnce) {
  TestGraph g;
  const Endpoint failed = g.Op(TestFail(), {g.Const(F(1))}, {}, {}, "layer/broken");
  g.Retval(g.Add(failed, failed), 0);
  const auto results = g.Run();
  EXPECT_EQ(results.status().code(), Code::kInvalidArgument);
  EXPECT_EQ(results.status().message(), "the test wants it [[{{node layer/broken}}]]");
}

TEST(StepPlan, CanRunAgainAfterAnError) {
  TestGraph g;
  const Endpoint pred = g.Arg(DType::kBool, 0);
  Node* choice = g.Switch(g.Const(F(1)), pred);
  g.Retval(g.Merge({g.Op(TestFail(), {Endpoint{choice, 0}}), Endpoint{choice, 1}}), 0);
  const auto plan = g.Compile();
  ASSERT_TRUE(plan.ok());
  EXPECT_FALSE(RunStep(**plan, {Tensor::Scalar(false)}).ok());
  const auto results = RunStep(**plan, {Tensor::Scalar(true)});
  ASSERT_TRUE(results.ok()) << results.status().ToString();
  EXPECT_EQ(ValueOf(results), 1);
}

TEST(StepPlan, RefusesAFeedOfAnotherType) {
  TestGraph g;
  g.Retval(g.Arg(DType::kFloat, 0), 0);
  EXPECT_THAT(g.Run({Tensor::Scalar<int32_t>(1)}).status().message(),
              HasSubstr("Expects arg[0] to be float32 but int32 is provided"));
  EXPECT_EQ(g.Run({}).status().code(), Code::kInvalidArgument);
}

TEST(StepPlan, RefusesArgumentsWithTheSameIndex) {
  TestGraph g;
  g.Arg(DType::kFloat, 0);
  g.Arg(DType::kFloat, 0);
  EXPECT_THAT(g.Compile().status().message(), HasSubstr("index 0 is taken"));
}

TEST(StepPlan, RunsOnlyTheTakenSideOfASwitch) {
  for (const bool taken : {false, true}) {
    TestGraph g;
    Node* choice = g.Switch(g.Const(F(1)), g.Const(Tensor::Scalar(taken)));
    const Endpoint count = g.Op(TestCount(), {}, {}, {g.Add(Endpoint{choice, 1}, Endpoint{choice, 1}).node});
    const Endpoint no = g.Add(Endpoint{choice, 0}, g.Const(F(100)));
    const Endpoint yes = g.Add(count, g.Const(F(200)));
    const Endpoint merged = g.Merge({no, yes});
    g.Retval(merged, 0);
    g.Retval(Endpoint{merged.node, 1}, 1);
    const auto plan = g.Compile();
    ASSERT_TRUE(plan.ok());
    for (int step = 1; step <= 3; ++step) {
      const auto results = RunStep(**plan, {});
      ASSERT_TRUE(results.ok()) << results.status().ToString();
      EXPECT_EQ(ValueOf(results), taken ? 200 + step : 101);
      EXPECT_EQ((*results)[1].scalar<int32_t>(), taken ? 1 : 0);
    }
  }
}

TEST(StepPlan, AMergeOfDeadInputsIsDeadAndSoIsItsFetch) {
  TestGraph g;
  Node* choice = g.Switch(g.Const(F(1)), g.Const(Tensor::Scalar(true)));
  const Endpoint dead = g.Add(Endpoint{choice, 0}, g.Const(F(1)));
  g.Retval(g.Merge({dead, Endpoint{choice, 0}}), 0);
  const auto results = g.Run();
  EXPECT_EQ(results.status().code(), Code::kInvalidArgument);
  EXPECT_THAT(results.status().message(), HasSubstr("was not valid"));
}

TEST(StepPlan, AMergeWaitsForItsControlInputs) {
  TestGraph g;
  const Endpoint count = g.Op(TestCount(), {});
  const Endpoint merged = g.Merge({g.Const(F(1)), g.Const(F(1))}, {count.node});
  g.Retval(g.Op(TestCount(), {}, {}, {merged.node}), 0);
  g.Retval(merged, 1);
  const auto results = g.Run();
  ASSERT_TRUE(results.ok()) << results.status().ToString();
  EXPECT_EQ(ValueOf(results, 1), 1);
}

TEST(StepPlan, AControlTriggerIsAliveAfterDeadInputs) {
  TestGraph g;
  static const auto* trigger = new OpDefinition("ControlTrigger() -> ()");
  Node* choice = g.Switch(g.Const(F(1)), g.Const(Tensor::Scalar(true)));
  const Endpoint dead = g.Add(Endpoint{choice, 0}, g.Const(F(1)));
  const Endpoint alive = g.Op(*trigger, {}, {}, {dead.node});
  g.Retval(g.Const(F(3), {alive.node}), 0);
  const auto results = g.Run();
  ASSERT_TRUE(results.ok()) << results.status().ToString();
  EXPECT_EQ(ValueOf(results), 3);
}

TEST(StepPlan, ARefIsReadWhenItsConsumerStarts) {
  TestGraph g;
  const Endpoint ref = g.Op(TestRef(), {});
  const Endpoint set = g.Op(TestSet(), {ref, g.Const(F(4))});
  g.Retval(g.Add(ref, ref, {set.node}), 0);
  const auto results = g.Run();
  ASSERT_TRUE(results.ok()) << results.status().ToString();
  EXPECT_EQ(ValueOf(results), 8);
}

TEST(StepPlan, ReadingAnUninitializedRefNamesTheVariable) {
  TestGraph g;
  const Endpoint ref = g.Op(TestRef(), {}, {}, {}, "weights");
  g.Retval(g.Add(ref, ref), 0);
  const auto results = g.Run();
  EXPECT_EQ(results.status().code(), Code::kFailedPrecondition);
  EXPECT_THAT(results.status().message(), HasSubstr("Attempting to use uninitialized value weights"));
}

TEST(StepPlan, StatefulKernelsAreSharedByTheCache) {
  KernelCache kernels;
  for (int plan = 1; plan <= 3; ++plan) {
    TestGraph g;
    g.Retval(g.Op(TestCount(), {}, {}, {}, "count"), 0);
    const auto compiled = g.Compile(&kernels);
    ASSERT_TRUE(compiled.ok());
    EXPECT_EQ(ValueOf(RunStep(**compiled, {})), plan);
  }
}

TEST(StepPlan, AKernelThatWaitsHoldsNoThread) {
  CloseGate();
  TestGraph g;
  g.Retval(g.Add(g.Op(TestWait(), {g.Const(F(1))}), g.Const(F(1))), 0);
  const auto plan = g.Compile();
  ASSERT_TRUE(plan.ok());
  EXPECT_FALSE((*plan)->is_synchronous());
  std::vector<Tensor> results(1);
  StepContext step = (*plan)->NewContext();
  step.results = results;
  bool is_done = false;
  (*plan)->Run(&step, [&](const Status& status) {
    EXPECT_TRUE(status.ok()) << status.ToString();
    is_done = true;
  });
  EXPECT_FALSE(is_done);
  OpenGate();
  EXPECT_TRUE(is_done);
  EXPECT_EQ(results[0].scalar<float>(), 2);
}

TEST(StepPlan, CostlyKernelsLeaveTheThreadThatBroughtTheNews) {
  static std::atomic<bool> ran_in_pool;
  static const auto* busy = new OpDefinition(
      OpDefinition("TestWhere(x: f32) -> (z: f32)").Kernels(AnyType(FunctionKernel([](KernelContext& c) -> Status {
        ran_in_pool = c.runtime().compute->InPool();
        const TimePoint until = RealClock().Now() + std::chrono::microseconds(200);
        while (RealClock().Now() < until) {
        }
        return c.SetOutput(0, c.TakeInput(0));
      }))));
  TestGraph g;
  g.Retval(g.Op(*busy, {g.Op(TestWait(), {g.Const(F(1))})}), 0);
  const auto plan = g.Compile();
  ASSERT_TRUE(plan.ok());
  for (int step = 0; step < 3; ++step) {
    CloseGate();
    std::vector<Tensor> results(1);
    StepContext context = (*plan)->NewContext();
    context.results = results;
    Notification finished;
    (*plan)->Run(&context, [&](const Status& status) {
      EXPECT_TRUE(status.ok()) << status.ToString();
      finished.Notify();
    });
    OpenGate();
    finished.Wait();
    EXPECT_EQ(ran_in_pool, step > 0);  // what it costs is known after the first time
  }
}

TEST(StepPlan, CancellationEndsAKernelThatWaits) {
  CloseGate();
  TestGraph g;
  g.Retval(g.Op(TestWait(), {g.Const(F(1))}), 0);
  const auto plan = g.Compile();
  ASSERT_TRUE(plan.ok());
  std::vector<Tensor> results(1);
  CancellationToken token;
  StepContext step = (*plan)->NewContext();
  step.results = results;
  step.cancellation = &token;
  Status outcome;
  (*plan)->Run(&step, [&](const Status& status) { outcome = status; });
  EXPECT_TRUE(outcome.ok());
  token.Cancel(Cancelled("enough"));
  EXPECT_EQ(outcome.code(), Code::kCancelled);
  EXPECT_THAT(outcome.message(), HasSubstr("enough"));
}

TEST(StepPlan, AnErrorEndsTheKernelsThatWait) {
  CloseGate();
  TestGraph g;
  g.Retval(g.Op(TestWait(), {g.Const(F(1))}), 0);
  g.Retval(g.Op(TestFail(), {g.Const(F(1))}), 1);
  const auto results = g.Run();
  EXPECT_EQ(results.status().code(), Code::kInvalidArgument);
}

TEST(StepPlan, ACancelledStepDoesNotBegin) {
  TestGraph g;
  g.Retval(g.Op(TestFail(), {g.Const(F(1))}), 0);
  CancellationToken token;
  token.Cancel(Cancelled("before it began"));
  EXPECT_EQ(g.Run({}, &token).status().code(), Code::kCancelled);
}

TEST(StepPlan, CostlyKernelsRunSideBySide) {
  TestGraph g;
  const Endpoint one = g.Const(F(1));
  for (int i = 0; i < 8; ++i) {
    Endpoint value = one;
    for (int j = 0; j < 4; ++j) value = g.Op(TestBusy(), {value, one});
    g.Retval(value, i);
  }
  const auto plan = g.Compile();
  ASSERT_TRUE(plan.ok());
  for (int step = 0; step < 20; ++step) {
    const auto results = RunStep(**plan, {});
    ASSERT_TRUE(results.ok()) << results.status().ToString();
    for (size_t i = 0; i < 8; ++i) EXPECT_EQ(ValueOf(results, i), 5);
  }
}

}  // namespace
}  // namespace headrace
