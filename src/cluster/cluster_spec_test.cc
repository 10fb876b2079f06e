#include "cluster/cluster_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>

#include "os/file_system.h"

namespace headrace {
namespace {

using testing::HasSubstr;

ClusterSpec MustParse(std::string_view text) {
  Result<ClusterSpec> spec = ClusterSpec::Parse(text);
  EXPECT_TRUE(spec.ok()) << spec.status().ToString();
  return spec.ok() ? *std::move(spec) : ClusterSpec();
}

TEST(ClusterSpecTest, ReadsJsonWithListsAndNumbers) {
  const ClusterSpec spec = MustParse(R"( {"ps": ["h:1"], "worker": {"3": "h:2", "5": "[::1]:3"}} )");
  EXPECT_EQ(spec.jobs(), (ClusterSpec::Jobs{{"ps", {{0, "h:1"}}}, {"worker", {{3, "h:2"}, {5, "[::1]:3"}}}}));
  EXPECT_EQ(spec.num_tasks(), 3);
}

TEST(ClusterSpecTest, ReadsTensorFlowsTextWithGaps) {
  const ClusterSpec spec = MustParse("ps|h:1,worker|h:2;h:3;7=h:4;h:5");
  EXPECT_EQ(spec.jobs(),
            (ClusterSpec::Jobs{{"ps", {{0, "h:1"}}}, {"worker", {{0, "h:2"}, {1, "h:3"}, {7, "h:4"}, {8, "h:5"}}}}));
}

TEST(ClusterSpecTest, WritesWhatItReads) {
  const ClusterSpec spec = MustParse("ps|h:1,worker|h:2;h:3;7=h:4;h:5");
  EXPECT_EQ(spec.ToString(), "ps|h:1,worker|h:2;h:3;7=h:4;h:5");
  EXPECT_EQ(MustParse(spec.ToJson()), spec);
}

TEST(ClusterSpecTest, ReadsFiles) {
  const std::string path = testing::TempDir() + "cluster_spec_test.json";
  Result<std::unique_ptr<WritableFile>> file = RealFileSystem().Create(path);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->Append("{\"ps\": [\"h:1\"]}\n").ok());
  ASSERT_TRUE((*file)->Close().ok());
  EXPECT_EQ(MustParse("@" + path).ToString(), "ps|h:1");
  std::remove(path.c_str());
  EXPECT_EQ(ClusterSpec::Parse("@" + path).status().code(), Code::kNotFound);
}

TEST(ClusterSpecTest, SaysWhatIsWrong) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "empty"},
      {"{\"ps\": [", "not JSON"},
      {"[1]", "not 'job|host:port"},
      {"{\"ps\": 3}", "neither a list"},
      {"{\"ps\": [3]}", "not a text: 3"},
      {"{\"ps\": {\"x\": \"h:1\"}}", "bad task index: 'x'"},
      {"{\"ps\": {\"99999999999\": \"h:1\"}}", "bad task index: '99999999999'"},
      {"{\"ps\": []}", "job 'ps' has no tasks"},
      {"ps|h:1,worker|h:1",
       "two tasks have the address h:1: /job:ps/replica:0/task:0 and /job:worker/replica:0/task:0"},
      {"ps|h:1;0=h:2", "job 'ps' has task 0 twice"},
      {"ps|h:1,ps|h:2", "job 'ps' is there twice"},
      {"p s|h:1", "job name 'p s'"},
      {"1ps|h:1", "job name '1ps'"},
      {"ps|h", "/job:ps/replica:0/task:0: address 'h' has no port"},
      {"ps|:1", "has no host"},
      {"ps|h:0", "bad port: '0'"},
      {"ps|h:65536", "bad port: '65536'"},
      {"ps|h:http", "bad port: 'http'"},
      {"ps|::1:1", "stands in brackets"},
      {"ps|a/b:1", "no host has: '/'"},
  };
  for (const auto& [text, wanted] : cases) {
    const Status status = ClusterSpec::Parse(text).status();
    EXPECT_EQ(status.code(), Code::kInvalidArgument) << text;
    EXPECT_THAT(status.message(), HasSubstr(wanted)) << text;
  }
}

TEST(ClusterSpecTest, MissingTaskListsThoseThereAre) {
  const ClusterSpec spec = MustParse("ps|h:1,worker|3=h:2;h:3");
  EXPECT_EQ(*spec.AddressOf("worker", 4), "h:3");
  EXPECT_THAT(spec.AddressOf("worker", 0).status().message(), HasSubstr("has no task 0; it has: 3, 4"));
  EXPECT_THAT(spec.AddressOf("chief", 0).status().message(), HasSubstr("no job 'chief'; there are: ps, worker"));
}

TEST(TaskConfigTest, ReadsTfConfig) {
  const auto config = TaskConfig::FromTfConfig(
      R"({"cluster": {"ps": ["h:1"], "worker": ["h:2", "h:3"]}, "task": {"type": "worker", "index": 1}, "environment": "cloud"})");
  ASSERT_TRUE(config.ok()) << config.status().ToString();
  ASSERT_TRUE(config->has_value());
  EXPECT_EQ((*config)->job, "worker");
  EXPECT_EQ((*config)->task, 1);
  EXPECT_EQ((*config)->cluster.ToString(), "ps|h:1,worker|h:2;h:3");
  const auto again = TaskConfig::FromTfConfig((*config)->ToTfConfig());
  EXPECT_EQ((*again)->cluster, (*config)->cluster);
}

TEST(TaskConfigTest, NothingMeansNoCluster) {
  for (const char* text : {"", "  ", "{}", R"({"cluster": {}})"}) {
    const auto config = TaskConfig::FromTfConfig(text);
    ASSERT_TRUE(config.ok()) << text;
    EXPECT_FALSE(config->has_value()) << text;
  }
}

TEST(TaskConfigTest, SaysWhatIsWrong) {
  const std::pair<std::string, std::string> cases[] = {
      {"{", "not JSON"},
      {"3", "not a map"},
      {R"({"cluster": {"ps": ["h:1"]}})", "\"task\""},
      {R"({"cluster": {"ps": ["h:1"]}, "task": {"type": "ps", "index": 1}})", "no task 1"},
      {R"({"cluster": {"ps": ["h:1"]}, "task": {"type": "ps", "index": 1.5}})", "no number"},
      {R"({"cluster": {"ps": ["h:1"]}, "task": {"type": "ps", "index": -1}})", "bad task index"},
  };
  for (const auto& [text, wanted] : cases) {
    EXPECT_THAT(TaskConfig::FromTfConfig(text).status().ToString(), HasSubstr(wanted)) << text;
  }
}

}  // namespace
}  // namespace headrace
