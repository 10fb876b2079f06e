// Tests of partition.h.
#include "passes/partition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "graph/loop_frames.h"
#include "passes/passes_testing.h"

namespace headrace {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const std::string kPsTask = "/job:ps/replica:0/task:0", kWorkerTask = "/job:worker/replica:0/task:0";
const std::string kPs = kPsTask + "/device:CPU:0", kWorker = kWorkerTask + "/device:CPU:0";

std::vector<const Node*> NodesOf(const Graph& graph, const std::string& op) {
  std::vector<const Node*> found;
  for (const Node* node : graph.Nodes()) {
    if (node->op() == op) found.push_back(node);
  }
  return found;
}

struct PartitionTest : testing::Test {
  Endpoint On(const std::string& device, Endpoint endpoint) {
    endpoint.node->set_assigned_device(device);
    return endpoint;
  }
  std::map<std::string, Graph> Run(bool by_device = false) {
    PartitionOptions options;
    options.incarnation_of = [](const std::string& device) { return device == kPs ? ~uint64_t{0} : uint64_t{5}; };
    options.by_device = by_device;
    Result<std::map<std::string, Graph>> parts = PartitionByTask(t.graph, options);
    EXPECT_TRUE(parts.ok()) << parts.status().ToString();
    return parts.ok() ? *std::move(parts) : std::map<std::string, Graph>();
  }
  PassTestGraph t;
};

TEST_F(PartitionTest, OneTaskNeedsNoTransfer) {
  const Endpoint x = On(kPs, t.Input("x"));
  On(kPs, t.Add("sum", x, x));
  const auto parts = Run();
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_EQ(parts.at(kPsTask).num_nodes(), 2);
  EXPECT_EQ(parts.at(kPsTask).Find("sum")->input(0).node, parts.at(kPsTask).Find("x"));
}

TEST_F(PartitionTest, OnePairServesAllConsumersOfAnOutput) {
  const Endpoint x = On(kPs, t.Input("x"));
  const Endpoint sum = On(kWorker, t.Add("sum", x, x));
  On(kWorker, t.Add("total", sum, x));
  const auto parts = Run();
  ASSERT_EQ(parts.size(), 2u);
  const auto sends = NodesOf(parts.at(kPsTask), "_Send"), receives = NodesOf(parts.at(kWorkerTask), "_Recv");
  ASSERT_EQ(sends.size(), 1u);
  ASSERT_EQ(receives.size(), 1u);
  EXPECT_EQ(sends[0]->input(0).node->name(), "x");
  EXPECT_EQ(parts.at(kWorkerTask).Find("total")->input(1).node, receives[0]);
  EXPECT_THAT(sends[0]->name(), StartsWith("x_S"));
  for (const Node* end : {sends[0], receives[0]}) {
    EXPECT_EQ(GetAttrOr<std::string>(end->attrs(), "send_device", ""), kPs);
    EXPECT_EQ(GetAttrOr<std::string>(end->attrs(), "recv_device", ""), kWorker);
    EXPECT_EQ(GetAttrOr<int64_t>(end->attrs(), "send_device_incarnation", 0), -1) << "the bits are kept";
    EXPECT_FALSE(GetAttrOr<bool>(end->attrs(), "client_terminated", true));
  }
  const auto edge = GetAttrOr<std::string>(sends[0]->attrs(), "tensor_name", "");
  EXPECT_THAT(edge, testing::MatchesRegex("edge_[0-9]+_x"));
  EXPECT_EQ(GetAttrOr<std::string>(receives[0]->attrs(), "tensor_name", ""), edge);
}

TEST_F(PartitionTest, AControlEdgeSendsAnEmptyTensorAndEndsInAnIdentity) {
  Node* first = t.AddNode("NoOp", "first");
  On(kPs, {first, 0});
  On(kWorker, {t.AddNode("NoOp", "second", {}, {}, "", {first}), 0});
  On(kWorker, {t.AddNode("NoOp", "third", {}, {}, "", {first}), 0});
  const auto parts = Run();
  const auto sends = NodesOf(parts.at(kPsTask), "_Send");
  ASSERT_EQ(sends.size(), 1u);
  const Node* signal = sends[0]->input(0).node;
  EXPECT_EQ(signal->op(), "Const");
  ASSERT_EQ(signal->control_inputs().size(), 1u);
  EXPECT_EQ(signal->control_inputs()[0]->name(), "first");
  EXPECT_EQ(GetAttrOr<Tensor>(signal->attrs(), "value", Tensor()).TypeAndShape(), "f32[0]");
  for (const char* name : {"second", "third"}) {
    const Node* node = parts.at(kWorkerTask).Find(name);
    ASSERT_EQ(node->control_inputs().size(), 1u);
    EXPECT_EQ(node->control_inputs()[0]->op(), "Identity");
    EXPECT_EQ(node->control_inputs()[0]->input(0).node->op(), "_Recv");
  }
}

TEST_F(PartitionTest, ATensorThatIsSentAnywayStandsForTheControlEdge) {
  const Endpoint x = On(kPs, t.Input("x"));
  On(kWorker, t.Add("sum", x, x));
  On(kWorker, {t.AddNode("NoOp", "after", {}, {}, "", {x.node}), 0});
  const auto parts = Run();
  EXPECT_EQ(NodesOf(parts.at(kPsTask), "_Send").size(), 1u);
  EXPECT_EQ(parts.at(kWorkerTask).Find("after")->control_inputs()[0]->op(), "_Recv");
}

TEST_F(PartitionTest, SmallConstantsAreRepeatedAndLargeOnesSent) {
  const auto constant = [&](const std::string& name, int64_t size) {
    const Tensor value = Tensor::Vector(std::vector<float>(static_cast<size_t>(size)));
    return On(kPs, {t.AddNode("Const", name, {}, {{"dtype", DType::kFloat}, {"value", value}}), 0});
  };
  const Endpoint small = constant("small", 4), large = constant("large", 100'000);
  On(kWorker, t.Add("sum", small, large));
  const auto parts = Run();
  const Node* sum = parts.at(kWorkerTask).Find("sum");
  EXPECT_EQ(sum->input(0).node->op(), "Const");
  EXPECT_EQ(sum->input(0).node->assigned_device(), kWorker);
  EXPECT_EQ(sum->input(1).node->op(), "_Recv");
}

TEST_F(PartitionTest, ByDeviceSplitsATask) {
  const Endpoint x = On(kPs, t.Input("x"));
  On(kPsTask + "/device:GPU:0", t.Add("sum", x, x));
  EXPECT_EQ(Run().size(), 1u);
  const auto parts = Run(/*by_device=*/true);
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(NodesOf(parts.at(kPsTask + "/device:GPU:0"), "_Recv").size(), 1u);
}

TEST_F(PartitionTest, ALoopStaysWholeInsideOnePartition) {
  const Endpoint x = On(kPs, t.Input("x"));
  const Endpoint enter = On(kPs, {t.AddNode("Enter", "enter", {x}, {{"frame_name", "f"}}), 0});
  Node* merge = t.AddNode("Merge", "merge", {enter, enter}, {});
  On(kPs, {merge, 0});
  const Endpoint next = On(kPs, {t.AddNode("NextIteration", "next", {Endpoint{merge, 0}}), 0});
  ASSERT_TRUE(t.graph.SetInput(merge, 1, next).ok());
  const Endpoint exit = On(kPs, {t.AddNode("Exit", "exit", {Endpoint{merge, 0}}), 0});
  On(kWorker, t.Add("after", exit, exit));
  const auto parts = Run();
  const Graph& ps = parts.at(kPsTask);
  EXPECT_EQ(ps.Find("merge")->input(1).node, ps.Find("next"));
  EXPECT_EQ(NodesOf(ps, "_Send").size(), 1u) << "an exit may cross";

  On(kWorker, t.Add("inside", next, next));
  PartitionOptions options;
  options.incarnation_of = [](const std::string&) { return 1; };
  EXPECT_EQ(PartitionByTask(t.graph, options).status().code(), Code::kInvalidArgument) << "what comes back may not";
}

TEST_F(PartitionTest, ALoopThatSpansPartitionsTurnsInEach) {
  const Endpoint enter = On(kPs, {t.AddNode("Enter", "enter", {On(kPs, t.Input("x"))}, {{"frame_name", "f"}}), 0});
  Node* merge = t.AddNode("Merge", "merge", {enter, enter}, {});
  On(kPs, {merge, 0});
  const Endpoint fed = On(kPs, {t.AddNode("Placeholder", "fed", {}, {{"dtype", DType::kBool}}), 0});
  const AttrMap constant = {{"frame_name", "f"}, {"is_constant", true}};
  const Endpoint pred = On(kPs, {t.AddNode("Enter", "pred", {fed}, constant), 0});
  Node* choice = t.AddNode("Switch", "switch", {Endpoint{merge, 0}, pred});
  On(kWorker, {choice, 0});  // goes with its data
  const Endpoint body = On(kWorker, t.Add("body", Endpoint{choice, 1}, Endpoint{choice, 1}));
  const Endpoint next = On(kWorker, {t.AddNode("NextIteration", "next", {body}), 0});  // goes with the merge
  ASSERT_TRUE(t.graph.SetInput(merge, 1, next).ok());
  const auto parts = Run();
  const Graph& ps = parts.at(kPsTask);
  const Graph& worker = parts.at(kWorkerTask);
  EXPECT_NE(ps.Find("switch"), nullptr);
  const Node* back = ps.Find("next")->input(0).node;
  ASSERT_EQ(back->op(), "_Recv");
  ASSERT_EQ(back->control_inputs().size(), 1u);
  EXPECT_EQ(back->control_inputs()[0], ps.Find("merge"));
  const auto driver = NodesOf(worker, "Merge");
  ASSERT_EQ(driver.size(), 1u);
  ASSERT_EQ(worker.Find("body")->input(0).node->control_inputs().size(), 1u);
  EXPECT_EQ(worker.Find("body")->input(0).node->control_inputs()[0], driver[0]);
  for (const auto& [name, part] : parts) {
    const auto loops = FindLoopFrames(part);
    ASSERT_TRUE(loops.ok()) << loops.status().ToString();
    EXPECT_EQ(loops->frames.size(), 2u) << name;
  }
}

TEST_F(PartitionTest, ANodeWithoutDeviceIsNamed) {
  t.Input("x");
  PartitionOptions options;
  options.incarnation_of = [](const std::string&) { return 1; };
  EXPECT_THAT(PartitionByTask(t.graph, options).status().message(), HasSubstr("node 'x' has no device"));
}

}  // namespace
}  // namespace headrace
