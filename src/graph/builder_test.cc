#include "graph/builder.h"

#include "gmock/gmock.h"
#include "graph/gradient_context.h"
#include "graph/graph_testing.h"
#include "graph/shape_context.h"

namespace headrace {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class BuilderTest : public ::testing::Test {
 protected:
  BuilderTest() { RegisterGraphTestOps(); }

  Graph graph_;
  Status status_;
  GraphBuilder builder_{&graph_, &status_};
};

TEST_F(BuilderTest, TypesAndShapesFollowTheInputs) {
  const Endpoint a = builder_.Const(Tensor::Vector<float>({1, 2, 3}));
  const Endpoint sum = builder_.Op("AddV2", {a, builder_.Scalar(2.0f)});
  ASSERT_TRUE(status_.ok()) << status_.ToString();
  EXPECT_EQ(sum.node->attrs().at("T"), AttrValue(DType::kFloat));
  EXPECT_EQ(sum.shape(), PartialShape({3}));
  EXPECT_EQ(sum.ToString(), "AddV2:0");
}

TEST_F(BuilderTest, CountsAndTypeListsFollowTheInputs) {
  const Endpoint i = builder_.Scalar<int64_t>(1), f = builder_.Scalar(1.0f);
  const Node* pack = builder_.AddNode("Pack", {f, f, f});
  const Node* pairs = builder_.AddNode("Pairs", {i, i, f, f});
  const Node* list = builder_.AddNode("IdentityN", {i, f});
  ASSERT_TRUE(status_.ok()) << status_.ToString();
  EXPECT_EQ(pack->attrs().at("N"), AttrValue(3));
  EXPECT_EQ(pairs->attrs().at("N"), AttrValue(2));
  EXPECT_EQ(pairs->attrs().at("T"), AttrValue(DType::kFloat));
  EXPECT_THAT(list->output_types(), ElementsAre(DType::kInt64, DType::kFloat));
}

TEST_F(BuilderTest, TheFirstMistakeIsKeptAndNothingIsAddedAfterIt) {
  const Endpoint bad = builder_.Op(
      "AddV2", {builder_.Const(Tensor::Vector<float>({1, 2})), builder_.Const(Tensor::Vector<float>({1, 2, 3}))});
  EXPECT_FALSE(bad);
  EXPECT_EQ(status_.message(), "AddV2: shapes do not broadcast: [2] and [3] [[{{node AddV2}}]]");
  EXPECT_EQ(graph_.Find("AddV2"), nullptr);
  const int nodes = graph_.num_nodes();
  EXPECT_FALSE(builder_.Op("Neg", {bad}));
  EXPECT_FALSE(builder_.Scalar(1.0f));
  EXPECT_EQ(graph_.num_nodes(), nodes);
  EXPECT_THAT(status_.message(), HasSubstr("AddV2"));
}

TEST_F(BuilderTest, UnknownOpsAndWrongCountsAreErrors) {
  builder_.Op("NoSuchOp", {});
  EXPECT_EQ(status_.code(), Code::kNotFound);
  status_ = OkStatus();
  builder_.AddNode("AddV2", {builder_.Scalar(1.0f)});
  EXPECT_THAT(status_.message(), HasSubstr("AddV2: 1 inputs do not fit AddV2(x: T, y: T)"));
}

TEST_F(BuilderTest, NamesAreUniqueBelowTheirPrefix) {
  const GraphBuilder inner = builder_.WithNamePrefix("a").WithNamePrefix("b");
  EXPECT_EQ(inner.AddNode("NoOp", {})->name(), "a/b/NoOp");
  EXPECT_EQ(inner.AddNode("NoOp", {})->name(), "a/b/NoOp_1");
  EXPECT_EQ(
      inner.AddNode("NoOp", {}, {}, {.name = "x", .device = "", .control_inputs = {}, .colocate_with = {}})->name(),
      "a/b/x");
  EXPECT_EQ(inner.name_prefix(), "a/b/");
}

TEST_F(BuilderTest, InnerDevicesWin) {
  const GraphBuilder outer = builder_.WithDevice("/job:ps/task:0");
  EXPECT_EQ(outer.WithDevice("/task:1").AddNode("NoOp", {})->requested_device(), "/job:ps/task:1");
  EXPECT_EQ(outer.AddNode("NoOp", {})->requested_device(), "/job:ps/task:0");
  outer.WithDevice("nonsense");
  EXPECT_THAT(status_.message(), HasSubstr("'nonsense'"));
}

TEST_F(BuilderTest, DeviceFunctionsSeeWhatIsInsideOfThem) {
  std::vector<std::string> seen;
  const auto record = [&seen](std::string answer) {
    return [&seen, answer](const std::string& op, const std::string& requested) {
      seen.push_back(StrCat(op, " ", requested));
      return answer;
    };
  };
  const Node* node =
      builder_.WithDevice("/replica:0")
          .WithDeviceFunction(record("/job:ps/task:7"))
          .WithDeviceFunction(record("/job:worker"))
          .WithDevice("/task:1")
          .AddNode("NoOp", {}, {}, {.name = "", .device = "/cpu:0", .control_inputs = {}, .colocate_with = {}});
  ASSERT_TRUE(status_.ok()) << status_.ToString();
  EXPECT_THAT(seen, ElementsAre("NoOp /task:1/device:CPU:0", "NoOp /job:worker/task:1/device:CPU:0"));
  EXPECT_EQ(node->requested_device(), "/job:worker/replica:0/task:1/device:CPU:0");
}

TEST_F(BuilderTest, ColocatedNodesJoinTheGroupAndTheDevice) {
  const Node* variable = builder_.WithDevice("/job:ps").AddNode(
      "NoOp", {}, {}, {.name = "v", .device = "", .control_inputs = {}, .colocate_with = {}});
  const Node* slot = builder_.WithDevice("/job:worker").ColocatedWith(variable).AddNode("NoOp", {});
  const Node* third = builder_.ColocatedWith(slot).AddNode("NoOp", {});
  const AttrValue group(std::vector<std::string>{"loc:@v"});
  EXPECT_EQ(slot->attrs().at("_class"), group);
  EXPECT_EQ(slot->requested_device(), "/job:ps");
  EXPECT_EQ(third->attrs().at("_class"), group);
}

TEST_F(BuilderTest, UsersOfARefAskForItsDevice) {
  const AttrMap attrs = {{"dtype", DType::kFloat}, {"shape", PartialShape::Scalar()}};
  const Endpoint variable = builder_.WithDevice("/job:ps/task:0").Op("VariableV2", {}, attrs);
  const GraphBuilder worker = builder_.WithDevice("/job:worker");
  const Endpoint one = worker.Scalar(1.0f);
  EXPECT_EQ(worker.AddNode("Assign", {variable, one})->requested_device(), "/job:ps/task:0");
  EXPECT_EQ(worker.AddNode("Identity", {variable})->requested_device(), "/job:worker")
      << "reading by value binds to nothing";
}

TEST_F(BuilderTest, ControlInputsAddUpWithoutRepetition) {
  Node* a = builder_.AddNode("NoOp", {});
  Node* b = builder_.AddNode("NoOp", {});
  const Node* c = builder_.WithControlInputs({a}).WithControlInputs({b, a}).AddNode("NoOp", {});
  EXPECT_THAT(c->control_inputs(), ElementsAre(a, b));
}

TEST_F(BuilderTest, ScalarsOfEveryNumericType) {
  EXPECT_EQ(builder_.ScalarOf(DType::kInt64, 3).node->attrs().at("value"), AttrValue(Tensor::Scalar<int64_t>(3)));
  EXPECT_EQ(builder_.ScalarOf(DType::kHalf, 0.5).dtype(), DType::kHalf);
  builder_.ScalarOf(DType::kString, 1);
  EXPECT_EQ(status_.code(), Code::kUnimplemented);
}

TEST_F(BuilderTest, ShapesComeFromConstantsShapesAndPacks) {
  const Endpoint zero = builder_.Scalar(0.0f);
  EXPECT_EQ(builder_.Op("Fill", {builder_.Const(Tensor::Vector<int32_t>({2, -1})), zero}).shape(),
            PartialShape({2, -1}));
  const Endpoint vector = builder_.Op("Placeholder", {}, {{"dtype", DType::kInt32}, {"shape", PartialShape({3})}});
  EXPECT_EQ(builder_.Op("Fill", {vector, zero}).shape(), PartialShape({-1, -1, -1}));
  const Endpoint data = builder_.Op("Placeholder", {}, {{"dtype", DType::kFloat}, {"shape", PartialShape({-1, 4})}});
  EXPECT_EQ(builder_.Op("Fill", {builder_.Op("Shape", {data}), zero}).shape(), PartialShape({-1, 4}));
  const Endpoint scalar = builder_.Op("Placeholder", {}, {{"dtype", DType::kInt32}, {"shape", PartialShape::Scalar()}});
  const Endpoint pack = builder_.Op("Pack", {scalar, builder_.Scalar(5)});
  EXPECT_EQ(builder_.Op("Fill", {pack, zero}).shape(), PartialShape({-1, 5}));
  ASSERT_TRUE(status_.ok()) << status_.ToString();
  builder_.Op("Fill", {builder_.Const(Tensor::Vector<int64_t>({-2})), zero});
  EXPECT_THAT(status_.message(), HasSubstr("extent below -1"));
}

TEST_F(BuilderTest, ShapesComeThroughSlicesAndConcatenations) {
  const auto at = [this](int32_t i) { return builder_.Const(Tensor::Vector<int32_t>({i})); };
  const Endpoint data = builder_.Op("Placeholder", {}, {{"dtype", DType::kFloat}, {"shape", PartialShape({-1, 4, 5})}});
  const Endpoint shape = builder_.Op("Shape", {data});
  const Endpoint rest = builder_.Op("StridedSlice", {shape, at(1), at(0), at(1)}, {{"end_mask", 1}});
  const Endpoint last = builder_.Op("StridedSlice", {shape, at(-1), at(0), at(1)}, {{"shrink_axis_mask", 1}});
  const Endpoint whole = builder_.Op("ConcatV2", {at(7), rest, builder_.Op("Pack", {last}), builder_.Scalar(0)});
  const Endpoint filled = builder_.Op("Fill", {builder_.Op("Identity", {whole}), builder_.Scalar(0.0f)});
  ASSERT_TRUE(status_.ok()) << status_.ToString();
  EXPECT_EQ(filled.shape(), PartialShape({7, 4, 5, 5}));
}

TEST_F(BuilderTest, FollowingSharedInputsEnds) {
  Endpoint vector = builder_.Const(Tensor::FromValues<int32_t>({}, Shape({0})));
  for (int i = 0; i < 60; ++i) vector = builder_.Op("ConcatV2", {vector, vector, builder_.Scalar(0)});
  EXPECT_EQ(builder_.Op("Fill", {vector, builder_.Scalar(0.0f)}).shape(), PartialShape::Scalar());
  EXPECT_TRUE(status_.ok()) << status_.ToString();
}

TEST(BroadcastShapesTest, FollowsNumpy) {
  const PartialShape unknown;
  EXPECT_EQ(*BroadcastShapes({2, 1}, {3}), PartialShape({2, 3}));
  EXPECT_EQ(*BroadcastShapes({-1, 3}, {1}), PartialShape({-1, 3}));
  EXPECT_EQ(*BroadcastShapes({-1}, {1}), PartialShape({-1}));
  EXPECT_EQ(*BroadcastShapes({-1}, {4}), PartialShape({4}));
  EXPECT_EQ(*BroadcastShapes(unknown, {4}), unknown);
  EXPECT_EQ(BroadcastShapes({2}, {3}).status().code(), Code::kInvalidArgument);
}

TEST_F(BuilderTest, GradientsBecomeDense) {
  Node* node = builder_.AddNode("Split2", {builder_.Const(Tensor::Vector<float>({1, 2}))});
  const IndexedSlices slices = {builder_.Const(Tensor::Vector<int32_t>({0})),
                                builder_.Const(Tensor::Vector<float>({1})),
                                builder_.Const(Tensor::Vector<int64_t>({2}))};
  GradientContext context(builder_, node, {Gradient(slices), Gradient()});
  const Endpoint dense = context.output_gradient(0), zeros = context.output_gradient(1);
  ASSERT_TRUE(status_.ok()) << status_.ToString();
  EXPECT_EQ(dense.node->op(), "UnsortedSegmentSum");
  EXPECT_EQ(dense.node->attrs().at("Tnumsegments"), AttrValue(DType::kInt64));
  EXPECT_EQ(zeros.node->op(), "ZerosLike");
  EXPECT_FALSE(context.has_output_gradient(1));
  EXPECT_TRUE(context.SetInputGradient(0, dense).ok());
  EXPECT_EQ(*context.TakeInputGradients()[0].dense(), dense);
}

}  // namespace
}  // namespace headrace
