// Tests of place.h.
#include "passes/place.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "passes/passes_testing.h"

namespace headrace {
namespace {

using testing::HasSubstr;

const std::string kPs = "/job:ps/replica:0/task:0/device:CPU:0";
const std::string kPs1 = "/job:ps/replica:0/task:1/device:CPU:0";
const std::string kWorker0 = "/job:worker/replica:0/task:0/device:CPU:0";
const std::string kWorker1 = "/job:worker/replica:0/task:1/device:CPU:0";
const std::string kGpu = "/job:worker/replica:0/task:1/device:GPU:0";

struct PlaceTest : testing::Test {
  Status Run() { return Place(&t.graph, devices, options); }
  std::string DeviceOf(const std::string& name) { return t.graph.Find(name)->assigned_device(); }
  Endpoint Handle(const std::string& name, const std::string& device = "") {
    return {t.AddNode("VarHandleOp", name, {}, {{"dtype", DType::kFloat}, {"shape", PartialShape::Scalar()}}, device),
            0};
  }
  Node* Read(const std::string& name, Endpoint handle, const std::string& device = "") {
    return t.AddNode("ReadVariableOp", name, {handle}, {{"dtype", DType::kFloat}}, device);
  }

  PassTestGraph t;
  std::vector<PlacementDevice> devices = {{kWorker1, "CPU"}, {kPs, "CPU"}, {kPs1, "CPU"}, {kWorker0, "CPU"}};
  PlacementOptions options{
      .allow_soft_placement = false, .log_device_placement = false, .local_task = "/job:worker/replica:0/task:1"};
};

TEST_F(PlaceTest, UnpinnedNodesGoToTheLocalTask) {
  t.Add("sum", t.Input("x"), t.Input("y"));
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(DeviceOf("sum"), kWorker1);
  EXPECT_EQ(DeviceOf("x"), kWorker1);
}

TEST_F(PlaceTest, WithoutALocalTaskTheFirstNameWins) {
  options.local_task.clear();
  t.Input("x");
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(DeviceOf("x"), kPs);
}

TEST_F(PlaceTest, PartsOfADeviceNameAreCompleted) {
  t.Input("a", "/job:ps/task:1");
  t.Input("b", "/job:worker");
  t.Input("c", "/job:ps");
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(DeviceOf("a"), kPs1);
  EXPECT_EQ(DeviceOf("b"), kWorker1);
  EXPECT_EQ(DeviceOf("c"), kPs);
}

TEST_F(PlaceTest, UsersOfAResourceGoWhereItIs) {
  const Endpoint handle = Handle("v", "/job:ps/task:1");
  Read("read", handle);
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(DeviceOf("read"), kPs1);
}

TEST_F(PlaceTest, StateOverrulesWhatItsUsersAskFor) {
  // The builder follows the handle, so the contradiction is made by hand, as TensorFlow's clients do with a device
  // setter.
  Read("read", Handle("v", "/job:ps/task:1"))->set_requested_device("/job:worker/task:0");
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(DeviceOf("read"), kPs1);
  EXPECT_EQ(DeviceOf("v"), kPs1);
}

TEST_F(PlaceTest, UserOfStatesInTwoPlacesIsAnError) {
  const Endpoint one = Handle("one", "/job:ps/task:0"), other = Handle("other", "/job:worker/task:0");
  t.AddNode("UseBoth", "user", {one, other});
  const Status status = Run();
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("reference or resource connection"));
  EXPECT_THAT(status.message(), HasSubstr("incompatible jobs: '/job:ps' and '/job:worker'"));
  EXPECT_THAT(status.message(), HasSubstr("{{node user}}"));
}

TEST_F(PlaceTest, RefEdgesBindAndValueEdgesDoNot) {
  const Endpoint ref{
      t.AddNode("VariableV2", "v", {}, {{"dtype", DType::kFloat}, {"shape", PartialShape::Scalar()}}, "/job:ps/task:0"),
      0};
  t.AddNode("Assign", "assign", {ref, t.Input("x")});
  t.AddNode("Identity", "read", {ref}, {}, "/job:worker/task:0");
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(DeviceOf("assign"), kPs);
  EXPECT_EQ(DeviceOf("read"), kWorker0);
}

TEST_F(PlaceTest, ClassGroupsStayTogetherAlsoByANameThatNoNodeHas) {
  t.Input("a", "/job:ps/task:1");
  const std::vector<std::string> with_a = {"loc:@a"}, with_ghost = {"loc:@ghost"};
  t.AddNode("AddV2", "b", {t.Input("x"), t.Input("y")}, {{"_class", with_a}});
  t.AddNode("NoOp", "c", {}, {{"_class", with_ghost}}, "/job:worker/task:0");
  t.AddNode("NoOp", "d", {}, {{"_class", with_ghost}});
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(DeviceOf("b"), kPs1);
  EXPECT_EQ(DeviceOf("d"), kWorker0);
}

TEST_F(PlaceTest, ClassConflictsAreErrorsUnlessPlacementIsSoft) {
  t.Input("a", "/job:ps/task:1");
  t.AddNode("NoOp", "b", {}, {{"_class", std::vector<std::string>{"loc:@a"}}}, "/job:ps/task:0");
  const Status status = Run();
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("Cannot colocate nodes {{colocation_node b}} and {{colocation_node a}}"));
  EXPECT_THAT(status.message(), HasSubstr("'/task:1' and '/task:0'"));
  options.allow_soft_placement = true;
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(DeviceOf("b"), kPs);
}

