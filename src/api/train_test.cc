// Tests of train.h: the optimizers' numbers are TensorFlow 2.21's on the same program.
#include "api/train.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "api/headrace.h"

namespace headrace::api {
namespace {

using testing::ElementsAre;
using testing::FloatNear;
using testing::HasSubstr;
using testing::Pointwise;

struct GoldenRun {
  const char* name;
  train::Optimizer optimizer;
  std::vector<float> losses, embedding, weights;
  std::vector<std::string> variables;
};

std::vector<GoldenRun> GoldenRuns() {
  return {
      {"GradientDescent",
       train::GradientDescent(0.1),
       {5.076666f, 3.149997f, 1.993225f},
       {0.7746791f, -0.3679783f, 0.3f, 0.4f, 0.8758597f, 0.2889479f},
       {1.399005f, -0.8268434f},
       {"emb", "global_step", "w"}},
      {"Momentum",
       train::Momentum(0.1, 0.9),
       {5.076666f, 3.149997f, 1.156553f},
       {1.370221f, -0.9358644f, 0.3f, 0.4f, 1.201832f, -0.009302258f},
       {1.664274f, -0.5714021f},
       {"emb", "emb/Momentum", "global_step", "w", "w/Momentum"}},
      {"Adagrad",
       train::Adagrad(0.1),
       {5.076666f, 4.08295f, 3.48352f},
       {0.3254175f, -0.009355679f, 0.3f, 0.4f, 0.7190323f, 0.3972158f},
       {1.235383f, -0.8196189f},
       {"emb", "emb/Adagrad", "global_step", "w", "w/Adagrad"}},
      {"Ftrl",
       train::Ftrl(0.1, {.l1_regularization_strength = 0.01, .l2_regularization_strength = 0.02}),
       {5.076666f, 4.253526f, 3.850077f},
       {0.2964373f, -0.01603352f, 0.3f, 0.4f, 0.5910225f, 0.2773507f},
       {0.9193749f, -0.6118086f},
       {"emb", "emb/Ftrl", "emb/Ftrl_1", "global_step", "w", "w/Ftrl", "w/Ftrl_1"}},
      {"Adam",
       train::Adam(0.1),
       {5.076666f, 4.065967f, 3.195231f},
       {0.3996805f, -0.09554922f, 0.3f, 0.4f, 0.7989819f, 0.3058949f},
       {1.300235f, -0.7170227f},
       {"beta1_power", "beta2_power", "emb", "emb/Adam", "emb/Adam_1", "global_step", "w", "w/Adam", "w/Adam_1"}},
  };
}

std::vector<float> Floats(const Result<Tensor>& tensor) {
  EXPECT_TRUE(tensor.ok()) << tensor.status().ToString();
  if (!tensor.ok()) return {};
  return {tensor->data<float>().begin(), tensor->data<float>().end()};
}

// Rows of a table, a product, a squared error; the middle row is never touched, the first one twice in each step.
struct Model {
  explicit Model(const Scope& root)
      : emb(root.WithName("emb"), Tensor::FromValues<float>({.1f, .2f, .3f, .4f, .5f, .6f}, {3, 2})),
        w(root.WithName("w"), Tensor::FromValues<float>({1, -1}, {2, 1})) {
    const Output x = EmbeddingLookup(emb, Tensor::Vector<int32_t>({0, 2, 0}));
    loss = ReduceMean(Square(MatMul(x, w) - Tensor::FromValues<float>({1, 2, 3}, {3, 1})));
  }
  Variable emb, w;
  Output loss;
};

TEST(OptimizerTest, GivesTensorFlowsNumbersUnderTensorFlowsNames) {
  for (const GoldenRun& golden : GoldenRuns()) {
    SCOPED_TRACE(golden.name);
    const Scope root = Scope::NewRoot();
    const Model model(root);
    const Variable global_step = train::GetOrCreateGlobalStep(root);
    const Operation train = golden.optimizer.Minimize(model.loss, {.global_step = global_step});
    EXPECT_EQ(train.name(), golden.name);
    EXPECT_EQ(train.type(), "AssignAddVariableOp");
    std::vector<std::string> names;
    for (const Variable& variable : GlobalVariables(root)) names.push_back(variable.name());
    std::ranges::sort(names);
    EXPECT_EQ(names, golden.variables);

    Result<Session> session = Session::Open("", root);
    ASSERT_TRUE(session.ok()) << session.status().ToString();
    ASSERT_TRUE(session->Run(GlobalVariablesInitializer(root)).ok());
    for (const float loss : golden.losses) {
      EXPECT_THAT(Floats(session->Run(model.loss)), ElementsAre(FloatNear(loss, 2e-6f * loss)));
      const Status step = session->Run(train);
      ASSERT_TRUE(step.ok()) << step.ToString();
    }
    EXPECT_THAT(Floats(session->Run(model.emb.Value())), Pointwise(FloatNear(1e-5f), golden.embedding));
    EXPECT_THAT(Floats(session->Run(model.w.Value())), Pointwise(FloatNear(1e-5f), golden.weights));
    EXPECT_EQ(session->Run(global_step.Value())->scalar<int64_t>(), 3);
  }
}

TEST(OptimizerTest, RowsStayRows) {
  const Scope root = Scope::NewRoot();
  const Model model(root);
  const std::vector<train::VariableGradient> gradients = train::Adagrad(0.1).ComputeGradients(model.loss);
  ASSERT_EQ(gradients.size(), 2u);
  EXPECT_TRUE(gradients[0].rows.valid());
  EXPECT_FALSE(gradients[0].dense.valid());
  EXPECT_TRUE(gradients[1].dense.valid());
}

TEST(OptimizerTest, ALossWithoutVariablesIsAMistake) {
  const Scope root = Scope::NewRoot();
  const Variable unused(root.WithName("unused"), Zeros({1}));
  train::Adam().Minimize(ReduceSum(Placeholder(root, DType::kFloat, {2})));
  EXPECT_THAT(root.status().message(), HasSubstr("No gradients provided for any variable: [unused]"));
  EXPECT_THAT(root.status().message(), HasSubstr("train_test.cc"));
}

TEST(RunLoopTest, EndsWithTheDataOrWhenTold) {
  const Scope root = Scope::NewRoot();
  const auto [x] = data::MakeOneShotIterator(data::FromRange(root, 10)).Next<1>();
  const Operation step = Group(root, {x.op()});
  Result<Session> session = Session::Open("", root);
  ASSERT_TRUE(session.ok()) << session.status().ToString();
  EXPECT_EQ(*train::RunLoop(*session, step, {.max_steps = 2}), 2);
  int64_t last = 0;
  const auto until = [&](const train::StepResult& result) {
    last = result.fetches[0].scalar<int64_t>();
    return result.step < 3;
  };
  EXPECT_EQ(*train::RunLoop(*session, step, {.fetches = {x}, .on_step = until}), 3);
  EXPECT_EQ(last, 4);
  EXPECT_EQ(*train::RunLoop(*session, step), 5);
}

TEST(SaverTest, WhatIsSavedIsRestoredAndOldCheckpointsGo) {
  const std::filesystem::path directory = std::filesystem::path(testing::TempDir()) / "headrace_saver_test";
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
  const std::string prefix = (directory / "model.ckpt").string();
  const Scope root = Scope::NewRoot();
  const Variable v(root.WithName("v"), Filled({3}, 1));
  const Operation change = v.AssignAdd(Constant(root, Tensor::Vector<float>({1, 2, 3})));
  train::Saver saver(root, {.max_to_keep = 2});
  Result<Session> session = Session::Open("", root);
  ASSERT_TRUE(session.ok()) << session.status().ToString();
  ASSERT_TRUE(session->Run(GlobalVariablesInitializer(root)).ok());
  for (int64_t step = 1; step <= 3; ++step) {
    const Result<std::string> path = saver.Save(*session, prefix, step);
    ASSERT_TRUE(path.ok()) << path.status().ToString();
    ASSERT_TRUE(session->Run(change).ok());
  }
  EXPECT_EQ(*train::LatestCheckpoint(directory.string()), prefix + "-3");
  EXPECT_FALSE(std::filesystem::exists(prefix + "-1.index"));
  EXPECT_FALSE(std::filesystem::exists(prefix + "-1.meta"));
  EXPECT_TRUE(std::filesystem::exists(prefix + "-3.meta"));
  const Status restored = saver.Restore(*session, prefix + "-2");
  ASSERT_TRUE(restored.ok()) << restored.ToString();
  EXPECT_THAT(Floats(session->Run(v.Value())), ElementsAre(2, 3, 4));
  EXPECT_FALSE(saver.Restore(*session, prefix + "-9").ok());
}

TEST(SaverTest, VariablesMayHaveOtherNamesInTheCheckpointAndOtherShapes) {
  const std::filesystem::path directory = std::filesystem::path(testing::TempDir()) / "headrace_saver_names_test";
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
  const Scope root = Scope::NewRoot();
  const Variable v(root.WithName("v"), Filled({4}, 5)), w(root.WithName("w"), Filled({2, 2}, 1));
  train::Saver saver(root, {.renamed = {{"other", v}}, .sharded = true, .write_meta_graph = false});
  train::Saver reader(root, {.renamed = {{"other", w}}, .reshape = true});
  Result<Session> session = Session::Open("", root);
  ASSERT_TRUE(session.ok()) << session.status().ToString();
  ASSERT_TRUE(session->Run(GlobalVariablesInitializer(root)).ok());
  const Result<std::string> path = saver.Save(*session, (directory / "model").string());
  ASSERT_TRUE(path.ok()) << path.status().ToString();
  EXPECT_FALSE(std::filesystem::exists(*path + ".meta"));
  const Status restored = reader.Restore(*session, *path);
  ASSERT_TRUE(restored.ok()) << restored.ToString();
  EXPECT_THAT(Floats(session->Run(w.Value())), ElementsAre(5, 5, 5, 5));
}

TEST(SummaryTest, WhatARunSaysIsInTheEventFile) {
  const std::filesystem::path directory = std::filesystem::path(testing::TempDir()) / "headrace_summary_test";
  std::filesystem::remove_all(directory);
  const Scope root = Scope::NewRoot();
  EXPECT_FALSE(summary::MergeAll(root).valid());
  const Output x = Constant(root, Tensor::FromValues<float>({1, 2, 3, 4}, {1, 2, 2, 1}));
  summary::Scalar("loss", ReduceSum(x));
  summary::Histogram("x", x);
  summary::Image("picture", x);
  const Output all = summary::MergeAll(root);
  Result<Session> session = Session::Open("", root);
  ASSERT_TRUE(session.ok()) << session.status().ToString();
  const Result<Tensor> value = session->Run(all);
  ASSERT_TRUE(value.ok()) << value.status().ToString();
  Result<summary::SummaryWriter> writer = summary::SummaryWriter::Open(directory.string());
  ASSERT_TRUE(writer.ok()) << writer.status().ToString();
  EXPECT_TRUE(writer->AddGraph(root).ok());
  EXPECT_TRUE(writer->AddMetaGraph("\x12\x08in a meta").ok());
  EXPECT_TRUE(writer->AddSessionLog(summary::SessionStatus::kStart, 0).ok());
  EXPECT_TRUE(writer->AddSummary(*value, 7).ok());
  EXPECT_EQ(writer->AddSummary(Tensor::Scalar(1.0f), 7).code(), Code::kInvalidArgument);
  const std::string path = writer->path();
  EXPECT_TRUE(writer->Close().ok());
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  for (const char* text : {"brain.Event:2", "ScalarSummary", "loss", "picture/image/0", "in a meta", "PNG"}) {
    EXPECT_THAT(bytes, HasSubstr(text));
  }
}

}  // namespace
}  // namespace headrace::api
