#include "graph/import.h"

#include <chrono>

#include "gmock/gmock.h"
#include "graph/graph_testing.h"

namespace headrace {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;

NodeDef Node_(std::string name, std::string op, std::vector<std::string> inputs = {}, AttrMap attrs = {}) {
  return {.name = std::move(name),
          .op = std::move(op),
          .device = "",
          .inputs = std::move(inputs),
          .attrs = std::move(attrs)};
}
NodeDef Const(std::string name) {
  return Node_(std::move(name), "Const", {}, {{"value", Tensor::Vector<float>({1, 2})}, {"dtype", DType::kFloat}});
}
NodeDef Identity(std::string name, std::string input) {
  return Node_(std::move(name), "Identity", {std::move(input)}, {{"T", DType::kFloat}});
}
GraphDef Def(std::vector<NodeDef> nodes) {
  return {.nodes = std::move(nodes), .functions = {}, .gradients = {}, .versions = {}};
}

class ImportTest : public ::testing::Test {
 protected:
  ImportTest() { RegisterGraphTestOps(); }

  Status Import(std::vector<NodeDef> nodes) { return ImportGraphDef(Def(std::move(nodes)), &graph_); }
  void ExpectError(std::vector<NodeDef> nodes, const std::string& text, Code code = Code::kInvalidArgument) {
    const Status status = Import(std::move(nodes));
    EXPECT_EQ(status.code(), code) << status.ToString();
    EXPECT_THAT(status.message(), HasSubstr(text));
    EXPECT_THAT(status.message(), EndsWith("}}]]"));
    EXPECT_EQ(graph_.num_nodes(), 0) << "the graph must be as before";
  }

