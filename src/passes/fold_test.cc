// Tests of fold.h and pipeline.h.
#include "passes/fold.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "passes/passes_testing.h"
#include "passes/pipeline.h"
#include "passes/prune.h"

namespace headrace {
namespace {

using testing::HasSubstr;

struct FoldTest : testing::Test {
  Endpoint Number(float value) { return t.builder.Scalar(value); }
  // Prunes to `fetch`, folds, and returns the node whose value is fetched.
  const Node* Fetched(Endpoint fetch) {
    const std::string end = StrCat("_retval_", fetch.node->name(), "_0");
    EXPECT_TRUE(PruneToFetches(&t.graph, {}, {fetch.ToString()}, {}, {.local = true}).ok());
    const Status folded = RunPasses(&t.graph, {{"fold", [](Graph* graph) { return FoldConstants(graph); }}});
    EXPECT_TRUE(folded.ok()) << folded.ToString();
    return t.graph.Find(end)->input(0).node;
  }
  PassTestGraph t;
};

TEST_F(FoldTest, ConstantExpressionsBecomeConstants) {
  const Endpoint sum{t.AddNode("TestSum", "sum", {Number(1), Number(2)}), 0};
  const Endpoint total{t.AddNode("TestSum", "total", {sum, Number(4)}, {}, "/device:CPU:0"), 0};
  const Node* folded = Fetched(total);
  EXPECT_EQ(folded->op(), "Const");
  EXPECT_EQ(GetAttrOr<Tensor>(folded->attrs(), "value", Tensor()).scalar<float>(), 7);
  EXPECT_EQ(folded->requested_device(), "/device:CPU:0");
  EXPECT_EQ(t.graph.num_nodes(), 2) << "what only the folded nodes needed is gone";
}

TEST_F(FoldTest, WhatDependsOnAFeedIsLeft) {
  const Endpoint sum{t.AddNode("TestSum", "sum", {Number(1), t.Input("x")}), 0};
  EXPECT_EQ(Fetched(sum)->op(), "TestSum");
}

TEST_F(FoldTest, ANodeThatFailsIsLeftForTheStep) {
  EXPECT_EQ(Fetched({t.AddNode("TestFail", "fail", {Number(1)}), 0})->op(), "TestFail");
}

TEST_F(FoldTest, KnownShapesAreConstantsAndUnknownOnesAreNot) {
  const AttrMap known = {{"dtype", DType::kFloat}, {"shape", PartialShape({2, 3})}};
  Node* x = t.AddNode("Placeholder", "x", {}, known);
  x->set_output_shapes({PartialShape({2, 3})});
  Node* y = t.AddNode("Placeholder", "y", {}, known);
  y->set_output_shapes({PartialShape({PartialShape::kUnknownDim, 3})});
  t.AddNode("Shape", "shape_of_y", {{y, 0}});
  Endpoint shape{t.AddNode("Shape", "shape_of_x", {{x, 0}}), 0};
  const Endpoint both{t.AddNode("TestSum", "both", {shape, {t.graph.Find("shape_of_y"), 0}}), 0};
  const Node* sum = Fetched(both);
  ASSERT_EQ(sum->op(), "TestSum");
  EXPECT_EQ(sum->input(0).node->op(), "Const");
  EXPECT_EQ(GetAttrOr<Tensor>(sum->input(0).node->attrs(), "value", Tensor()).Summary(), "i32[2] = 2 3");
  EXPECT_EQ(sum->input(1).node->op(), "Shape");
}

TEST_F(FoldTest, ABrokenRewriteIsNamed) {
  t.Add("sum", t.Input("x"), t.Input("y"));
  const Status status = RunPasses(&t.graph, {{"saboteur", [](Graph* graph) {
                                                graph->RemoveNode(graph->Find("x"));
                                                return OkStatus();
                                              }}});
  EXPECT_EQ(status.code(), Code::kInternal);
  EXPECT_THAT(status.message(),
              HasSubstr("Pass 'saboteur' left a broken graph: node 'sum': input 0 is not in the graph"));
}

TEST_F(FoldTest, AKnownShapeIsLeftWhereItsNodeMayNotRun) {
  Node* choice = t.AddNode("Switch", "choice", {Number(1), t.builder.Scalar(true)});
  choice->set_output_shapes({PartialShape::Scalar(), PartialShape::Scalar()});
  const Endpoint shape{t.AddNode("Shape", "shape", {Endpoint{choice, 1}}), 0};
  EXPECT_EQ(Fetched(shape)->op(), "Shape");
}

}  // namespace
}  // namespace headrace
