// Tests of unread.h.
#include "passes/unread.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "passes/passes_testing.h"
#include "passes/pipeline.h"

namespace headrace {
namespace {

using testing::ElementsAre;
using testing::IsNull;
using testing::NotNull;
using testing::UnorderedElementsAre;

struct UnreadTest : testing::Test {
  void Drop(const std::vector<std::string>& keep = {}) {
    const Status status = RunPasses(&t.graph, {{"unread", [&](Graph* graph) { return DropUnread(graph, keep); }}});
    ASSERT_TRUE(status.ok()) << status.ToString();
  }
  std::vector<std::string> Awaited(const std::string& name) {
    std::vector<std::string> names;
    for (const Node* source : t.graph.Find(name)->control_inputs()) names.push_back(source->name());
    return names;
  }
  PassTestGraph t;
};

TEST_F(UnreadTest, ANodeThatIsOnlyWaitedForGoesAndItsWaiterWaitsForItsInputs) {
  const Endpoint x = t.Input("x"), y = t.Input("y");
  Node* unread = t.Add("unread", x, y).node;
  t.AddNode("Identity", "done", {t.Input("z")}, {}, "", {unread});
  Drop();
  EXPECT_THAT(t.graph.Find("unread"), IsNull());
  EXPECT_THAT(Awaited("done"), UnorderedElementsAre("x", "y"));
}

TEST_F(UnreadTest, WholeChainsGoWithTheirConstants) {
  const Endpoint sum = t.Add("sum", t.Input("x"), t.builder.Const(Tensor::Scalar(1.0f), "one"));
  Node* unread = t.AddNode("Identity", "copy", {sum});
  t.AddNode("Identity", "done", {t.Input("z")}, {}, "", {unread});
  Drop();
  EXPECT_THAT(t.graph.Find("copy"), IsNull());
  EXPECT_THAT(t.graph.Find("sum"), IsNull());
  EXPECT_THAT(t.graph.Find("one"), IsNull());
  EXPECT_THAT(Awaited("done"), ElementsAre("x"));
}

TEST_F(UnreadTest, NoEdgeIsAddedFromWhatIsWaitedForAnyway) {
  const Endpoint x = t.Input("x"), y = t.Input("y");
  Node* unread = t.Add("unread", x, y).node;
  t.AddNode("Identity", "done", {t.Add("read", x, t.Input("z"))}, {}, "", {unread});
  Drop();
  EXPECT_THAT(Awaited("done"), ElementsAre("y"));
}

TEST_F(UnreadTest, WhatIsReadOrKeptStays) {
  const Endpoint x = t.Input("x");
  const Endpoint read = t.Add("read", x, x);
  Node* kept = t.Add("kept", x, x).node;
  t.AddNode("Identity", "done", {read}, {}, "", {read.node, kept});
  Drop({"kept"});
  EXPECT_THAT(t.graph.Find("read"), NotNull());
  EXPECT_THAT(t.graph.Find("kept"), NotNull());
  EXPECT_THAT(Awaited("done"), UnorderedElementsAre("read", "kept"));
}

TEST_F(UnreadTest, WhatHasStateStays) {
  Node* handle = t.AddNode("VarHandleOp", "handle", {}, {{"dtype", DType::kFloat}, {"shape", PartialShape()}});
  Node* value = t.AddNode("ReadVariableOp", "value", {{handle, 0}}, {{"dtype", DType::kFloat}});
  t.AddNode("Identity", "done", {t.Input("z")}, {}, "", {value});
  Drop();
  EXPECT_THAT(t.graph.Find("value"), NotNull());
}

}  // namespace
}  // namespace headrace