TEST_F(PlaceTest, SoftPlacementRelaxesTypeAndNumberButNeverTheTask) {
  t.Input("x", "/job:worker/task:0/device:GPU:3");
  EXPECT_THAT(Run().message(), HasSubstr("/device:GPU:3 but available devices are [ " + kPs));
  options.allow_soft_placement = true;
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(DeviceOf("x"), kWorker0);
  t.Input("y", "/job:worker/task:9");
  EXPECT_EQ(Run().code(), Code::kInvalidArgument);
}

TEST_F(PlaceTest, OtherDeviceTypesComeBeforeCpuWhereKernelsExist) {
  devices.push_back({kGpu, "GPU"});
  t.Add("sum", t.Input("x"), t.Input("y"));
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(DeviceOf("sum"), kGpu);
  EXPECT_EQ(DeviceOf("x"), kWorker1) << "a placeholder has no GPU kernel";
}

TEST_F(PlaceTest, AnOpWithoutKernelNamesNodeAndOp) {
  t.AddNode("GpuOnly", "g", {t.Input("x")});
  const Status status = Run();
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("No OpKernel was registered to support Op 'GpuOnly' used by {{node g}}"));
}

TEST_F(PlaceTest, AKernelMissingOnTheAskedDeviceTypeIsAnError) {
  devices.push_back({kGpu, "GPU"});
  t.Input("x", "/device:GPU:0");
  EXPECT_THAT(Run().message(), HasSubstr("no supported kernel for GPU devices is available"));
}

TEST_F(PlaceTest, SourcesGoWithTheirConsumersWhereTheyAgree) {
  const Endpoint agreed = t.Input("agreed"), split = t.Input("split");
  t.AddNode("Identity", "a", {agreed}, {}, "/job:ps/task:1");
  t.AddNode("Identity", "b", {split}, {}, "/job:ps/task:1");
  t.AddNode("Identity", "c", {split}, {}, "/job:ps/task:0");
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(DeviceOf("agreed"), kPs1);
  EXPECT_EQ(DeviceOf("split"), kWorker1);
}

TEST_F(PlaceTest, ShapesAreTakenWhereTheTensorIs) {
  const Endpoint x{t.AddNode("Identity", "x", {t.Input("in")}, {}, "/job:ps/task:1"), 0};
  t.AddNode("Shape", "shape", {x});
  t.AddNode("Shape", "pinned", {x}, {}, "/job:worker/task:0");
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(DeviceOf("shape"), kPs1);
  EXPECT_EQ(DeviceOf("pinned"), kWorker0);
}

TEST_F(PlaceTest, PlacedNodesStayWhenTheGraphGrows) {
  const Endpoint handle = Handle("v");
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(DeviceOf("v"), kWorker1);
  options.local_task = "/job:worker/replica:0/task:0";
  Read("read", handle);
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(DeviceOf("v"), kWorker1);
  EXPECT_EQ(DeviceOf("read"), kWorker1);
}

TEST_F(PlaceTest, AMalformedDeviceIsQuoted) {
  t.Input("x").node->set_requested_device("/jib:ps");
  EXPECT_THAT(Run().message(), HasSubstr("Malformed device specification '/jib:ps' in node: x"));
}

TEST_F(PlaceTest, TheTableIsAligned) {
  t.Add("a_long_name", t.Input("x"), t.Input("y"), "/job:ps/task:0");
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(PlacementTable(t.graph),
            "node         op           device\n"
            "a_long_name  AddV2        " +
                kPs +
                "\n"
                "x            Placeholder  " +
                kPs +
                "\n"
                "y            Placeholder  " +
                kPs + "\n");
}

}  // namespace
}  // namespace headrace
