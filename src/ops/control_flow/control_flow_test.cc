#include "executor/executor_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "kernel/evaluate.h"
#include "ops/control_flow/control_flow_ops.h"
#include "ops/register.h"

namespace headrace {
namespace {

using ::testing::HasSubstr;

class ControlFlowTest : public ::testing::Test {
 protected:
  ControlFlowTest() { RegisterAllOps(); }
};

TEST_F(ControlFlowTest, SwitchPassesItsDataToOneSide) {
  for (const bool pred : {false, true}) {
    const auto outputs = EvaluateOp("Switch", {Tensor::Scalar(3.0f), Tensor::Scalar(pred)});
    ASSERT_TRUE(outputs.ok()) << outputs.status().ToString();
    EXPECT_EQ((*outputs)[0].valid(), !pred);
    EXPECT_EQ((*outputs)[1].valid(), pred);
    EXPECT_EQ((*outputs)[pred ? 1 : 0].scalar<float>(), 3);
  }
}

TEST_F(ControlFlowTest, SwitchWantsAScalarPredicate) {
  const auto outputs = EvaluateOp("Switch", {Tensor::Scalar(3.0f), Tensor::Vector(std::vector<bool>{true, false})});
  EXPECT_EQ(outputs.status().code(), Code::kInvalidArgument);
}

TEST_F(ControlFlowTest, SwitchNPassesItsDataToTheOutputOfTheIndexOrTheLast) {
  for (const auto& [index, taken] : {std::pair(0, 0), {2, 2}, {3, 2}, {-1, 2}}) {
    const auto outputs =
        EvaluateOp("_SwitchN", {Tensor::Scalar(3.0f), Tensor::Scalar<int32_t>(index)}, {{"num_outs", 3}});
    ASSERT_TRUE(outputs.ok()) << outputs.status().ToString();
    for (int i = 0; i < 3; ++i) EXPECT_EQ((*outputs)[static_cast<size_t>(i)].valid(), i == taken) << index << " " << i;
  }
}

TEST_F(ControlFlowTest, ASendWithoutARendezvousIsAFaultOfTheStep) {
  const AttrMap attrs = {
      {"tensor_name", "e"}, {"send_device", "a"}, {"recv_device", "b"}, {"send_device_incarnation", 1}};
  EXPECT_EQ(EvaluateOp("_Send", {Tensor::Scalar(3.0f)}, attrs).status().code(), Code::kInternal);
}

/// One graph that sends to itself, through the rendezvous.
struct Loopback {
  Endpoint Send(Endpoint value) {
    static const auto* send = new OpDefinition(headrace::Send());
    AttrMap attrs = Attrs();
    attrs["T"] = DType::kFloat;
    return graph.Op(*send, {value}, std::move(attrs));
  }
  Endpoint Recv(DType dtype = DType::kFloat) {
    static const auto* recv = new OpDefinition(headrace::Recv());
    AttrMap attrs = Attrs();
    attrs["tensor_type"] = dtype;
    return graph.Op(*recv, {}, std::move(attrs));
  }
  static AttrMap Attrs() {
    return {{"tensor_name", "edge"}, {"send_device", "a"}, {"recv_device", "b"}, {"send_device_incarnation", 1}};
  }
  Result<std::vector<Tensor>> Run(const std::vector<Tensor>& args) {
    const auto plan = graph.Compile();
    if (!plan.ok()) return plan.status();
    return RunStep(**plan, args, nullptr, MakeLocalRendezvous().get());
  }
  TestGraph graph;
};

TEST_F(ControlFlowTest, SendAndRecvMeet) {
  Loopback loopback;
  loopback.Send(loopback.graph.Arg(DType::kFloat, 0));
  loopback.graph.Retval(loopback.graph.Add(loopback.Recv(), loopback.graph.Const(Tensor::Scalar(1.0f))), 0);
  const auto results = loopback.Run({Tensor::Scalar(4.0f)});
  ASSERT_TRUE(results.ok()) << results.status().ToString();
  EXPECT_EQ((*results)[0].scalar<float>(), 5);
}

TEST_F(ControlFlowTest, ADeadTensorArrivesDead) {
  for (const bool alive : {false, true}) {
    Loopback loopback;
    TestGraph& g = loopback.graph;
    Node* choice = g.Switch(g.Const(Tensor::Scalar(1.0f)), g.Const(Tensor::Scalar(alive)));
    loopback.Send(Endpoint{choice, 1});
    const Endpoint received = g.Add(loopback.Recv(), g.Const(Tensor::Scalar(10.0f)));
    g.Retval(g.Merge({received, Endpoint{choice, 0}}), 0);
    const auto results = loopback.Run({});
    ASSERT_TRUE(results.ok()) << results.status().ToString();
    EXPECT_EQ((*results)[0].scalar<float>(), alive ? 11 : 1);
  }
}

TEST_F(ControlFlowTest, WhatArrivesWithAnotherTypeIsAnErrorNotACrash) {
  Loopback loopback;
  loopback.Send(loopback.graph.Arg(DType::kFloat, 0));
  loopback.graph.Retval(loopback.Recv(DType::kInt32), 0);
  const auto results = loopback.Run({Tensor::Scalar(4.0f)});
  EXPECT_EQ(results.status().code(), Code::kInternal);
  EXPECT_THAT(results.status().message(), HasSubstr("should be i32"));
}

TEST_F(ControlFlowTest, ARefGoesThroughSwitchAndMergeAndIsStillTheVariable) {
  static const auto* ref_switch = new OpDefinition(headrace::RefSwitch());
  static const auto* ref_merge = new OpDefinition(headrace::RefMerge());
  const AttrMap type = {{"T", DType::kFloat}};
  for (const bool taken : {false, true}) {
    TestGraph g;
    const Endpoint variable = g.Op(TestRef(), {});
    Node* choice = g.Op(*ref_switch, {variable, g.Const(Tensor::Scalar(taken))}, type).node;
    const Endpoint set = g.Op(TestSet(), {Endpoint{choice, 1}, g.Const(Tensor::Scalar(4.0f))});
    const Endpoint set_other = g.Op(TestSet(), {Endpoint{choice, 0}, g.Const(Tensor::Scalar(5.0f))});
    const Endpoint merged = g.Op(*ref_merge, {set_other, set}, {{"T", DType::kFloat}, {"N", 2}});
    g.Retval(merged, 0);
    g.Retval(Endpoint{merged.node, 1}, 1);
    const auto results = g.Run();
    ASSERT_TRUE(results.ok()) << results.status().ToString();
    EXPECT_EQ((*results)[0].scalar<float>(), taken ? 4 : 5);
    EXPECT_EQ((*results)[1].scalar<int32_t>(), taken ? 1 : 0);
  }
}

TEST_F(ControlFlowTest, ARefEntersALoopAndLeavesIt) {
  static const auto* enter = new OpDefinition(headrace::RefEnter());
  static const auto* exit = new OpDefinition(headrace::RefExit());
  TestGraph g;
  const Endpoint variable = g.Op(TestRef(), {});
  const Endpoint set = g.Op(TestSet(), {variable, g.Const(Tensor::Scalar(1.0f))});
  const Endpoint inside = g.Op(*enter, {set}, {{"T", DType::kFloat}, {"frame_name", "f"}});
  const Endpoint changed = g.Op(TestSet(), {inside, g.Const(Tensor::Scalar(6.0f))});
  const Endpoint left = g.Op(*exit, {changed}, {{"T", DType::kFloat}});
  g.Retval(g.Op(TestSet(), {left, g.Const(Tensor::Scalar(7.0f))}), 0);
  const auto results = g.Run();
  ASSERT_TRUE(results.ok()) << results.status().ToString();
  EXPECT_EQ((*results)[0].scalar<float>(), 7);
}

}  // namespace
}  // namespace headrace
