// Tests of saver.h and meta_graph.h.
#include "train/saver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "checkpoint/bundle_reader.h"
#include "session/session_testing.h"
#include "train/meta_graph.h"

namespace headrace::train {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kPs1[] = "/job:ps/replica:0/task:1";

// Variables of a program, and a cluster of two parameter servers that runs it.
struct Program {
  Program() { RegisterSessionTestOps(); }

  // Rows [begin, end) of `whole`, a matrix of 5 x 2 that counts up from `first`.
  void AddSlice(const std::string& name, int64_t begin, int64_t end, const std::string& device, float first,
                bool use_resource = true) {
    std::vector<float> values;
    for (int64_t i = begin * 2; i < end * 2; ++i) values.push_back(first + static_cast<float>(i));
    VariableOptions options;
    options.name = name;
    options.shape = PartialShape({end - begin, 2});
    options.use_resource = use_resource;
    options.initial_value = [=](const GraphBuilder& b) {
      return b.Const(Tensor::FromValues<float>(values, Shape({end - begin, 2})));
    };
    if (end - begin != 5)
      options.slice = VariableSlice{.full_name = "whole", .full_shape = {5, 2}, .offset = {begin, 0}};
    BuildVariable(builder.WithDevice(device), options, &variables);
  }

  void Start(const SaverOptions& options) {
    const Result<SaverNodes> built = BuildSaver(builder, variables, options);
    ASSERT_TRUE(built.ok()) << built.status().ToString();
    saver = *built;
    init = InitializeAll(builder, variables);
    ASSERT_TRUE(status.ok()) << status.ToString();
    auto created = GraphSession::Create(ExportGraphDef(graph), cluster->Options(kWorker0));
    ASSERT_TRUE(created.ok()) << created.status().ToString();
    session = *std::move(created);
    Run({}, {init->name()});
  }

  std::vector<Tensor> Run(const std::vector<std::string>& fetches, const std::vector<std::string>& targets,
                          const std::string& prefix = "") {
    std::vector<NamedTensor> feeds;
    if (!prefix.empty()) feeds.push_back({saver.filename.ToString(), Tensor::Scalar(prefix)});
    Result<std::vector<Tensor>> results = session->Run(feeds, fetches, targets);
    EXPECT_TRUE(results.ok()) << results.status().ToString();
    return results.ok() ? *std::move(results) : std::vector<Tensor>();
  }

  std::vector<float> Floats(const std::string& variable) {
    for (const VariableNodes& nodes : variables) {
      if (nodes.name != variable) continue;
      const std::vector<Tensor> values = Run({nodes.snapshot.ToString()}, {});
      if (!values.empty()) return {values[0].data<float>().begin(), values[0].data<float>().end()};
    }
    return {};
  }

  Graph graph;
  Status status;
  GraphBuilder builder{&graph, &status};
  VariableCollection variables;
  SaverNodes saver;
  Node* init = nullptr;
  std::shared_ptr<TestCluster> cluster = TestCluster::Make({kWorker0, kPs, kPs1});
  std::shared_ptr<GraphSession> session;
};

std::string FreshPrefix(const std::string& name) {
  const std::filesystem::path directory = std::filesystem::path(testing::TempDir()) / ("headrace_" + name);
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
  return (directory / "model").string();
}

TEST(SaverTest, SlicesOnSeveralServersBecomeOneCheckpointThatAnyOtherSlicesRead) {
  for (const bool use_resource : {true, false}) {
    SCOPED_TRACE(use_resource);
    const std::string prefix = FreshPrefix("sharded_saver_test");
    Program two;
    two.AddSlice("whole/part_0", 0, 3, "/job:ps/task:0", 10, use_resource);
    two.AddSlice("whole/part_1", 3, 5, "/job:ps/task:1", 10, use_resource);
    two.Start({.sharded = true});
    const std::vector<Tensor> saved = two.Run({two.saver.save.ToString()}, {}, prefix);
    ASSERT_EQ(saved.size(), 1u);
    EXPECT_EQ(saved[0].scalar<std::string>(), prefix);
    EXPECT_TRUE(std::filesystem::exists(prefix + ".data-00001-of-00002"));
    EXPECT_FALSE(std::filesystem::exists(prefix + "_temp"));
    const auto reader = BundleReader::Open(RealFileSystem(), prefix);
    ASSERT_TRUE(reader.ok()) << reader.status().ToString();
    ASSERT_EQ((*reader)->List().size(), 1u);
    EXPECT_EQ((*reader)->List()[0].shape, Shape({5, 2}));

    Program one;
    one.AddSlice("whole", 0, 5, "/job:ps/task:1", 0, use_resource);
    one.Start({});
    one.Run({}, {one.saver.restore_all->name()}, prefix);
    EXPECT_THAT(one.Floats("whole"), ElementsAre(10, 11, 12, 13, 14, 15, 16, 17, 18, 19));
    one.Run({one.saver.save.ToString()}, {}, prefix + "-whole");

    Program three;
    three.AddSlice("a", 0, 1, "/job:ps/task:0", 0, use_resource);
    three.AddSlice("b", 1, 4, "/job:ps/task:1", 0, use_resource);
    three.AddSlice("c", 4, 5, "/job:ps/task:0", 0, use_resource);
    three.Start({.sharded = true});
    for (const char* stored : {"", "-whole"}) {
      three.Run({}, {three.init->name()});
      three.Run({}, {three.saver.restore_all->name()}, prefix + stored);
      EXPECT_THAT(three.Floats("b"), ElementsAre(12, 13, 14, 15, 16, 17));
      EXPECT_THAT(three.Floats("c"), ElementsAre(18, 19));
    }
  }
}

TEST(SaverTest, NodesHaveTensorFlowsNames) {
  Program p;
  p.AddSlice("v", 0, 5, "/job:ps/task:0", 0);
  p.AddSlice("w", 0, 5, "/job:ps/task:1", 0);
  ASSERT_TRUE(BuildSaver(p.builder, p.variables, {.sharded = true}).ok());
  for (const char* name :
       {"save/filename/input", "save/Const", "save/num_shards", "save/ShardedFilename_1", "save/SaveV2_1/tensor_names",
        "save/control_dependency_1", "save/MergeV2Checkpoints", "save/Identity", "save/RestoreV2_1",
        "save/AssignVariableOp_1", "save/restore_shard_1", "save/restore_all/NoOp_1", "save/restore_all"}) {
    EXPECT_NE(p.graph.Find(name), nullptr) << name;
  }
  EXPECT_EQ(p.graph.Find("save/SaveV2_1")->requested_device(), "/job:ps/task:1/device:CPU:0");
  const Result<SaverNodes> second = BuildSaver(p.builder, p.variables);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->restore_all->name(), "save_1/restore_all");
}