  Graph graph_;
};

TEST_F(ImportTest, NodesMayComeInAnyOrder) {
  ASSERT_TRUE(Import({Identity("b", "a"), Node_("c", "NoOp", {"^b"}), Const("a")}).ok());
  EXPECT_EQ(graph_.Find("b")->input(0).node, graph_.Find("a"));
  EXPECT_EQ(graph_.Find("b")->output_shapes()[0], PartialShape({2}));
  EXPECT_THAT(graph_.Find("c")->control_inputs(), ElementsAre(graph_.Find("b")));
}

TEST_F(ImportTest, AttributesAreCompleted) {
  ASSERT_TRUE(Import({Node_("p", "Placeholder", {}, {{"dtype", DType::kFloat}})}).ok());
  EXPECT_EQ(graph_.Find("p")->attrs().at("shape"), AttrValue(PartialShape()));
}

TEST_F(ImportTest, AnEmptyListTakesTheDeclaredKind) {
  ASSERT_TRUE(Import({Node_("call", "Call", {},
                            {{"Tin", std::vector<int64_t>{}},
                             {"Tout", std::vector<int64_t>{}},
                             {"f", FunctionRef{"g", nullptr}}})})
                  .ok());
  EXPECT_EQ(graph_.Find("call")->attrs().at("Tin"), AttrValue(std::vector<DType>{}));
}

TEST_F(ImportTest, ASecondImportExtendsTheFirst) {
  ASSERT_TRUE(Import({Const("a")}).ok());
  ASSERT_TRUE(Import({Identity("b", "a:0")}).ok());
  EXPECT_EQ(graph_.Find("b")->input(0).node, graph_.Find("a"));
  const Status again = Import({Const("c"), Const("a")});
  EXPECT_THAT(again.message(), HasSubstr("Node 'a' is already in the graph"));
  EXPECT_EQ(graph_.Find("c"), nullptr);
}

TEST_F(ImportTest, WhatDoesNotFitIsNamed) {
  ExpectError({Node_("x", "NoSuchOp")}, "Op type not registered 'NoSuchOp'", Code::kNotFound);
  ExpectError({Const("a"), Const("a")}, "Node name 'a' occurs twice");
  ExpectError({Identity("b", "a")}, "Node 'b' has an unknown input node 'a'");
  ExpectError({Const("a"), Identity("b", "a:1")}, "which has 1 outputs [[{{node b}}]]");
  ExpectError({Const("a"), Node_("b", "Identity", {"a"}, {{"T", DType::kInt32}})},
              "was passed f32 from a:0 incompatible with expected i32");
  ExpectError({Const("a"), Node_("b", "Identity", {"^a", "a"}, {{"T", DType::kFloat}})}, "after a control input");
  ExpectError({Const("a"), Node_("b", "Identity", {}, {{"T", DType::kFloat}})}, "expects 1 inputs, got 0");
  ExpectError({Node_("n", "NoOp", {}, {{"what", 1}})}, "NoOp has no attribute 'what'");
  ExpectError({Const("a"), Node_("b", "Identity", {"a"}, {{"T", AttrPlaceholder{"T"}}})}, "is placeholder $T");
}

TEST_F(ImportTest, IllegalNamesAndReferencesAreRefused) {
  for (const char* name : {"", "a b", "a:0", "^a", "/a", "-a", "a\n"})
    ExpectError({Const(name)}, "is not a legal name");
  for (const char* input : {"", "^", ":0", "a:", "a:x", "a:-1", "a:99999999999", "^a:0"}) {
    ExpectError({Const("a"), Node_("b", "Identity", {input}, {{"T", DType::kFloat}})}, "Malformed input");
  }
  EXPECT_TRUE(Import({Const("_internal/x.y-z>w")}).ok());
}

TEST_F(ImportTest, ACycleNamesANodeOnIt) {
  ExpectError({Identity("after", "b"), Identity("b", "c"), Identity("c", "b")}, "cycle through node 'b' (Identity)");
  ExpectError({Node_("a", "NoOp", {"^a"})}, "cycle through node 'a'");
}

TEST_F(ImportTest, LoopsThroughNextIterationAreConnected) {
  ASSERT_TRUE(Import({Const("a"), Node_("merge", "Merge", {"a", "next"}, {{"T", DType::kFloat}, {"N", 2}}),
                      Node_("next", "NextIteration", {"merge"}, {{"T", DType::kFloat}}), Node_("n", "NoOp", {"^next"})})
                  .ok());
  EXPECT_EQ(graph_.Find("merge")->input(1).node, graph_.Find("next"));
  EXPECT_THAT(graph_.Find("n")->control_inputs(), ElementsAre(graph_.Find("next")));
  EXPECT_EQ(ExportGraphDef(graph_).nodes.size(), 4u);
}

TEST_F(ImportTest, SizesInAttributesAreChecked) {
  const auto placeholder = [](PartialShape shape) {
    return Node_("p", "Placeholder", {}, {{"dtype", DType::kFloat}, {"shape", std::move(shape)}});
  };
  ExpectError({placeholder({2, -3})}, "negative extent: -3");
  ExpectError({placeholder({int64_t{1} << 62})}, "overflows");
  ExpectError({placeholder({int64_t{1} << 40, -1, int64_t{1} << 40})}, "overflows");
  EXPECT_TRUE(Import({placeholder({-1, 1000000})}).ok());
}

TEST_F(ImportTest, AConstHoldsWhatItDeclares) {
  ExpectError({Node_("c", "Const", {}, {{"value", Tensor::Scalar(1.0f)}, {"dtype", DType::kInt32}})},
              "is not of dtype i32");
}

TEST_F(ImportTest, DevicesMustBeReadable) {
  NodeDef node = Const("a");
  node.device = "/job:ps/task:x";
  ExpectError({node}, "Malformed device specification '/job:ps/task:x'");
  node.device = "/job:ps/cpu:0";
  ASSERT_TRUE(Import({node}).ok());
  EXPECT_EQ(graph_.Find("a")->requested_device(), "/job:ps/cpu:0");
}

TEST_F(ImportTest, ShapeErrorsNameTheNode) {
  NodeDef three = Const("three");
  three.attrs["value"] = Tensor::Vector<float>({1, 2, 3});
  ExpectError({Const("two"), three, Node_("sum", "AddV2", {"two", "three"}, {{"T", DType::kFloat}})},
              "AddV2: shapes do not broadcast: [2] and [3] [[{{node sum}}]]");
}

TEST_F(ImportTest, VersionsThatAreTooNewAreRefused) {
  GraphDef def = Def({Const("a")});
  def.versions = {.producer = 3000, .min_consumer = 2378, .bad_consumers = {}};
  EXPECT_THAT(ImportGraphDef(def, &graph_).message(),
              HasSubstr("min consumer version 2378 above current version 2377"));
  def.versions = {.producer = 3000, .min_consumer = 0, .bad_consumers = {2377}};
  EXPECT_THAT(ImportGraphDef(def, &graph_).message(), HasSubstr("disallows consumer version 2377"));
  def.versions = {.producer = -1, .min_consumer = 0, .bad_consumers = {}};
  EXPECT_FALSE(ImportGraphDef(def, &graph_).ok());
  def.versions = {.producer = 26, .min_consumer = 12, .bad_consumers = {}};
  ASSERT_TRUE(ImportGraphDef(def, &graph_).ok());
  EXPECT_EQ(graph_.versions().producer, 26);
}

TEST_F(ImportTest, AChainOf50000NodesImportsAtOnce) {
  std::vector<NodeDef> nodes = {Const("n0")};
  for (int i = 1; i < 50000; ++i) nodes.push_back(Identity(StrCat("n", i), StrCat("n", i - 1)));
  std::reverse(nodes.begin(), nodes.end());
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_TRUE(Import(std::move(nodes)).ok());
  const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  RecordProperty("seconds", StrCat(seconds));
  EXPECT_EQ(graph_.Find("n49999")->output_shapes()[0], PartialShape({2}));
}

TEST_F(ImportTest, WhatIsExportedImportsAgain) {
  NodeDef placed = Node_("c", "AddV2", {"b", "two:1", "^a"}, {{"T", DType::kFloat}});
  placed.device = "/job:ps";
  ASSERT_TRUE(
      Import({Const("a"), Node_("two", "Split2", {"a"}, {{"T", DType::kFloat}}), Identity("b", "a"), placed}).ok());
  const GraphDef def = ExportGraphDef(graph_);
  Graph again;
  ASSERT_TRUE(ImportGraphDef(def, &again).ok());
  const NodeDef node = ExportNode(*again.Find("c"));
  EXPECT_THAT(node.inputs, ElementsAre("b", "two:1", "^a"));
  EXPECT_EQ(node.device, "/job:ps");
  EXPECT_EQ(def.nodes[0].attrs, again.Find("a")->attrs());
}

FunctionDef Function(std::string_view signature, std::vector<NodeDef> nodes,
                     std::map<std::string, std::string> returns) {
  FunctionDef function;
  function.signature = *OpSignature::Parse(signature);
  function.nodes = std::move(nodes);
  function.returns = std::move(returns);
  return function;
}

TEST_F(ImportTest, AFailedImportLeavesTheLibraryAlone) {
  GraphDef def = Def({Node_("x", "NoSuchOp")});
  def.functions.push_back(Function("f(x: f32) -> (y: f32)", {}, {{"y", "x"}}));
  EXPECT_FALSE(ImportGraphDef(def, &graph_).ok());
  EXPECT_TRUE(graph_.functions().empty());
}

TEST_F(ImportTest, AFunctionBecomesAGraph) {
  FunctionLibrary library;
  FunctionDef function =
      Function("f(x: T, list: N * i64) -> (y: T, z: i64) | T: type | N: int",
               {Node_("pair", "Split2", {"x"}, {{"T", AttrPlaceholder{"T"}}}),
                Node_("sum", "AddV2", {"pair:first:0", "pair:second"}, {{"T", AttrPlaceholder{"T"}}}),
                Node_("done", "NoOp", {"^sum", "^x"})},
               {{"y", "sum:z:0"}, {"z", "list:1"}});
  function.control_returns = {{"done", "done"}};
  function.arg_attrs[0] = {{"_mark", 7}};
  ASSERT_TRUE(library.Add(function).ok());
  const FunctionRef ref{"f", std::make_shared<AttrMap>(AttrMap{{"T", DType::kFloat}, {"N", 2}})};
  Result<FunctionBody> body = InstantiateFunction(library, ref);
  ASSERT_TRUE(body.ok()) << body.status().ToString();
  EXPECT_THAT(body->arg_types, ElementsAre(DType::kFloat, DType::kInt64, DType::kInt64));
  EXPECT_THAT(body->result_types, ElementsAre(DType::kFloat, DType::kInt64));
  ASSERT_EQ(body->args.size(), 3u);
  EXPECT_EQ(body->args[0]->attrs().at("_mark"), AttrValue(7));
  EXPECT_EQ(body->args[2]->attrs().at("index"), AttrValue(2));
  EXPECT_EQ(body->results[0]->input(0).ToString(), "sum:0");
  EXPECT_EQ(body->results[1]->input(0).node, body->args[2]);
  EXPECT_EQ(body->graph.Find("sum")->input(1).ToString(), "pair:1");
  EXPECT_THAT(body->control_results, ElementsAre(body->graph.Find("done")));
  EXPECT_THAT(body->graph.Find("done")->control_inputs(), ElementsAre(body->graph.Find("sum"), body->args[0]));
}

TEST_F(ImportTest, PlaceholdersInsidePassedFunctionsAreReplaced) {
  FunctionLibrary library;
  const FunctionRef inner{"g", std::make_shared<AttrMap>(AttrMap{{"T", AttrPlaceholder{"T"}}})};
  const std::vector<DType> one = {DType::kFloat};
  ASSERT_TRUE(library
                  .Add(Function("f(x: f32) -> (y: f32) | T: type = f64",
                                {Node_("x", "Call", {"x"}, {{"Tin", one}, {"Tout", one}, {"f", inner}})},
                                {{"y", "x:output:0"}}))
                  .ok());
  Result<FunctionBody> body = InstantiateFunction(library, {"f", nullptr});
  ASSERT_TRUE(body.ok()) << body.status().ToString();
  const auto* function = body->graph.Find("x")->attrs().at("f").As<FunctionRef>();
  EXPECT_EQ(function->attrs->at("T"), AttrValue(DType::kDouble));
  EXPECT_EQ(body->args[0]->name(), "x_1") << "the body's node has the argument's name";
}

TEST_F(ImportTest, FaultsOfFunctionsNameTheFunction) {
  FunctionLibrary library;
  const auto error = [&library](std::string name) { return InstantiateFunction(library, {name, nullptr}).status(); };
  ASSERT_TRUE(library.Add(Function("a(x: f32) -> (y: f32)", {}, {{"y", "nothing:y:0"}})).ok());
  ASSERT_TRUE(library.Add(Function("b(x: f32) -> (y: f32)", {}, {})).ok());
  ASSERT_TRUE(library.Add(Function("c(x: T) -> (y: T) | T: type", {}, {{"y", "x"}})).ok());
  ASSERT_TRUE(library.Add(Function("d(x: f32) -> ()", {Node_("n", "NoSuchOp", {"x"})}, {})).ok());
  ASSERT_TRUE(library.Add(Function("e(x: f32) -> (y: i32)", {}, {{"y", "x"}})).ok());
  EXPECT_EQ(error("unknown").code(), Code::kNotFound);
  EXPECT_THAT(error("a").message(), HasSubstr("Function 'a': reference 'nothing:y:0' names no argument"));
  EXPECT_THAT(error("b").message(), HasSubstr("result 'y' is not returned"));
  EXPECT_THAT(error("c").message(), HasSubstr("attribute 'T' (type) has no value"));
  EXPECT_THAT(error("d").message(), HasSubstr("Op type not registered 'NoSuchOp' [[{{node n}}]]"));
  EXPECT_THAT(error("e").message(), HasSubstr("incompatible with expected i32"));
}

TEST_F(ImportTest, ANodeThatNamesAFunctionCallsIt) {
  GraphDef def = Def({Const("a"), Node_("call", "f", {"a"}, {{"T", DType::kFloat}})});
  def.functions.push_back(Function("f(x: T) -> (y: T) | T: type", {}, {{"y", "x"}}));
  ASSERT_TRUE(ImportGraphDef(def, &graph_).ok());
  const Node* call = graph_.Find("call");
  EXPECT_EQ(call->op(), "PartitionedCall");
  EXPECT_EQ(call->attrs().at("f").As<FunctionRef>()->name, "f");
  EXPECT_THAT(call->output_types(), ElementsAre(DType::kFloat));
}

}  // namespace
}  // namespace headrace
