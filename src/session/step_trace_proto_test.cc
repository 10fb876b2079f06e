// Traced steps: what their RunMetadata says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "executor/executor_testing.h"
#include "headrace/proto/config.pb.h"
#include "session/session_testing.h"

namespace headrace {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

Tensor F(float value) { return Tensor::Scalar(value); }

std::shared_ptr<GraphSession> Open(const GraphDef& def, GraphSessionOptions options) {
  auto session = GraphSession::Create(def, std::move(options));
  EXPECT_TRUE(session.ok()) << session.status().ToString();
  return session.ok() ? *std::move(session) : nullptr;
}

/// A variable on the ps; worker 0 reads it and adds what it is fed.
GraphDef VariableOnPs() {
  TestProgram program;
  const Endpoint x = program.Placeholder("x", "/job:worker/task:0");
  const Endpoint read = program.Variable("w", 100, "/job:ps/task:0");
  const Endpoint sum = program.Op("sum", "AddV2", {read, x}, {}, "/job:worker/task:0");
  program.Op("last", "AddV2", {sum, x}, {}, "/job:worker/task:0", {read.node});
  return program.Def();
}

proto::RunMetadata MetadataOf(const StepTrace& trace) {
  proto::RunMetadata metadata;
  EXPECT_TRUE(metadata.ParseFromString(trace.run_metadata()));
  return metadata;
}

std::vector<std::string> Devices(const proto::RunMetadata& metadata) {
  std::vector<std::string> devices;
  for (const auto& device : metadata.step_stats().dev_stats()) devices.push_back(device.device());
  std::sort(devices.begin(), devices.end());
  return devices;
}

const proto::NodeExecStats* Find(const proto::RunMetadata& metadata, const std::string& node) {
  for (const auto& device : metadata.step_stats().dev_stats()) {
    for (const auto& stats : device.node_stats()) {
      if (stats.node_name() == node) return &stats;
    }
  }
  return nullptr;
}

TEST(StepTrace, AStepOverTwoTasksTellsOfBothAndOfWhatCrosses) {
  const auto cluster = TestCluster::Make({kPs, kWorker0});
  const auto session = Open(VariableOnPs(), cluster->Options(kWorker0));
  ASSERT_TRUE(session->Run({}, {}, {"w/init"}).ok());
  RunOptions options;
  options.trace = std::make_shared<StepTrace>(StepTraceWishes{.step_stats = true});
  const int64_t before_us = RealClock().WallMicros();
  const auto results = session->Run({{"x", F(5)}}, {"last"}, {}, options);
  ASSERT_TRUE(results.ok()) << results.status().ToString();
  EXPECT_EQ((*results)[0].scalar<float>(), 110);
  const proto::RunMetadata metadata = MetadataOf(*options.trace);
  EXPECT_THAT(Devices(metadata), ElementsAre(StrCat(kPs, "/device:CPU:0"), StrCat(kWorker0, "/device:CPU:0")));
  EXPECT_EQ(metadata.partition_graphs_size(), 0);

  const proto::NodeExecStats* last = Find(metadata, "last");
  ASSERT_NE(last, nullptr);
  EXPECT_THAT(last->timeline_label(), MatchesRegex("last = AddV2\\(sum, .+\\)"));
  EXPECT_GE(last->all_start_micros(), before_us - 1);
  EXPECT_LE(last->all_start_micros() + last->all_end_rel_micros(), RealClock().WallMicros() + 1);
  EXPECT_LE(last->scheduled_micros(), last->all_start_micros());
  EXPECT_GE(last->all_end_rel_micros(), 1);
  EXPECT_GE(last->op_end_rel_micros(), last->op_start_rel_micros());
  ASSERT_EQ(last->output_size(), 1);
  const proto::TensorDescription& output = last->output(0).tensor_description();
  EXPECT_EQ(output.dtype(), proto::DT_FLOAT);
  EXPECT_EQ(output.shape().dim_size(), 0);
  EXPECT_EQ(output.allocation_description().requested_bytes(), 4);
  EXPECT_GE(output.allocation_description().allocated_bytes(), 4);

  EXPECT_THAT(Find(metadata, "w/read")->timeline_label(), "w/read = ReadVariableOp(w)");
  const proto::NodeExecStats* received = Find(metadata, "RecvTensor");
  ASSERT_NE(received, nullptr);
  EXPECT_THAT(received->timeline_label(), MatchesRegex("\\[4B\\] edge_.* from /job:ps/replica:0/task:0/device:CPU:0 to "
                                                       "/job:worker/replica:0/task:0/device:CPU:0"));
}

TEST(StepTrace, AStepOfOnePlanIsTracedAndFailsAsAnyOther) {
  const auto cluster = TestCluster::Make({kWorker0});
  TestProgram program;
  const Endpoint x = program.Placeholder("x");
  program.Op("sum", "AddV2", {x, x});
  program.Op("fails", "TestFail", {x});
  const auto session = Open(program.Def(), cluster->Options(kWorker0));
  RunOptions options;
  options.trace = std::make_shared<StepTrace>(StepTraceWishes{.step_stats = true});
  ASSERT_TRUE(session->Run({{"x", F(1)}}, {"sum"}, {}, options).ok());
  const proto::RunMetadata metadata = MetadataOf(*options.trace);
  EXPECT_THAT(Devices(metadata), ElementsAre(StrCat(kWorker0, "/device:CPU:0")));
  EXPECT_NE(Find(metadata, "sum"), nullptr);
  EXPECT_EQ(Find(metadata, "RecvTensor"), nullptr);
  options.trace = std::make_shared<StepTrace>(StepTraceWishes{.step_stats = true});
  const Status failed = session->Run({{"x", F(1)}}, {"fails"}, {}, options).status();
  EXPECT_EQ(failed.code(), Code::kInvalidArgument);
  EXPECT_THAT(failed.message(), Not(HasSubstr("From /job:")));
}

TEST(StepTrace, TheGraphsOfTheDevicesAreGivenWhenAskedFor) {
  const auto cluster = TestCluster::Make({kPs, kWorker0});
  const auto session = Open(VariableOnPs(), cluster->Options(kWorker0));
  ASSERT_TRUE(session->Run({}, {}, {"w/init"}).ok());
  RunOptions options;
  options.trace = std::make_shared<StepTrace>(StepTraceWishes{.partition_graphs = true});
  ASSERT_TRUE(session->Run({{"x", F(5)}}, {"sum"}, {}, options).ok());
  const proto::RunMetadata metadata = MetadataOf(*options.trace);
  EXPECT_FALSE(metadata.has_step_stats());
  ASSERT_EQ(metadata.partition_graphs_size(), 2);
  for (const auto& graph : metadata.partition_graphs()) {
    EXPECT_GT(graph.node_size(), 0);
    for (const auto& node : graph.node()) EXPECT_EQ(node.device(), graph.node(0).device()) << node.name();
  }
}

}  // namespace
}  // namespace headrace
