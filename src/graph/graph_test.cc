#include "graph/graph.h"

#include "gmock/gmock.h"
#include "graph/graph_testing.h"

namespace headrace {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class GraphTest : public ::testing::Test {
 protected:
  GraphTest() { RegisterGraphTestOps(); }

  Result<Node*> TryAdd(std::string name, std::string_view op, std::vector<Endpoint> inputs, AttrMap attrs) {
    return graph_.AddNode({.name = std::move(name),
                           .definition = OpRegistry::Global().Find(op),
                           .attrs = std::move(attrs),
                           .inputs = std::move(inputs),
                           .control_inputs = {},
                           .device = ""});
  }
  Node* Add(std::string name, std::string_view op, std::vector<Endpoint> inputs, AttrMap attrs) {
    Result<Node*> node = TryAdd(std::move(name), op, std::move(inputs), std::move(attrs));
    EXPECT_TRUE(node.ok()) << node.status().ToString();
    return node.ok() ? *node : nullptr;
  }
  Node* Const(std::string name) {
    return Add(std::move(name), "Const", {}, {{"value", Tensor::Scalar(1.0f)}, {"dtype", DType::kFloat}});
  }
  Node* Identity(std::string name, Node* input) {
    return Add(std::move(name), "Identity", {{input, 0}}, {{"T", DType::kFloat}});
  }

