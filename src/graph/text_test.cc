#include "graph/text.h"

#include "gmock/gmock.h"
#include "graph/graph_testing.h"
#include "graph/import.h"

namespace headrace {
namespace {

using ::testing::HasSubstr;

class TextTest : public ::testing::Test {
 protected:
  TextTest() { RegisterGraphTestOps(); }
};

constexpr std::string_view kGraph =
    "a = Const() {dtype=f32, value=f32[2](1 -2.5)}\n"
    "s = Const() {dtype=str, value=str[1]('it\\'s')}\n"
    "p = Placeholder() {_class=['loc:@a'], _flag=true, _n=-3, dtype=f32, shape=[?,2]} @ /job:ps/task:0\n"
    "two = Split2(a) {T=f32}\n"
    "sum = AddV2(p, two:1, ^s) {T=f32}\n";

TEST_F(TextTest, WhatIsWrittenIsRead) {
  const Result<GraphDef> graph = ParseGraphText(kGraph);
  ASSERT_TRUE(graph.ok()) << graph.status().ToString();
  EXPECT_EQ(GraphText(*graph), kGraph);
  Graph imported;
  EXPECT_TRUE(ImportGraphDef(*graph, &imported).ok());
}

TEST_F(TextTest, BuildingInfersAttributesAndShapes) {
  Graph graph;
  const Status status = BuildGraphText(R"(
    # two constants and their sum
    a = Const() {dtype=f32, value=f32[2](1 2)}
    b = Const() {dtype=f32, value=f32[](3)}
    c = AddV2(a, b) @ /cpu:0
    d = NoOp(^c)
  )",
                                       &graph);
  ASSERT_TRUE(status.ok()) << status.ToString();
  EXPECT_EQ(graph.Find("c")->output_shapes()[0], PartialShape({2}));
  EXPECT_EQ(NodeText(ExportNode(*graph.Find("c"))), "c = AddV2(a, b) {T=f32} @ /device:CPU:0");
  EXPECT_EQ(graph.Find("d")->control_inputs()[0], graph.Find("c"));
}

TEST_F(TextTest, MessagesShortenTensors) {
  const Result<GraphDef> graph = ParseGraphText("a = Const() {dtype=i32, value=i32[3](1 2 3)}");
  EXPECT_EQ(NodeText(graph->nodes[0], 2), "a = Const() {dtype=i32, value=i32[3](1 2 ...)}");
}

TEST_F(TextTest, FaultsNameTheLine) {
  const auto error = [](std::string_view text) { return ParseGraphText(text).status().message(); };
  EXPECT_THAT(error("\na = NoOp(\n"), HasSubstr("Line 2: Expected ')'"));
  EXPECT_THAT(error("a = Nothing()"), HasSubstr("Line 1: Op type not registered 'Nothing'"));
  EXPECT_THAT(error("a = NoOp() {x=1}"), HasSubstr("NoOp has no attribute 'x'"));
  EXPECT_THAT(error("a = Const() {value=f32[3](1 2)}"), HasSubstr("a number"));
  EXPECT_THAT(error("a = Const() {value=f32[1000000000000](1)}"), HasSubstr("as many values"));
  EXPECT_THAT(error("a = NoOp() junk"), HasSubstr("the end of the line"));
  Graph graph;
  EXPECT_THAT(BuildGraphText("a = Identity(b)", &graph).message(),
              HasSubstr("input 'b' of 'a' is not a node above it"));
}

}  // namespace
}  // namespace headrace
