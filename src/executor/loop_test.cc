// Loops of Enter, Merge, Switch, NextIteration and Exit, in graphs made by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "executor/executor_testing.h"
#include "executor/loop_key.h"
#include "executor/loop_testing.h"
#include "ops/control_flow/control_flow_ops.h"
#include "sync/notification.h"

namespace headrace {
namespace {

using ::testing::HasSubstr;

Tensor F(float value) { return Tensor::Scalar(value); }

float ValueOf(const Result<std::vector<Tensor>>& results, size_t index = 0) {
  EXPECT_TRUE(results.ok()) << results.status().ToString();
  return results.ok() ? (*results)[index].scalar<float>() : -1;
}

TEST(Loop, RunsUntilItsConditionIsFalse) {
  for (const int parallel : {1, 2, 10}) {
    TestGraph g;
    g.Retval(CountTo(&g, g.Arg(DType::kFloat, 0), g.Arg(DType::kFloat, 1), "f", parallel), 0);
    const auto plan = g.Compile();
    ASSERT_TRUE(plan.ok()) << plan.status().ToString();
    for (const float limit : {0.0f, 1.0f, 2.0f, 17.0f}) {
      EXPECT_EQ(ValueOf(RunStep(**plan, {F(0), F(limit)})), limit) << parallel;
    }
    EXPECT_EQ(ValueOf(RunStep(**plan, {F(5), F(2)})), 5);
  }
}

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr float kMany = 20'000;
#else
constexpr float kMany = 1'000'000;
#endif

TEST(Loop, RunsAMillionIterations) {
  TestGraph g;
  g.Retval(CountTo(&g, g.Const(F(0)), g.Const(F(kMany)), "f"), 0);
  EXPECT_EQ(ValueOf(g.Run()), kMany);
}

TEST(Loop, VariablesOfUnlikeSpeedStayTogether) {
  for (const int parallel : {1, 3, 10}) {
    TestGraph g;
    Loop loop(&g, "f", parallel);
    const Endpoint i = loop.Variable(g.Const(F(0))), sum = loop.Variable(g.Const(F(0)));
    const Endpoint one = loop.Enter(g.Const(F(1)), true);
    const auto body = loop.While(g.Op(TestLess(), {i, loop.Enter(g.Const(F(50)), true)}));
    ASSERT_NE(sum.node, nullptr);
    const auto ends = loop.End({g.Add(body[0], one), g.Op(TestBusy(), {body[1], body[0]})});
    g.Retval(ends[1], 0);
    const auto plan = g.Compile();
    ASSERT_TRUE(plan.ok());
    for (int step = 0; step < 10; ++step) EXPECT_EQ(ValueOf(RunStep(**plan, {})), 49 * 50 / 2);
  }
}

/// sum = 0; for i in [0, outer): for j in [0, inner): sum += 1.
Endpoint Nested(TestGraph* g, float outer_limit, float inner_limit) {
  Loop outer(g, "outer");
  const Endpoint i = outer.Variable(g->Const(F(0)));
  outer.Variable(g->Const(F(0)));
  const Endpoint one = outer.Enter(g->Const(F(1)), true), zero = outer.Enter(g->Const(F(0)), true);
  const Endpoint limit = outer.Enter(g->Const(F(inner_limit)), true);
  const auto body = outer.While(g->Op(TestLess(), {i, outer.Enter(g->Const(F(outer_limit)), true)}));
  Loop inner(g, "inner");
  const Endpoint j = inner.Variable(g->Const(F(0), {body[0].node}));
  inner.Variable(body[1]);
  const Endpoint inner_one = inner.Enter(one, true);
  const auto inner_body = inner.While(g->Op(TestLess(), {j, inner.Enter(limit, true)}));
  const auto inner_ends = inner.End({g->Add(inner_body[0], inner_one), g->Add(inner_body[1], inner_one)});
  return outer.End({g->Add(body[0], one), g->Add(inner_ends[1], zero)})[1];
}

TEST(Loop, LoopsInLoops) {
  for (const auto& [outer, inner] : {std::pair(7, 5), std::pair(3, 0), std::pair(0, 4), std::pair(100, 30)}) {
    TestGraph g;
    g.Retval(Nested(&g, static_cast<float>(outer), static_cast<float>(inner)), 0);
    const auto plan = g.Compile();
    ASSERT_TRUE(plan.ok()) << plan.status().ToString();
    for (int step = 0; step < 3; ++step) EXPECT_EQ(ValueOf(RunStep(**plan, {})), outer * inner);
  }
}

TEST(Loop, StepsOfOnePlanRunAtTheSameTime) {
  TestGraph g;
  g.Retval(Nested(&g, 20, 10), 0);
  const auto plan = g.Compile();
  ASSERT_TRUE(plan.ok());
  const std::unique_ptr<ThreadPool> pool = MakeThreadPool("test", 4);
  std::vector<Notification> finished(4);
  for (Notification& notification : finished) {
    pool->Schedule([&] {
      for (int round = 0; round < 20; ++round) EXPECT_EQ(ValueOf(RunStep(**plan, {})), 200);
      notification.Notify();
    });
  }
  for (Notification& notification : finished) notification.Wait();
}

TEST(Loop, OnAnUntakenBranchIsDead) {
  for (const bool taken : {false, true}) {
    TestGraph g;
    Node* choice = g.Switch(g.Const(F(2)), g.Const(Tensor::Scalar(taken)));
    const Endpoint counted =
        CountTo(&g, Endpoint{choice, 1}, g.Const(F(9), {g.Add(Endpoint{choice, 1}, Endpoint{choice, 1}).node}), "f");
    g.Retval(g.Merge({counted, Endpoint{choice, 0}}), 0);
    EXPECT_EQ(ValueOf(g.Run()), taken ? 9 : 2);
  }
}

TEST(Loop, ABranchInTheBody) {
  TestGraph g;  // while (i < 20) i = i < 10 ? i + 1 : i + i
  Loop loop(&g, "f");
  const Endpoint i = loop.Variable(g.Const(F(0)));
  const Endpoint one = loop.Enter(g.Const(F(1)), true);
  const auto body = loop.While(g.Op(TestLess(), {i, loop.Enter(g.Const(F(20)), true)}));
  Node* choice = g.Switch(body[0], g.Op(TestLess(), {body[0], loop.Enter(g.Const(F(10)), true)}));
  const Endpoint more = g.Add(Endpoint{choice, 1}, one), twice = g.Add(Endpoint{choice, 0}, Endpoint{choice, 0});
  g.Retval(loop.End({g.Merge({more, twice})})[0], 0);
  EXPECT_EQ(ValueOf(g.Run()), 20);
}

TEST(Loop, AnErrorInAnIterationEndsTheStepAndThePlanRunsAgain) {
  static std::atomic<int> calls;
  static const auto* third = new OpDefinition(
      OpDefinition("TestThird(x: f32) -> (z: f32)").Kernels(AnyType(FunctionKernel([](KernelContext& c) -> Status {
        if (++calls == 3) return InvalidArgument("three");
        return c.SetOutput(0, c.TakeInput(0));
      }))));
  TestGraph g;
  Loop loop(&g, "f");
  const Endpoint i = loop.Variable(g.Const(F(0)));
  const Endpoint one = loop.Enter(g.Const(F(1)), true);
  const auto body = loop.While(g.Op(TestLess(), {i, loop.Enter(g.Const(F(6)), true)}));
  g.Retval(loop.End({g.Add(g.Op(*third, {body[0]}, {}, {}, "third"), one)})[0], 0);
  const auto plan = g.Compile();
  ASSERT_TRUE(plan.ok());
  calls = 0;
  const auto failed = RunStep(**plan, {});
  EXPECT_EQ(failed.status().code(), Code::kInvalidArgument);
  EXPECT_EQ(failed.status().message(), "three [[{{node third}}]]");
  EXPECT_EQ(ValueOf(RunStep(**plan, {})), 6);
}

TEST(Loop, CancellationEndsAnEndlessLoop) {
  static std::atomic<CancellationToken*> wanted;
  static const auto* cancel = new OpDefinition(
      OpDefinition("TestCancel(x: f32) -> (z: f32)").Kernels(AnyType(FunctionKernel([](KernelContext& c) -> Status {
        if (c.input(0).scalar<float>() == 1000) wanted.load()->Cancel(Cancelled("enough"));
        return c.SetOutput(0, c.TakeInput(0));
      }))));
  TestGraph g;
  Loop loop(&g, "f");
  loop.Variable(g.Const(F(0)));
  const Endpoint one = loop.Enter(g.Const(F(1)), true);
  const auto body = loop.While(loop.Enter(g.Const(Tensor::Scalar(true)), true));
  g.Retval(loop.End({g.Op(*cancel, {g.Add(body[0], one)})})[0], 0);
  CancellationToken token;
  wanted = &token;
  EXPECT_EQ(g.Run({}, &token).status().message(), "enough");
}

TEST(Loop, KernelsThatWaitGoOnInTheirIteration) {
  OpenGate();
  TestGraph g;
  Loop loop(&g, "f", 2);
  const Endpoint i = loop.Variable(g.Const(F(0)));
  const Endpoint one = loop.Enter(g.Const(F(1)), true);
  const auto body = loop.While(g.Op(TestLess(), {i, loop.Enter(g.Const(F(100)), true)}));
  g.Retval(loop.End({g.Add(g.Op(TestWait(), {body[0]}), one)})[0], 0);
  EXPECT_EQ(ValueOf(g.Run()), 100);
}

TEST(Loop, EdgesOfOneIterationMeetInTheRendezvous) {
  static const auto* send = new OpDefinition(headrace::Send());
  static const auto* recv = new OpDefinition(headrace::Recv());
  const AttrMap attrs = {
      {"tensor_name", "edge"}, {"send_device", "a"}, {"recv_device", "b"}, {"send_device_incarnation", 1}};
  AttrMap send_attrs = attrs, recv_attrs = attrs;
  send_attrs["T"] = DType::kFloat;
  recv_attrs["tensor_type"] = DType::kFloat;
  TestGraph g;  // the value of the body goes out and comes in again
  Loop loop(&g, "f", 3);
  const Endpoint i = loop.Variable(g.Const(F(0)));
  const Endpoint one = loop.Enter(g.Const(F(1)), true);
  const auto body = loop.While(g.Op(TestLess(), {i, loop.Enter(g.Const(F(10)), true)}));
  g.Op(*send, {body[0]}, send_attrs);
  const Endpoint received = g.Op(*recv, {}, recv_attrs, {i.node});
  g.Retval(loop.End({g.Add(received, one)})[0], 0);
  const auto plan = g.Compile();
  ASSERT_TRUE(plan.ok());
  for (int step = 0; step < 3; ++step) {
    EXPECT_EQ(ValueOf(RunStep(**plan, {}, nullptr, MakeLocalRendezvous().get())), 10);
  }
}

TEST(Loop, RefusesInputsOfDifferentFrames) {
  TestGraph g;
  Loop a(&g, "a"), b(&g, "b");
  const Endpoint x = a.Enter(g.Const(F(1))), y = b.Enter(g.Const(F(1)));
  g.Add(x, y, {}, "mixed");
  EXPECT_EQ(g.Compile().status().code(), Code::kInvalidArgument);
  EXPECT_THAT(g.Compile().status().message(), HasSubstr("{{node mixed}} has inputs from different frames. The input"));
}

TEST(Loop, RefusesAValueOfTheLoopAsResult) {
  TestGraph g;
  Loop loop(&g, "a");
  g.Retval(g.Add(loop.Enter(g.Const(F(1))), loop.Enter(g.Const(F(1)))), 0);
  EXPECT_EQ(g.Compile().status().code(), Code::kInvalidArgument);
}

TEST(Loop, RefusesAnExitOutsideOfLoops) {
  static const auto* exit = new OpDefinition(headrace::Exit());
  TestGraph g;
  g.Retval(g.Op(*exit, {g.Arg(DType::kFloat, 0)}, {{"T", DType::kFloat}}), 0);
  EXPECT_THAT(g.Compile().status().message(), HasSubstr("outside of any loop"));
}

TEST(Loop, RefusesLoopsNestedTooDeep) {
  TestGraph g;
  Endpoint value = g.Arg(DType::kFloat, 0);
  for (int i = 0; i < 65; ++i) value = Loop(&g, StrCat("f", i)).Enter(value);
  EXPECT_THAT(g.Compile().status().message(), HasSubstr("over 64 deep"));
}

TEST(Loop, ALoopThatIsLeftInEachIterationIsAnError) {
  static const auto* exit = new OpDefinition(headrace::Exit());
  static const auto* next = new OpDefinition(headrace::NextIteration());
  TestGraph g;
  const Endpoint merge = g.Merge({Loop(&g, "f").Enter(g.Const(F(0))), Endpoint{}});
  const Endpoint back = g.Op(*next, {merge}, {{"T", DType::kFloat}});
  ASSERT_TRUE(g.graph().SetInput(merge.node, 1, back).ok());
  g.Retval(g.Op(*exit, {merge}, {{"T", DType::kFloat}}), 0);
  EXPECT_THAT(g.Run().status().message(), HasSubstr("was left twice"));
}

// That peers compute the same is checked where there are some: tests/conformance/cluster.py.
TEST(LoopKey, TellsFramesAndIterationsApart) {
  const uint64_t a = HashOfFrameName("while/while_context"), b = HashOfFrameName("while/while_contexu");
  EXPECT_NE(a, b);
  EXPECT_NE(ChildFrameId(0, 0, a), ChildFrameId(0, 0, b));
  EXPECT_NE(ChildFrameId(0, 0, a), ChildFrameId(0, 1, a));
  EXPECT_NE(ChildFrameId(0, 0, a), ChildFrameId(1, 0, a));
}

}  // namespace
}  // namespace headrace
