// Tests of prune.h and tensor_name.h.
#include "passes/prune.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "passes/passes_testing.h"
#include "passes/tensor_name.h"

namespace headrace {
namespace {

using testing::HasSubstr;
using testing::UnorderedElementsAre;

std::vector<std::string> NamesIn(const Graph& graph) {
  std::vector<std::string> names;
  for (const Node* node : graph.Nodes()) names.push_back(node->name());
  return names;
}

const ClientEnds kLocal = {.local = true};
const ClientEnds kRemote = {
    .local = false, .client_device = "/job:worker/replica:0/task:0/device:CPU:0", .client_incarnation = 77};

// x + y = sum; sum + y = total; unused stands alone.
struct PruneTest : testing::Test {
  PruneTest() {
    sum = t.Add("sum", x, y);
    total = t.Add("total", sum, y);
    t.Input("unused");
  }
  PassTestGraph t;
  Endpoint x = t.Input("x"), y = t.Input("y"), sum, total;
};

TEST(TensorNameTest, ReadsNamesWithAndWithoutIndex) {
  EXPECT_EQ(TensorName::Parse("a/b:3"), (TensorName{"a/b", 3}));
  EXPECT_EQ(TensorName::Parse("a"), (TensorName{"a", 0}));
  for (const char* bad : {"", "^a", ":0", "a:", "a:-1", "a:x", "a:99999999999"})
    EXPECT_FALSE(TensorName::Parse(bad)) << bad;
}

TEST_F(PruneTest, KeepsWhatTheFetchNeedsAndNothingElse) {
  ASSERT_TRUE(PruneToFetches(&t.graph, {"x:0", "y:0"}, {"sum:0"}, {}, kLocal).ok());
  EXPECT_THAT(NamesIn(t.graph), UnorderedElementsAre("sum", "_arg_x_0", "_arg_y_0", "_retval_sum_0"));
  EXPECT_EQ(t.graph.Find("sum")->input(1).node->name(), "_arg_y_0");
  int index = -1;
  EXPECT_TRUE(t.graph.Find("_arg_y_0")->GetAttr("index", &index).ok());
  EXPECT_EQ(index, 1);
}

TEST_F(PruneTest, AFedTensorCutsOffWhatMakesIt) {
  ASSERT_TRUE(PruneToFetches(&t.graph, {"sum"}, {"total"}, {}, kLocal).ok());
  EXPECT_THAT(NamesIn(t.graph), UnorderedElementsAre("y", "total", "_arg_sum_0", "_retval_total_0"));
}

TEST_F(PruneTest, RemoteEndsCarryTheClientsNamesAndDevice) {
  ASSERT_TRUE(PruneToFetches(&t.graph, {"x:0"}, {"sum", "sum"}, {"total"}, kRemote).ok());
  const Node* recv = t.graph.Find("_recv_x_0");
  const Node* send = t.graph.Find("_send_sum_0");
  ASSERT_NE(recv, nullptr);
  ASSERT_NE(send, nullptr);
  EXPECT_EQ(GetAttrOr<std::string>(send->attrs(), "tensor_name", ""), "sum");
  EXPECT_EQ(GetAttrOr<std::string>(recv->attrs(), "tensor_name", ""), "x:0");
  EXPECT_EQ(GetAttrOr<std::string>(recv->attrs(), "recv_device", ""), kRemote.client_device);
  EXPECT_EQ(GetAttrOr<int64_t>(recv->attrs(), "send_device_incarnation", 0), 77);
  EXPECT_TRUE(GetAttrOr<bool>(recv->attrs(), "client_terminated", false));
  EXPECT_EQ(send->assigned_device(), kRemote.client_device);
  EXPECT_EQ(t.graph.Find("_send_sum_0_1"), nullptr) << "a text fetched twice is sent once";
  EXPECT_NE(t.graph.Find("total"), nullptr) << "targets are kept";
}

TEST_F(PruneTest, ControlEdgesOfAFedPlaceholderMove) {
  Node* after = t.AddNode("NoOp", "after", {}, {}, "", {x.node});
  ASSERT_TRUE(PruneToFetches(&t.graph, {"x"}, {}, {"after"}, kLocal).ok());
  ASSERT_EQ(after->control_inputs().size(), 1u);
  EXPECT_EQ(after->control_inputs()[0]->name(), "_arg_x_0");
  EXPECT_EQ(t.graph.Find("x"), nullptr);
}

TEST_F(PruneTest, WrongNamesAreReportedInTensorFlowsWords) {
  const auto error = [&](std::vector<std::string> feeds, std::vector<std::string> fetches,
                         std::vector<std::string> targets) {
    Graph copy = t.graph.Clone();
    return PruneToFetches(&copy, feeds, fetches, targets, kLocal).ToString();
  };
  EXPECT_EQ(error({"none:0"}, {"sum:0"}, {}), "NOT_FOUND: FeedInputs: unable to find feed output none:0");
  EXPECT_EQ(error({}, {"none:0"}, {}), "NOT_FOUND: FetchOutputs node none:0: not found");
  EXPECT_EQ(error({}, {}, {"a", "sum", "b"}), "NOT_FOUND: PruneForTargets: Some target nodes not found: a b");
  EXPECT_THAT(error({"x:1"}, {"sum:0"}, {}),
              HasSubstr("INVALID_ARGUMENT: FeedInputs: x:1 should have output index < 1"));
  EXPECT_THAT(error({}, {"sum:7"}, {}), HasSubstr("FetchOutputs sum:7: output index too large, must be < 1"));
  EXPECT_EQ(error({"x", "x:0"}, {"sum:0"}, {}), "INVALID_ARGUMENT: Endpoint \"x:0\" fed more than once.");
  EXPECT_EQ(error({"x:0"}, {"x"}, {}), "INVALID_ARGUMENT: x is both fed and fetched.");
  EXPECT_THAT(error({"x"}, {}, {}), HasSubstr("at least one target"));
}

TEST_F(PruneTest, AChainOfFiftyThousandNodesIsCut) {
  Endpoint last = x;
  for (int i = 0; i < 50'000; ++i) last = {t.AddNode("Identity", "i", {last}), 0};
  ASSERT_TRUE(PruneToFetches(&t.graph, {"x"}, {last.ToString()}, {}, kLocal).ok());
  EXPECT_EQ(t.graph.num_nodes(), 50'002);
}

}  // namespace
}  // namespace headrace