  Graph graph_;
};

TEST_F(GraphTest, ANameIsTakenOnce) {
  Const("a");
  const Result<Node*> again = TryAdd("a", "NoOp", {}, {});
  EXPECT_EQ(again.status().code(), Code::kInvalidArgument);
  EXPECT_THAT(again.status().message(), HasSubstr("Node 'a' (NoOp) is already in the graph"));
  EXPECT_EQ(graph_.num_nodes(), 1);
}

TEST_F(GraphTest, InputsAreCountedAndTyped) {
  Node* a = Const("a");
  EXPECT_THAT(TryAdd("x", "AddV2", {{a, 0}}, {{"T", DType::kFloat}}).status().message(),
              HasSubstr("expects 2 inputs, got 1"));
  EXPECT_THAT(TryAdd("x", "Identity", {{a, 0}}, {{"T", DType::kInt32}}).status().message(),
              HasSubstr("input 0 was passed f32 from a:0 incompatible with expected i32 [[{{node x}}]]"));
  EXPECT_THAT(TryAdd("x", "Identity", {{a, 1}}, {{"T", DType::kFloat}}).status().message(),
              HasSubstr("which has 1 outputs"));
  EXPECT_THAT(TryAdd("x", "Identity", {{a, 0}}, {}).status().message(),
              HasSubstr("Attribute 'T' (type) of Identity is missing"));
  EXPECT_EQ(graph_.Find("x"), nullptr);
}

TEST_F(GraphTest, ARefFeedsPlainInputsButARefInputNeedsARef) {
  Node* variable = Add("v", "VariableV2", {}, {{"shape", PartialShape({2})}, {"dtype", DType::kFloat}});
  Identity("read", variable);
  Add("assign", "Assign", {{variable, 0}, {Const("c"), 0}}, {{"T", DType::kFloat}});
  const auto wrong = TryAdd("wrong", "Assign", {{graph_.Find("c"), 0}, {graph_.Find("c"), 0}}, {{"T", DType::kFloat}});
  EXPECT_THAT(wrong.status().message(), HasSubstr("was passed f32 from c:0 incompatible with expected f32_ref"));
}

TEST_F(GraphTest, UniqueNamesAreFree) {
  EXPECT_EQ(graph_.UniqueName("a"), "a");
  Const("a");
  EXPECT_EQ(graph_.UniqueName("a"), "a_1");
  Const("a_2");
  EXPECT_EQ(graph_.UniqueName("a"), "a_3");
}

TEST_F(GraphTest, ConsumersAndRemoval) {
  Node* a = Const("a");
  Node* b = Identity("b", a);
  Node* c = Add("c", "NoOp", {}, {});
  graph_.AddControlInput(c, a);
  graph_.AddControlInput(c, a);
  const auto consumers = graph_.Consumers();
  ASSERT_EQ(consumers[0].size(), 2u);
  EXPECT_EQ(consumers[0][0].node, b);
  EXPECT_EQ(consumers[0][1].input, -1);
  graph_.RemoveNode(b);
  EXPECT_EQ(graph_.Find("b"), nullptr);
  EXPECT_THAT(graph_.Nodes(), ElementsAre(a, c));
  EXPECT_EQ(graph_.num_ids(), 3);
}

TEST_F(GraphTest, TopologicalOrderKeepsTheOrderOfAddingWhereItCan) {
  Node* a = Const("a");
  Node* late = Add("late", "Identity", {{nullptr, 0}}, {{"T", DType::kFloat}});
  Node* source = Const("source");
  ASSERT_TRUE(graph_.SetInput(late, 0, {source, 0}).ok());
  EXPECT_THAT(*graph_.TopologicalOrder(), ElementsAre(a, source, late));
}

TEST_F(GraphTest, ACycleIsReportedByANodeOnIt) {
  Node* first = Add("first", "AddV2", {{Const("a"), 0}, {nullptr, 0}}, {{"T", DType::kFloat}});
  Node* second = Identity("second", first);
  Identity("after", second);
  ASSERT_TRUE(graph_.SetInput(first, 1, {second, 0}).ok());
  const auto order = graph_.TopologicalOrder();
  ASSERT_FALSE(order.ok());
  EXPECT_THAT(order.status().message(), ::testing::ContainsRegex("cycle through node '(first|second)'"));
}

TEST_F(GraphTest, ALoopThroughNextIterationIsNoCycle) {
  Node* merge = Add("merge", "Merge", {{Const("a"), 0}, {nullptr, 0}}, {{"T", DType::kFloat}, {"N", 2}});
  Node* next = Add("next", "NextIteration", {{merge, 0}}, {{"T", DType::kFloat}});
  ASSERT_TRUE(graph_.SetInput(merge, 1, {next, 0}).ok());
  EXPECT_TRUE(graph_.TopologicalOrder().ok());
}

TEST_F(GraphTest, AChainOf50000NodesHasAnOrderAndACopy) {
  Node* last = Const("n0");
  for (int i = 1; i < 50000; ++i) last = Identity(StrCat("n", i), last);
  const auto order = graph_.TopologicalOrder();
  ASSERT_TRUE(order.ok());
  EXPECT_EQ(order->back(), last);
  const Graph copy = graph_.Clone();
  EXPECT_EQ(copy.num_nodes(), 50000);
  EXPECT_EQ(copy.Find("n7")->input(0).node, copy.Find("n6"));
}

TEST_F(GraphTest, MovedGraphsKeepTheirNodes) {
  Node* a = Const("a");
  Node* b = Identity("b", a);
  Graph moved = std::move(graph_);
  EXPECT_EQ(moved.Find("b"), b);
  EXPECT_EQ(b->input(0).node, a);
  EXPECT_EQ(moved.num_nodes(), 2);
}

TEST(FunctionLibraryTest, OneNameIsOneFunction) {
  FunctionLibrary library;
  FunctionDef function;
  function.signature = *OpSignature::Parse("f(x: f32) -> (y: f32)");
  function.nodes.push_back(
      {.name = "n", .op = "Identity", .device = "", .inputs = {"x"}, .attrs = {{"T", DType::kFloat}}});
  function.returns = {{"y", "n:output:0"}};
  EXPECT_TRUE(library.Add(function).ok());
  EXPECT_TRUE(library.Add(function).ok());
  function.nodes[0].op = "Neg";
  EXPECT_EQ(library.Add(function).code(), Code::kInvalidArgument);
  EXPECT_EQ(library.Find("f")->nodes[0].op, "Identity");
  EXPECT_EQ(library.Find("g"), nullptr);
}

TEST(OpDefinitionTest, FindsTheKernelForTheTypes) {
  const OpDefinition op = OpDefinition("X(a: T, b: list(L)) -> () | T: type | L: list(type)")
                              .Kernels({{.types = {{"T", {DType::kFloat}}}},
                                        {.types = {{"T", {DType::kInt32}}, {"L", {DType::kString}}}, .cheap = true}});
  const auto find = [&op](DType type, DType item) {
    return op.FindKernel("CPU", {{"T", type}, {"L", std::vector<DType>{item}}});
  };
  EXPECT_FALSE((*find(DType::kFloat, DType::kBool))->cheap);
  EXPECT_TRUE((*find(DType::kInt32, DType::kString))->cheap);
  const Status missing = find(DType::kInt32, DType::kBool).status();
  EXPECT_EQ(missing.code(), Code::kUnimplemented);
  EXPECT_EQ(missing.message(),
            "X: no kernel on CPU for T=i32 L=[bool]; registered: CPU T in {f32}; CPU L in {str} T in {i32}");
  EXPECT_FALSE(op.FindKernel("GPU", {}).ok());
}

TEST(OpRegistryTest, AnUnknownOpIsNotFound) {
  const auto op = OpRegistry::Global().Lookup("NoSuchOp");
  EXPECT_EQ(op.status().code(), Code::kNotFound);
  EXPECT_THAT(op.status().message(), HasSubstr("Op type not registered 'NoSuchOp'"));
}

}  // namespace
}  // namespace headrace