TEST(SaverTest, KeysNameWhatIsSavedAndDoNotMeet) {
  const std::string prefix = FreshPrefix("saver_keys_test");
  Program p;
  p.AddSlice("v", 0, 5, "", 3);
  p.AddSlice("w", 0, 5, "", 4);
  EXPECT_THAT(BuildSaver(p.builder, {{"same", p.variables[0]}, {"same", p.variables[1]}}).status().message(),
              HasSubstr("At least two variables have the same name: same"));
  const Result<SaverNodes> renamed = BuildSaver(p.builder, {{"other", p.variables[0]}}, {.name = "renamed"});
  ASSERT_TRUE(renamed.ok()) << renamed.status().ToString();
  p.Start({});
  p.saver = *renamed;
  p.Run({p.saver.save.ToString()}, {}, prefix);
  const auto reader = BundleReader::Open(RealFileSystem(), prefix);
  ASSERT_TRUE(reader.ok()) << reader.status().ToString();
  EXPECT_TRUE((*reader)->Find("other").ok());
  EXPECT_EQ((*reader)->List().size(), 1u);
}

TEST(MetaGraphTest, WhatIsWrittenIsReadAgain) {
  Program p;
  p.AddSlice("part", 1, 3, "/job:ps/task:1", 0, false);
  p.AddSlice("v", 0, 5, "", 0);
  p.Start({.sharded = true});
  MetaGraph meta;
  meta.graph = ExportGraphDef(p.graph);
  meta.saver = DescribeSaver(p.saver);
  meta.collections["variables"] = CollectionBytes{EncodeVariable(p.variables[0]), EncodeVariable(p.variables[1])};
  meta.collections["train_op"] = CollectionNames{{"init"}};
  meta.collections["numbers"] = std::vector<int64_t>{1, 2};
  meta.collections["fractions"] = std::vector<float>{0.5f};
  const Result<std::string> bytes = EncodeMetaGraph(meta);
  ASSERT_TRUE(bytes.ok()) << bytes.status().ToString();
  const Result<MetaGraph> read = DecodeMetaGraph(*bytes);
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_EQ(read->graph.nodes.size(), meta.graph.nodes.size());
  EXPECT_EQ(read->saver->restore_operation, "save/restore_all");
  EXPECT_TRUE(read->saver->sharded);
  EXPECT_EQ(read->collections.size(), 4u);
  EXPECT_EQ(std::get<CollectionNames>(read->collections.at("train_op")).names, std::vector<std::string>{"init"});

  Graph graph;
  ASSERT_TRUE(ImportGraphDef(read->graph, &graph).ok());
  const auto& stored = std::get<CollectionBytes>(read->collections.at("variables"));
  const Result<VariableNodes> part = DecodeVariable(stored[0], graph);
  ASSERT_TRUE(part.ok()) << part.status().ToString();
  EXPECT_TRUE(part->is_ref());
  EXPECT_EQ(part->initializer->name(), "part/Assign");
  EXPECT_THAT(part->slice->offset, ElementsAre(1, 0));
  const Result<VariableNodes> v = DecodeVariable(stored[1], graph);
  ASSERT_TRUE(v.ok()) << v.status().ToString();
  EXPECT_FALSE(v->is_ref());
  EXPECT_EQ(v->snapshot.ToString(), "v/Read/ReadVariableOp:0");
  EXPECT_EQ(DecodeVariable(stored[0], Graph()).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(DecodeMetaGraph("\xff\xff").status().code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace headrace::train
